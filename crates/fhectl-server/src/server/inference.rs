//! Computing on encrypted inputs: admission, the key, the budget, the pool. The engine behind both forms; no HTTP.

use super::answered::{Answered, Missed};
use super::batch::EncryptedBatch;
use super::body::ReceivedBody;
use super::budgets::{Budgets, Charge};
use super::compute::{ComputePool, Permit};
use super::fair_queue::FlowId;
use super::key_service::{KeyService, unknown};
use super::launch::{DeviceRequest, Fleet};
use super::metrics::ServerMetrics;
use super::models::HostedModel;
use crate::store::{KeyId, KeyNamespace, MemoryBudget, Owner, Reservation};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::frame::{INPUTS_HEADER, MAX_BATCH, stated_tag};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Answers batches of encrypted inputs.
pub(super) struct InferenceService {
    pub compute: Arc<ComputePool>,
    pub fleet: Arc<Fleet>,
    pub keys: Arc<KeyService>,
    pub budgets: Option<Budgets>,
    /// For requests and replies.
    pub memory: MemoryBudget,
    pub metrics: Arc<ServerMetrics>,
}

/// Who asks a model, and with what.
pub(super) struct Inference<'a> {
    pub model: &'a Arc<HostedModel>,
    pub owner: Owner,
    pub peer: IpAddr,
    /// How long the client waits at most, where it says so.
    pub timeout: Option<Duration>,
    /// The evaluation key; needed unless the model works without one.
    pub key: Option<KeyId>,
    /// A framed batch.
    pub inputs: ReceivedBody,
}

/// A framed batch of encrypted answers.
pub(super) struct EncryptedAnswers {
    pub bytes: Vec<u8>,
    pub memory: Reservation,
    /// From being accepted on, computing left out: waiting, and loading the key where it was not in memory.
    pub queued: Duration,
    pub computed: Duration,
}

impl InferenceService {
    /// Answers a framed batch.
    ///
    /// # Errors
    /// `busy`, `deadline`, `device_failed`, `key_unknown`, `key_damaged`, `ciphertext_invalid`, `format_version`, `wrong_model`,
    /// `batch_too_large`, `row_budget_spent`, `budget_damaged`, `store_unavailable`, `store_failed`, `internal`.
    pub async fn infer(&self, asked: Inference<'_>) -> Result<EncryptedAnswers> {
        let Inference { model, owner, peer, timeout, key, inputs } = asked;
        let namespace = KeyNamespace { model: *model.id(), owner };
        let flow = match &key {
            Some(id) => FlowId::of_key(&namespace.owner, id),
            None if namespace.owner == Owner::anyone() => FlowId::Peer(peer),
            None => FlowId::Token(namespace.owner.clone()),
        };
        // Where a device computes the rows, the processor has the tag.
        let on_device = self.fleet.computes(model.id());
        let predicted = Predicted::of(model, &inputs.bytes);
        let permit = self.compute.admit(flow.clone(), predicted.on_processor(on_device), timeout)?;
        let accepted = Instant::now();
        let key = match (&model.no_key, &key) {
            (Some(key), _) => key.clone(),
            (None, Some(id)) => self.keys.load(&permit, model, &namespace, id).await?,
            (None, None) => return Err(unknown()),
        };
        let batch = Arc::new(EncryptedBatch::new(model.clone(), key, inputs)?);
        let rows = batch.rows;
        let memory = self.memory.try_reserve(batch.answer_bytes())?;
        let place = if on_device { self.fleet.admit(&batch, &flow, &permit)? } else { None };
        // A device's answers lie beside the frame that they are put into.
        let beside = place.as_ref().map(|_| self.memory.try_reserve(batch.answer_bytes())).transpose()?;
        let charge = self.charge(model, &namespace, rows).await?;
        let answered = match place {
            Some(place) => {
                let memory = beside.unwrap_or_default();
                let request = DeviceRequest { batch: batch.clone(), flow: flow.clone(), charge, memory };
                self.fleet.compute(place, request, &permit).await?
            }
            // It went down since the request was admitted for it.
            None if on_device => Answered::down(charge),
            None => {
                if self.fleet.knows(model.id()) {
                    self.fleet.missed(rows, Missed::Down);
                }
                Answered::nothing(charge, Reservation::default())
            }
        };
        let permit = match answered.missed {
            None => permit,
            Some(missed) => self.fall_back(permit, flow, model, (rows - answered.there(), missed))?,
        };
        let on_device = answered.took;
        let done = self.compute.run(&permit, batch.quanta(memory, answered)).await?;
        let (bytes, memory) = done.value?;
        let computed = on_device + done.took;
        let queued = accepted.elapsed().saturating_sub(computed);
        self.metrics.inference(&model.info.name, rows, queued, computed);
        Ok(EncryptedAnswers { bytes, memory, queued, computed })
    }

    /// A permit for rows that a device did not compute, in place of one for the tag.
    ///
    /// # Errors
    /// `device_failed` where the processor does not take them either and a device is to blame, otherwise `busy`; `deadline`.
    fn fall_back(&self, permit: Permit, flow: FlowId, model: &HostedModel, what: (usize, Missed)) -> Result<Permit> {
        let (rows, missed) = what;
        let left = permit.left();
        drop(permit);
        let admitted = self.compute.admit(flow, rows as f64 * model.costs.row.seconds(), left);
        let permit = admitted.map_err(|error| match (error.code, missed) {
            (ErrorCode::Busy, Missed::Down | Missed::Failed) => Error {
                code: ErrorCode::DeviceFailed,
                message: "the computing device failed, and the processor computes as much as it can".to_owned(),
                ..error
            },
            _ => error,
        })?;
        self.fleet.missed(rows, missed);
        Ok(permit)
    }

    /// Charges a batch to its token's budget, where there are budgets.
    async fn charge(&self, model: &HostedModel, namespace: &KeyNamespace, rows: usize) -> Result<Option<Charge>> {
        let (Some(budgets), metrics, name) = (&self.budgets, &self.metrics, &model.info.name) else {
            return Ok(None);
        };
        let charged = budgets.charge(namespace, name, rows, &metrics.budget_rows(name)).await;
        if charged.as_ref().is_err_and(|error| error.code == ErrorCode::RowBudgetSpent) {
            metrics.budget_refusal(name);
        }
        charged.map(Some)
    }
}

/// What a batch is expected to take of one core, by its length: whether it is what it seems is looked at when there is a key.
struct Predicted {
    rows: f64,
    tag: f64,
}

impl Predicted {
    fn of(model: &HostedModel, inputs: &[u8]) -> Self {
        let tag = stated_tag(inputs);
        let items = inputs.len().saturating_sub(INPUTS_HEADER + tag);
        let rows = (items / model.circuit().request_bytes().max(1)).clamp(1, MAX_BATCH);
        let tag = if tag > 0 { model.costs.tag.seconds() } else { 0.0 };
        Self { rows: rows as f64 * model.costs.row.seconds(), tag }
    }

    fn on_processor(&self, on_device: bool) -> f64 {
        if on_device { self.tag } else { self.rows + self.tag }
    }
}
