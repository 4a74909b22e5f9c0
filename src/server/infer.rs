//! Computing on encrypted inputs: the engine behind both forms, and its `/v1` route.

use super::body::Incoming;
use super::envelope::Caller;
use super::keys;
use super::models::Hosted;
use super::reply::Answer;
use super::routes::Shared;
use super::state::State;
use crate::circuit::plan::EvaluationKey;
use crate::error::{Error, Result};
use crate::fhe::Random;
use crate::fhe::random::OsEntropy;
use crate::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER, QUEUE_HEADER};
use crate::protocol::frame::{Frame, most_items, read_batch, write_batch};
use crate::store::{KeyId, Shelf};
use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A framed batch of encrypted answers.
pub(super) struct Answers {
    pub bytes: Vec<u8>,
    /// From being accepted to the beginning of computing: waiting, and loading the key where it was not in memory.
    pub queued: Duration,
    pub computed: Duration,
}

/// `POST /v1/models/{name}/infer`
pub(super) async fn serve(
    state: Shared,
    Extension(Caller(owner)): Extension<Caller>,
    Extension(incoming): Extension<Incoming>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let model = state.models.named(&name)?;
    let id = match &model.no_key {
        Some(_) => None,
        None => Some(key_id(&headers)?),
    };
    let inputs = incoming.read(&state, model.batch_limit()).await?;
    let shelf = Shelf { model: *model.id(), owner };
    let answers = infer(&state, model, &shelf, id.as_ref(), inputs.bytes.clone()).await?;
    let octets = HeaderValue::from_static("application/octet-stream");
    let headers = timings(&answers);
    Ok(([(header::CONTENT_TYPE, octets)], headers, answers.bytes).into_response())
}

/// The reply headers that say where the time went, in microseconds.
pub(super) fn timings(answers: &Answers) -> [(HeaderName, HeaderValue); 2] {
    let micros = |time: Duration| HeaderValue::from(time.as_micros() as u64);
    [
        (HeaderName::from_static(QUEUE_HEADER), micros(answers.queued)),
        (HeaderName::from_static(COMPUTE_HEADER), micros(answers.computed)),
    ]
}

fn key_id(headers: &HeaderMap) -> Result<KeyId> {
    let Some(value) = headers.get(KEY_ID_HEADER) else {
        return Err(Error::user("key_unnamed", "the request names no evaluation key")
            .hint("send the key's SHA-256 in the `key-id` header"));
    };
    KeyId::parse(value.to_str().unwrap_or_default())
}

/// Answers a framed batch; `id` is needed unless the model works without a key.
///
/// # Errors
/// `busy`, `key_unknown`, `key_damaged`, `ciphertext_invalid`, `format_version`, `wrong_model`, `batch_too_large`,
/// `store_unavailable`, `store_failed`, `internal`.
pub(super) async fn infer(
    state: &State,
    model: &Arc<Hosted>,
    shelf: &Shelf,
    id: Option<&KeyId>,
    inputs: Bytes,
) -> Result<Answers> {
    let slot = state.compute.admit()?;
    let accepted = Instant::now();
    let key = match (&model.no_key, id) {
        (Some(key), _) => key.clone(),
        (None, Some(id)) => keys::held(state, &slot, model, shelf, id).await?,
        (None, None) => return Err(keys::unknown()),
    };
    let own = model.clone();
    let done = state.compute.run(&slot, move || answer(&own, &key, &inputs)).await?;
    Ok(Answers { bytes: done.value?, queued: done.began - accepted, computed: done.took })
}

/// The computing itself, on the pool.
fn answer(model: &Hosted, key: &EvaluationKey, inputs: &[u8]) -> Result<Vec<u8>> {
    let items = read_batch(Frame::Inputs, model.id(), model.circuit().request_bytes(), inputs)?;
    let most = most_items(model.circuit());
    if items.len() > most {
        return Err(Error::user(
            "batch_too_large",
            format!("{} inputs in a batch, this model takes {most}", items.len()),
        )
        .hint("send several smaller batches"));
    }
    let mut random = Random::fresh(&mut OsEntropy);
    let answers = model.evaluator.evaluate(key, &items, &mut random)?;
    Ok(write_batch(Frame::Answers, model.id(), &answers))
}
