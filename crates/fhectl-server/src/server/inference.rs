//! Computing on encrypted inputs: admission, the key, the budget, the pool. The engine behind both forms; no HTTP.

use super::batch::EncryptedBatch;
use super::body::ReceivedBody;
use super::budgets::{Budgets, Charge};
use super::compute::ComputePool;
use super::fair_queue::FlowId;
use super::key_service::{KeyService, unknown};
use super::metrics::ServerMetrics;
use super::models::HostedModel;
use crate::store::{KeyId, KeyNamespace, MemoryBudget, Owner, Reservation};
use fhectl_core::error::{ErrorCode, Result};
use fhectl_core::protocol::frame::{INPUTS_HEADER, MAX_BATCH, stated_tag};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Answers batches of encrypted inputs.
pub(super) struct InferenceService {
    pub compute: Arc<ComputePool>,
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
    /// `busy`, `deadline`, `key_unknown`, `key_damaged`, `ciphertext_invalid`, `format_version`, `wrong_model`,
    /// `batch_too_large`, `row_budget_spent`, `budget_damaged`, `store_unavailable`, `store_failed`, `internal`.
    pub async fn infer(&self, asked: Inference<'_>) -> Result<EncryptedAnswers> {
        let Inference { model, owner, peer, timeout, key, inputs } = asked;
        let namespace = KeyNamespace { model: *model.id(), owner };
        let flow = match &key {
            Some(id) => FlowId::of_key(&namespace.owner, id),
            None if namespace.owner == Owner::anyone() => FlowId::Peer(peer),
            None => FlowId::Token(namespace.owner.clone()),
        };
        let permit = self.compute.admit(flow, predicted_seconds(model, &inputs.bytes), timeout)?;
        let accepted = Instant::now();
        let key = match (&model.no_key, &key) {
            (Some(key), _) => key.clone(),
            (None, Some(id)) => self.keys.load(&permit, model, &namespace, id).await?,
            (None, None) => return Err(unknown()),
        };
        let batch = EncryptedBatch::new(model.clone(), key, inputs)?;
        let rows = batch.rows;
        let memory = self.memory.try_reserve(batch.answer_bytes())?;
        let charge = self.charge(model, &namespace, rows).await?;
        let done = self.compute.run(&permit, batch.quanta(memory, charge)).await?;
        let (bytes, memory) = done.value?;
        let queued = accepted.elapsed().saturating_sub(done.took);
        self.metrics.inference(&model.info.name, rows, queued, done.took);
        Ok(EncryptedAnswers { bytes, memory, queued, computed: done.took })
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

/// What a batch is expected to take, by its length: whether it is what it seems is looked at when there is a key.
fn predicted_seconds(model: &HostedModel, inputs: &[u8]) -> f64 {
    let tag = stated_tag(inputs);
    let items = inputs.len().saturating_sub(INPUTS_HEADER + tag);
    let rows = (items / model.circuit().request_bytes().max(1)).clamp(1, MAX_BATCH);
    let tag_seconds = if tag > 0 { model.costs.tag.seconds() } else { 0.0 };
    rows as f64 * model.costs.row.seconds() + tag_seconds
}
