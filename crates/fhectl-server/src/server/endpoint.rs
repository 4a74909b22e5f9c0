//! The endpoint form: `POST /` as clients of hosted endpoints send it.
//!
//! The pieces of a key are staged in the order they arrive; the last one completes it. Nothing of the last piece is
//! staged, so a client may send it again where the server was busy.

use super::body::{Incoming, Received};
use super::endpoint_json::{bytes_of, parse};
use super::envelope::Caller;
use super::infer::{Asking, infer, timings};
use super::keys::{Arrival, check_begin, check_quota};
use super::models::Hosted;
use super::openapi::{EndpointReply, Refusals};
use super::reply::Answer;
use super::routes::Shared;
use super::state::State;
use crate::store::{KeyId, KeyNamespace, Uid, Upload, check_total, incomplete};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use bytes::Bytes;
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::MODEL_HEADER;
use fhectl_core::protocol::endpoint::{EndpointRequest, SavedKey};
use fhectl_core::protocol::frame::KEY_HEADER;
use std::sync::Arc;

/// JSON beyond this many bytes is parsed off the async threads.
const SMALL: usize = 256 << 10;

/// `POST /`
#[utoipa::path(
    post, path = "/", tag = "endpoint form", operation_id = "endpoint",
    description = "The endpoint form that clients of hosted endpoints speak. Keys, inputs and answers are the frames of /v1.",
    params(
        ("x-model" = Option<String>, Header, description = "The model, where several are served"),
        ("x-fhectl-deadline-ms" = Option<u32>, Header, description = "Milliseconds that the client waits at most"),
    ),
    request_body = EndpointRequest,
    responses(
        (
            status = 200, description = "A uid, null or encrypted answers, as the method has it", body = EndpointReply,
            headers(
                ("x-fhectl-queue-us" = Option<u64>, description = "Microseconds of waiting; only where the server tells (--timing-headers)"),
                ("x-fhectl-compute-us" = Option<u64>, description = "Microseconds of computing; only where the server tells (--timing-headers)"),
            ),
        ),
        Refusals,
    )
)]
pub(super) async fn serve(
    state: Shared,
    Extension(caller): Extension<Caller>,
    Extension(incoming): Extension<Incoming>,
    headers: HeaderMap,
) -> Answer {
    let name = headers.get(MODEL_HEADER).map(|value| value.to_str().unwrap_or_default());
    let model = state.models.meant(name)?;
    let asking = Asking::new(model, caller);
    let namespace = &asking.namespace;
    // Its memory stays reserved: what was parsed, at most as long as the JSON, lives on.
    let Received { bytes, memory } = incoming.read(&state, model.json_limit()).await?;
    let request = if bytes.len() <= SMALL {
        parse(&bytes)?
    } else {
        let parsed = tokio::task::spawn_blocking(move || parse(&bytes)).await;
        parsed.map_err(|_| Error::fault("internal", "reading a request failed unexpectedly"))??
    };
    match request {
        EndpointRequest::SaveKey { evaluation_keys } => {
            let uid = Uid::fresh(&mut OsEntropy);
            let (piece, _) = bytes_of(evaluation_keys)?;
            append(&state, model, namespace, &uid, piece, true).await?;
            Ok(Json(SavedKey { uid: uid.as_str().to_owned() }).into_response())
        }
        EndpointRequest::AppendKey { evaluation_keys, uid } => {
            let uid = Uid::parse(&uid).ok_or_else(unknown)?;
            let (piece, _) = bytes_of(evaluation_keys)?;
            append(&state, model, namespace, &uid, piece, false).await?;
            Ok(Json(()).into_response())
        }
        EndpointRequest::Inference { encrypted_inputs, uid } => {
            let (inputs, form) = bytes_of(encrypted_inputs)?;
            let id = resolve(&state, model, namespace, &uid).await?;
            let inputs = Received { bytes: inputs, memory };
            let answers = infer(&state, model, &asking, id.as_ref(), inputs).await;
            let mut answers = answers.map_err(|error| match error.code {
                // The key that the uid stood for was deleted, or its time is over.
                "key_unknown" => unknown(),
                _ => error,
            })?;
            let headers = timings(&state, &answers);
            answers.memory.merge(state.memory.try_reserve(form.written_bytes(answers.bytes.len()))?);
            let json = serde_json::to_vec(&form.write(answers.bytes))
                .map_err(|error| Error::fault("internal", format!("writing a reply: {error}")))?;
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            Ok((kind, headers, Body::from(answers.memory.around(json))).into_response())
        }
    }
}

/// Adds a piece to a key; the one that reaches the key's length completes it.
async fn append(
    state: &State,
    model: &Arc<Hosted>,
    namespace: &KeyNamespace,
    uid: &Uid,
    piece: Bytes,
    first: bool,
) -> Result<()> {
    if model.no_key.is_some() {
        // Such clients always send a key; one without a body is all there is to send.
        return check_total(piece.len() as u64, KEY_HEADER);
    }
    let upload = Upload::from(uid);
    let _turn = state.locks.hold(namespace, &upload).await;
    let parts = state.store.parts(namespace, &upload).await?;
    if first {
        check_begin(model, &piece)?;
        check_quota(state, namespace, &upload, None).await?;
    } else if state.store.uid(namespace, uid).await?.is_some() {
        return Err(Error::user("key_complete", "the evaluation key of this uid is complete; nothing can be appended")
            .hint("use it, or begin another with save_key"));
    } else if parts.is_empty() {
        return Err(unknown());
    }
    let total = parts.iter().map(|part| part.bytes).sum::<u64>() + piece.len() as u64;
    check_total(total, model.key_len())?;
    if total < model.key_len() as u64 {
        return state.store.put_part(namespace, &upload, parts.len() as u32, piece, model.key_len()).await;
    }
    let arrival = Arrival::begin(state, model, namespace, &upload).await?;
    let whole = if parts.is_empty() {
        piece
    } else {
        let mut whole = state.store.assemble(namespace, &upload, model.key_len()).await?;
        whole.extend_from_slice(&piece);
        whole.into()
    };
    let id = arrival.accept(whole, None).await?;
    state.store.put_uid(namespace, uid, &id).await?;
    state.store.discard(namespace, &upload).await.map(drop)
}

/// The key that a uid stands for; `None` where the model needs none.
async fn resolve(state: &State, model: &Hosted, namespace: &KeyNamespace, uid: &str) -> Result<Option<KeyId>> {
    let uid = Uid::parse(uid).ok_or_else(unknown)?;
    if model.no_key.is_some() {
        return Ok(None);
    }
    if let Some(id) = state.cache.uid(namespace, &uid).await? {
        return Ok(Some(id));
    }
    let here: u64 = state.store.parts(namespace, &Upload::from(&uid)).await?.iter().map(|part| part.bytes).sum();
    if here == 0 {
        return Err(unknown());
    }
    Err(incomplete(format!("{here} of {} bytes are here", model.key_len())))
}

fn unknown() -> Error {
    Error::user("uid_unknown", "no evaluation key of this uid is here")
        .hint("begin with save_key and use the uid it returns")
}
