//! Evaluation keys of clients: uploads in parts, verification, and keys to compute with. No HTTP.

use super::compute::{ComputePool, Permit};
use super::config::KeyPolicy;
use super::fair_queue::FlowId;
use super::metrics::ServerMetrics;
use super::models::HostedModel;
use super::upload_locks::UploadLocks;
use crate::store::{
    CacheConfig, HeldKey, KeyCache, KeyId, KeyNamespace, KeyStore, Loaded, Reservation, Swept, UploadId, incomplete,
};
use bytes::Bytes;
use fhectl_core::circuit::EvaluationKey;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{KeyStatus, PartStatus, UploadState};
use fhectl_core::protocol::frame::{KEY_HEADER, read_key};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// The keys of all clients, in the store and in memory.
pub(super) struct KeyService {
    pub(super) store: KeyStore,
    pub(super) cache: KeyCache,
    pub(super) locks: UploadLocks,
    compute: Arc<ComputePool>,
    metrics: Arc<ServerMetrics>,
    policy: KeyPolicy,
}

impl KeyService {
    /// `cache_bytes` bounds the keys in memory, those on their way in included.
    pub fn new(
        store: KeyStore,
        cache_bytes: u64,
        policy: KeyPolicy,
        compute: Arc<ComputePool>,
        metrics: Arc<ServerMetrics>,
    ) -> Self {
        let cache = CacheConfig { bytes: cache_bytes, revalidate: policy.revalidate, grace: policy.grace };
        let cache = KeyCache::new(store.clone(), cache);
        Self { store, cache, locks: UploadLocks::new(), compute, metrics, policy }
    }

    /// Stages one part of a key; the same part twice is success, and so is one that comes after the key is complete.
    ///
    /// # Errors
    /// `key_needless`, `key_invalid`, `format_version` or `wrong_model` where the first part is not the beginning of
    /// this model's key, `quota_exceeded`, what [`KeyStore::put_part`] says.
    pub async fn put_part(
        &self,
        model: &HostedModel,
        namespace: &KeyNamespace,
        id: &KeyId,
        index: u32,
        bytes: Bytes,
    ) -> Result<PartStatus> {
        check_keyed(model)?;
        let status = PartStatus { index, bytes: bytes.len() as u64 };
        let upload = UploadId::from(id);
        let _turn = self.locks.lock(namespace, &upload).await;
        // A part that comes late, when the key is complete, has nothing to add.
        if !self.store.exists(namespace, id).await? {
            if index == 0 {
                check_begin(model, &bytes)?;
            }
            self.check_quota(namespace, &upload, Some(model.key_len())).await?;
            let put = self.store.put_part(namespace, &upload, index, bytes, model.key_len()).await;
            self.or_complete(namespace, id, put).await?;
        }
        Ok(status)
    }

    /// How far a key has come.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn status(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<KeyStatus> {
        if self.store.exists(namespace, id).await? {
            return Ok(complete_status(id));
        }
        let parts = self.store.parts(namespace, &UploadId::from(id)).await?;
        if parts.is_empty() && self.store.exists(namespace, id).await? {
            // It was completed, and its parts dropped, between the two looks.
            return Ok(complete_status(id));
        }
        let state = if parts.is_empty() { UploadState::Absent } else { UploadState::Partial };
        Ok(KeyStatus { key_id: id.to_string(), state, parts })
    }

    /// Verifies the parts of a key together and makes it usable.
    ///
    /// # Errors
    /// `key_needless`, `key_incomplete`, `busy`, what [`KeyService::accept`] says.
    pub async fn complete(&self, model: &Arc<HostedModel>, namespace: &KeyNamespace, id: &KeyId) -> Result<KeyStatus> {
        check_keyed(model)?;
        let upload = UploadId::from(id);
        let _turn = self.locks.lock(namespace, &upload).await;
        if !self.store.exists(namespace, id).await? {
            let put = self.put_together(model, namespace, id).await;
            self.or_complete(namespace, id, put).await?;
        }
        Ok(complete_status(id))
    }

    /// Makes a key of its parts.
    async fn put_together(&self, model: &Arc<HostedModel>, namespace: &KeyNamespace, id: &KeyId) -> Result<()> {
        let upload = UploadId::from(id);
        let arrival = self.arrival(model, namespace, &upload).await?;
        let whole = self.store.assemble(namespace, &upload, model.key_len()).await?;
        if whole.len() < model.key_len() {
            return Err(incomplete(format!("{} of {} bytes are here", whole.len(), model.key_len())));
        }
        self.accept(arrival, whole.into(), Some(id.clone())).await?;
        self.store.discard(namespace, &upload).await.map(drop)
    }

    /// What failed because another server completed the key meanwhile did not fail.
    async fn or_complete(&self, namespace: &KeyNamespace, id: &KeyId, outcome: Result<()>) -> Result<()> {
        match outcome {
            Err(error)
                if matches!(
                    error.code,
                    ErrorCode::KeyIncomplete
                        | ErrorCode::KeyMismatch
                        | ErrorCode::KeyTooLarge
                        | ErrorCode::PartConflict
                ) =>
            {
                if self.store.exists(namespace, id).await? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            outcome => outcome,
        }
    }

    /// Forgets a key and what was staged of it.
    ///
    /// # Errors
    /// `key_unknown`, `store_unavailable`, `store_failed`.
    pub async fn delete(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<()> {
        let _turn = self.locks.lock(namespace, &UploadId::from(id)).await;
        let there = self.store.delete(namespace, id).await?;
        self.cache.forget(namespace, id);
        if there { Ok(()) } else { Err(unknown()) }
    }

    /// Refuses the first part of an upload that its owner has no room for, before the rest of it travels.
    ///
    /// # Errors
    /// `quota_exceeded`, `store_unavailable`, `store_failed`.
    pub(super) async fn check_quota(
        &self,
        namespace: &KeyNamespace,
        upload: &UploadId,
        bytes: Option<usize>,
    ) -> Result<()> {
        let quota = self.policy.quota;
        if quota.is_unlimited() || !self.store.parts(namespace, upload).await?.is_empty() {
            return Ok(());
        }
        self.store.check_begin(&namespace.owner, quota, bytes).await
    }

    /// Takes what is needed before a whole key is put together in memory.
    ///
    /// # Errors
    /// `busy`, `deadline`.
    pub(super) async fn arrival<'a>(
        &self,
        model: &'a Arc<HostedModel>,
        namespace: &'a KeyNamespace,
        upload: &'a UploadId,
    ) -> Result<Arrival<'a>> {
        let flow = FlowId::of_key(&namespace.owner, upload.clone());
        let permit = self.compute.admit(flow, model.costs.key.seconds(), None)?;
        let memory = self.cache.reserve(model.key_footprint()).await?;
        Ok(Arrival { model, namespace, upload, permit, memory })
    }

    /// Verifies a whole framed key and makes it visible; it can be used when this returns. Where the key itself is
    /// refused, the upload is dropped, so that a corrected one can begin.
    ///
    /// # Errors
    /// `key_mismatch` where the SHA-256 is not the id `wanted`, what [`read_key`] and the circuit say of the key,
    /// `quota_exceeded`, `store_unavailable`, `store_failed`.
    pub(super) async fn accept(&self, arrival: Arrival<'_>, framed: Bytes, wanted: Option<KeyId>) -> Result<KeyId> {
        let Arrival { model, namespace, upload, permit, memory } = arrival;
        let (bytes, own) = (framed.clone(), model.clone());
        let done = self.compute.run_once(&permit, move || verify(&own, &bytes, wanted)).await?;
        match done.value {
            Ok((id, key)) => {
                model.costs.key.learn(done.took.as_secs_f64());
                self.metrics.keys_accepted.inc();
                let quota = self.policy.quota;
                if !quota.is_unlimited() && !self.store.exists(namespace, &id).await? {
                    self.store.check_complete(namespace, upload, quota, model.key_len()).await?;
                }
                let asked = Instant::now();
                let wire = model.keeps_wire.then(|| framed.clone());
                self.store.put(namespace, &id, framed).await?;
                let loaded = Loaded { key, wire, completed: SystemTime::now() };
                self.cache.keep((namespace, &id), model.key_footprint(), loaded, memory, asked).await;
                Ok(id)
            }
            Err(error) => {
                self.store.discard(namespace, upload).await?;
                Err(error)
            }
        }
    }

    /// A key to compute with, from memory or from the store.
    ///
    /// # Errors
    /// `key_unknown`, `key_damaged` where the store gives back other bytes than it was given, `busy`,
    /// `store_unavailable`, `store_failed`.
    pub async fn load(
        &self,
        permit: &Permit,
        model: &Arc<HostedModel>,
        namespace: &KeyNamespace,
        id: &KeyId,
    ) -> Result<Arc<HeldKey>> {
        let missed = AtomicBool::new(false);
        let load = async {
            missed.store(true, Ordering::Relaxed);
            let found = self.store.get(namespace, id, model.key_len()).await?;
            let (framed, completed) = found.ok_or_else(unknown)?;
            let (own, wanted) = (model.clone(), id.clone());
            let wire = model.keeps_wire.then(|| framed.clone());
            let verdict = self.compute.run_once(permit, move || verify(&own, &framed, Some(wanted))).await?.value;
            match verdict {
                Ok((_, key)) => Ok(Loaded { key, wire, completed }),
                Err(error) => {
                    tracing::error!(key = id.as_str(), code = error.code.as_str(), "a stored key is damaged");
                    Err(Error::new(ErrorCode::KeyDamaged, "the stored evaluation key is damaged")
                        .hint("forget it (DELETE the key) and send it again"))
                }
            }
        };
        let key = self.cache.get(namespace, id, model.key_footprint(), load).await?;
        let missed = missed.load(Ordering::Relaxed);
        if missed { &self.metrics.cache_misses } else { &self.metrics.cache_hits }.inc();
        Ok(key)
    }

    /// Keys in memory.
    pub fn cached(&self) -> usize {
        self.cache.count()
    }

    /// Drops what nobody will come back for.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn sweep(&self) -> Result<Swept> {
        self.store.sweep(self.policy.upload_ttl).await
    }

    /// The shortest time that something may lie in the store.
    pub fn shortest_ttl(&self) -> Duration {
        self.policy.upload_ttl.min(self.store.key_ttl().unwrap_or(Duration::MAX))
    }
}

/// A whole key that is about to be verified and made visible.
pub(super) struct Arrival<'a> {
    model: &'a Arc<HostedModel>,
    namespace: &'a KeyNamespace,
    upload: &'a UploadId,
    permit: Permit,
    memory: Reservation,
}

fn complete_status(id: &KeyId) -> KeyStatus {
    KeyStatus { key_id: id.to_string(), state: UploadState::Complete, parts: Vec::new() }
}

/// Refuses what is not the beginning of this model's key before the rest of it travels.
///
/// # Errors
/// `key_invalid`, `format_version` or `wrong_model`.
pub(super) fn check_begin(model: &HostedModel, first: &[u8]) -> Result<()> {
    if first.len() < KEY_HEADER { Ok(()) } else { read_key(model.id(), first).map(drop) }
}

fn verify(model: &HostedModel, framed: &[u8], wanted: Option<KeyId>) -> Result<(KeyId, EvaluationKey)> {
    let id = KeyId::of(framed);
    if wanted.is_some_and(|wanted| wanted != id) {
        return Err(Error::new(ErrorCode::KeyMismatch, "the key's SHA-256 is not the id it was sent under")
            .hint("it was damaged on the way; send it again from part 0"));
    }
    let body = read_key(model.id(), framed)?;
    let key = model.evaluator.unpack_key(body, &mut Random::fresh(&mut OsEntropy))?.named(id.bytes());
    Ok((id, key))
}

pub(super) fn unknown() -> Error {
    Error::new(ErrorCode::KeyUnknown, "no evaluation key of this id is here")
        .hint("send it first: PUT its parts, then POST to /v1/models/{name}/keys/{key id}")
}

/// Refuses keys for a model that needs none.
///
/// # Errors
/// `key_needless`.
pub(super) fn check_keyed(model: &HostedModel) -> Result<()> {
    if model.no_key.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::KeyNeedless, "this model needs no evaluation key").hint("send inputs right away"))
}

#[cfg(test)]
#[path = "key_service_tests.rs"]
mod tests;
