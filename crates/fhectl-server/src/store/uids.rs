//! The uids of the endpoint form, each standing for a key.

use super::key_store::KeyStore;
use super::names::{KeyId, KeyNamespace, Uid};
use bytes::Bytes;
use fhectl_core::error::Result;

impl KeyStore {
    /// Records which key a uid stands for.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn put_uid(&self, namespace: &KeyNamespace, uid: &Uid, id: &KeyId) -> Result<()> {
        self.create(&namespace.uid(uid).join(id.as_str()), Bytes::new()).await.map(drop)
    }

    /// The key that a uid stands for, or `None` where it has not been completed or was never given out.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn uid(&self, namespace: &KeyNamespace, uid: &Uid) -> Result<Option<KeyId>> {
        let found = self.list(&namespace.uid(uid)).await?;
        Ok(found.iter().find_map(|meta| KeyId::parse(meta.location.filename()?).ok()))
    }

    /// Forgets the uids that stand for a key.
    pub(super) async fn forget_uids(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<()> {
        let all = self.list(&namespace.folder("uids")).await?;
        let of_key = all.into_iter().map(|meta| meta.location).filter(|at| at.filename() == Some(id.as_str()));
        self.remove_all(&of_key.collect::<Vec<_>>()).await
    }
}
