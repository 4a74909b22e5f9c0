//! Evaluation keys by uid, as the endpoint form has it.
//!
//! The pieces of a key are staged in the order they arrive; the last one completes it. Nothing of the last piece is
//! staged, so a client may send it again where the server was busy.

use super::key_service::{KeyService, check_begin};
use super::models::HostedModel;
use crate::store::{KeyId, KeyNamespace, Uid, UploadId, check_total, incomplete};
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::PartStatus;
use fhectl_core::protocol::frame::KEY_HEADER;
use std::sync::Arc;

impl KeyService {
    /// Begins a key with its first piece; where that is all of it, the key can be used when this returns.
    ///
    /// # Errors
    /// `key_invalid`, `format_version`, `wrong_model`, `key_too_large`, `quota_exceeded`, `busy`, what
    /// [`KeyService::accept`] says.
    pub async fn save(&self, model: &Arc<HostedModel>, namespace: &KeyNamespace, piece: Bytes) -> Result<Uid> {
        let uid = Uid::fresh(&mut OsEntropy);
        if model.no_key.is_some() {
            check_needless(&piece)?;
            return Ok(uid);
        }
        let upload = UploadId::from(&uid);
        let _turn = self.locks.lock(namespace, &upload).await;
        check_begin(model, &piece)?;
        self.check_quota(namespace, &upload, None).await?;
        self.stage(model, namespace, &uid, &[], piece).await?;
        Ok(uid)
    }

    /// Adds a piece to a key; the one that reaches the key's length completes it.
    ///
    /// # Errors
    /// `uid_unknown`, `key_complete`, otherwise as [`KeyService::save`].
    pub async fn append(
        &self,
        model: &Arc<HostedModel>,
        namespace: &KeyNamespace,
        uid: &Uid,
        piece: Bytes,
    ) -> Result<()> {
        if model.no_key.is_some() {
            return check_needless(&piece);
        }
        let upload = UploadId::from(uid);
        let _turn = self.locks.lock(namespace, &upload).await;
        let parts = self.store.parts(namespace, &upload).await?;
        if self.store.uid(namespace, uid).await?.is_some() {
            return Err(Error::new(
                ErrorCode::KeyComplete,
                "the evaluation key of this uid is complete; nothing can be appended",
            )
            .hint("use it, or begin another with save_key"));
        }
        if parts.is_empty() {
            return Err(unknown_uid());
        }
        self.stage(model, namespace, uid, &parts, piece).await
    }

    /// Stages a piece after the `parts` that are here, or puts the key together with it where it is the last.
    async fn stage(
        &self,
        model: &Arc<HostedModel>,
        namespace: &KeyNamespace,
        uid: &Uid,
        parts: &[PartStatus],
        piece: Bytes,
    ) -> Result<()> {
        let upload = UploadId::from(uid);
        let total = parts.iter().map(|part| part.bytes).sum::<u64>() + piece.len() as u64;
        check_total(total, model.key_len())?;
        if total < model.key_len() as u64 {
            return self.store.put_part(namespace, &upload, parts.len() as u32, piece, model.key_len()).await;
        }
        let arrival = self.arrival(model, namespace, &upload).await?;
        let whole = if parts.is_empty() {
            piece
        } else {
            let mut whole = self.store.assemble(namespace, &upload, model.key_len()).await?;
            whole.extend_from_slice(&piece);
            whole.into()
        };
        let id = self.accept(arrival, whole, None).await?;
        self.store.put_uid(namespace, uid, &id).await?;
        self.store.discard(namespace, &upload).await.map(drop)
    }

    /// The key that a uid stands for; `None` where the model needs none.
    ///
    /// # Errors
    /// `uid_unknown`, `key_incomplete`, `store_unavailable`, `store_failed`.
    pub async fn resolve(&self, model: &HostedModel, namespace: &KeyNamespace, uid: &Uid) -> Result<Option<KeyId>> {
        if model.no_key.is_some() {
            return Ok(None);
        }
        if let Some(id) = self.cache.uid(namespace, uid).await? {
            return Ok(Some(id));
        }
        let parts = self.store.parts(namespace, &UploadId::from(uid)).await?;
        let here: u64 = parts.iter().map(|part| part.bytes).sum();
        if here == 0 {
            return Err(unknown_uid());
        }
        Err(incomplete(format!("{here} of {} bytes are here", model.key_len())))
    }
}

/// Such clients always send a key; one without a body is all there is to send.
fn check_needless(piece: &[u8]) -> Result<()> {
    check_total(piece.len() as u64, KEY_HEADER)
}

pub(super) fn unknown_uid() -> Error {
    Error::new(ErrorCode::UidUnknown, "no evaluation key of this uid is here")
        .hint("begin with save_key and use the uid it returns")
}
