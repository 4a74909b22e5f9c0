//! Computing on encrypted inputs: the engine behind both forms, and its `/v1` route.

use super::body::{Incoming, Received};
use super::budgets::Charge;
use super::envelope::Caller;
use super::keys;
use super::models::Hosted;
use super::openapi::Refusals;
use super::reply::Answer;
use super::routes::Shared;
use super::schedule::{Lane, SHARE};
use super::state::State;
use crate::store::{HeldKey, KeyId, KeyNamespace, Owner, Reservation};
use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER, QUEUE_HEADER};
use fhectl_core::protocol::frame::{
    AnswersWriter, INPUTS_HEADER, Lengths, MAX_BATCH, answers_len, most_items, read_inputs, stated_tag,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A framed batch of encrypted answers.
pub(super) struct Answers {
    pub bytes: Vec<u8>,
    pub memory: Reservation,
    /// From being accepted on, computing left out: waiting, and loading the key where it was not in memory.
    pub queued: Duration,
    pub computed: Duration,
}

/// Who asks, and where their keys are.
pub(super) struct Asking {
    pub namespace: KeyNamespace,
    caller: Caller,
}

impl Asking {
    pub fn new(model: &Hosted, caller: Caller) -> Self {
        Self { namespace: KeyNamespace { model: *model.id(), owner: caller.owner.clone() }, caller }
    }
}

/// `POST /v1/models/{name}/infer`
#[utoipa::path(
    post, path = "/v1/models/{name}/infer", tag = "inference", operation_id = "infer",
    description = "Computes the model on a batch of encrypted inputs, and looks a tag up with the same keys where the batch has one.",
    params(
        ("name" = String, Path, description = "The model"),
        ("key-id" = Option<String>, Header, description = "SHA-256 of the evaluation key; not needed where the model has none"),
        ("x-fhectl-deadline-ms" = Option<u32>, Header, description = "Milliseconds that the client waits at most"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A framed batch of encrypted inputs, with or without a tag"),
    responses(
        (
            status = 200, description = "A framed batch of encrypted answers, with the id of the evaluation key that was used and a SHA-256 at its end", body = Vec<u8>, content_type = "application/octet-stream",
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
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let model = state.models.named(&name)?;
    let id = match &model.no_key {
        Some(_) => None,
        None => Some(key_id(&headers)?),
    };
    let inputs = incoming.read(&state, model.batch_limit()).await?;
    let asking = Asking::new(model, caller);
    let answers = infer(&state, model, &asking, id.as_ref(), inputs).await?;
    let octets = HeaderValue::from_static("application/octet-stream");
    let headers = timings(&state, &answers);
    let body = Body::from(answers.memory.around(answers.bytes));
    Ok(([(header::CONTENT_TYPE, octets)], headers, body).into_response())
}

/// The reply headers that say where the time went, in microseconds, where the operator wants them. Without jitter of a
/// network, computing tells how large a model is.
pub(super) fn timings(state: &State, answers: &Answers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if state.timing_headers {
        for (name, time) in [(QUEUE_HEADER, answers.queued), (COMPUTE_HEADER, answers.computed)] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(time.as_micros() as u64));
        }
    }
    headers
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
/// `busy`, `deadline`, `key_unknown`, `key_damaged`, `ciphertext_invalid`, `format_version`, `wrong_model`,
/// `batch_too_large`, `row_budget_spent`, `budget_damaged`, `store_unavailable`, `store_failed`, `internal`.
pub(super) async fn infer(
    state: &State,
    model: &Arc<Hosted>,
    asking: &Asking,
    id: Option<&KeyId>,
    inputs: Received,
) -> Result<Answers> {
    let namespace = &asking.namespace;
    let lane = match id {
        Some(id) => Lane::of_key(&namespace.owner, id),
        None if namespace.owner == Owner::anyone() => Lane::Peer(asking.caller.peer),
        None => Lane::Token(namespace.owner.clone()),
    };
    // By their length: whether they are what they seem is looked at when there is a key.
    let tag = stated_tag(&inputs.bytes);
    let items = inputs.bytes.len().saturating_sub(INPUTS_HEADER + tag);
    let rows = (items / model.circuit().request_bytes().max(1)).clamp(1, MAX_BATCH);
    let seconds = rows as f64 * model.costs.row.seconds() + if tag > 0 { model.costs.tag.seconds() } else { 0.0 };
    let slot = state.compute.admit(lane, seconds, state.deadline(asking.caller.patience))?;
    let accepted = Instant::now();
    let key = match (&model.no_key, id) {
        (Some(key), _) => key.clone(),
        (None, Some(id)) => keys::held(state, &slot, model, namespace, id).await?,
        (None, None) => return Err(keys::unknown()),
    };
    let batch = Batch::new(model.clone(), key, inputs)?;
    let rows = batch.rows;
    let memory = state.memory.try_reserve(batch.answer_bytes())?;
    let charge = charge(state, model, namespace, rows).await?;
    let done = state.compute.run(&slot, batch.shares(memory, charge)).await?;
    let (bytes, memory) = done.value?;
    let queued = accepted.elapsed().saturating_sub(done.took);
    state.metrics.inference(&model.info.name, rows, queued, done.took);
    Ok(Answers { bytes, memory, queued, computed: done.took })
}

/// Charges a batch to its token's budget, where there are budgets.
async fn charge(state: &State, model: &Hosted, namespace: &KeyNamespace, rows: usize) -> Result<Option<Charge>> {
    let (Some(budgets), metrics, name) = (&state.budgets, &state.metrics, &model.info.name) else { return Ok(None) };
    let charged = budgets.charge(namespace, name, rows, &metrics.budget_rows(name)).await;
    if charged.as_ref().is_err_and(|error| error.code == "row_budget_spent") {
        metrics.budget_refusal(name);
    }
    charged.map(Some)
}

/// A checked batch of encrypted inputs and what is needed to answer it.
struct Batch {
    model: Arc<Hosted>,
    key: Arc<HeldKey>,
    /// With its memory: both stay as long as a thread reads them, whatever becomes of the client.
    inputs: Received,
    /// Its length, 0 where there is none.
    tag: usize,
    rows: usize,
}

impl Batch {
    /// # Errors
    /// What is wrong with the inputs.
    fn new(model: Arc<Hosted>, key: Arc<HeldKey>, inputs: Received) -> Result<Self> {
        let batch = read_inputs(model.id(), Lengths::of_inputs(model.circuit()), &inputs.bytes)?;
        let (tag, rows) = (batch.tag.map_or(0, <[u8]>::len), batch.items.len());
        let most = most_items(model.circuit());
        if rows > most {
            return Err(Error::user("batch_too_large", format!("{rows} inputs in a batch, this model takes {most}"))
                .hint("send several smaller batches"));
        }
        Ok(Self { model, key, inputs, tag, rows })
    }

    fn answer_bytes(&self) -> usize {
        let circuit = self.model.circuit();
        answers_len(circuit, self.rows) + if self.tag > 0 { circuit.tag_response_bytes() } else { 0 }
    }

    /// The computing itself, on the pool: the tag, and some rows a call, so that a long batch can be left when others
    /// are waiting or its client has gone. Once the first row is computed, the batch is charged for good.
    fn shares(
        self,
        memory: Reservation,
        mut charge: Option<Charge>,
    ) -> impl FnMut() -> Option<Result<(Vec<u8>, Reservation)>> + Send + 'static {
        let mut random = Random::fresh(&mut OsEntropy);
        let (mut next, mut out, mut memory) = (0, None, memory);
        move || {
            if let Some(charge) = charge.take() {
                charge.keep();
            }
            let share = self.share(&mut next, &mut out, &mut random);
            match share {
                Ok(()) if next < self.rows => None,
                Ok(()) => {
                    Some(Ok((out.take().map(AnswersWriter::finish).unwrap_or_default(), std::mem::take(&mut memory))))
                }
                Err(error) => Some(Err(error)),
            }
        }
    }

    /// The next rows from `next` on; before the first ones the tag.
    fn share(&self, next: &mut usize, out: &mut Option<AnswersWriter>, random: &mut Random) -> Result<()> {
        let out = match out {
            Some(out) => out,
            None => out.insert(self.begin(random)?),
        };
        let row_cost = &self.model.costs.row;
        let each = self.model.circuit().request_bytes();
        let at_once = (SHARE / row_cost.seconds()).ceil() as usize;
        let end = next.saturating_add(at_once).min(self.rows);
        let items = INPUTS_HEADER + self.tag;
        let share = &self.inputs.bytes[items + *next * each..items + end * each];
        let rows: Vec<&[u8]> = share.chunks(each).collect();
        let begun = Instant::now();
        let answers = self.model.evaluator.evaluate(&self.key, &rows, random)?;
        row_cost.learn(begun.elapsed().as_secs_f64() / rows.len() as f64);
        answers.iter().for_each(|answer| out.push(answer));
        *next = end;
        Ok(())
    }

    /// The answers' header and the tag's answer.
    fn begin(&self, random: &mut Random) -> Result<AnswersWriter> {
        let mut tag = Vec::new();
        if self.tag > 0 {
            let begun = Instant::now();
            let request = &self.inputs.bytes[INPUTS_HEADER..INPUTS_HEADER + self.tag];
            tag = self.model.evaluator.answer_tag(&self.key, request, random)?;
            self.model.costs.tag.learn(begun.elapsed().as_secs_f64());
        }
        let items = (self.rows, self.model.circuit().response_bytes());
        Ok(AnswersWriter::begin(self.model.id(), self.key.name(), items, &tag))
    }
}
