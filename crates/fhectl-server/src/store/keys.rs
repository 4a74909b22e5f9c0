//! Complete keys.

use super::key_store::KeyStore;
use super::names::{KeyId, KeyNamespace, UploadId};
use super::objects::{Created, LOOKUP_TIMEOUT, OPERATION_TIMEOUT};
use bytes::Bytes;
use fhectl_core::error::Result;
use std::time::SystemTime;

impl KeyStore {
    /// Stores a verified key. That it is there already is success: its name is its content. One that is only there
    /// because nobody swept it yet is written over with the same bytes, which makes it new.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn put(&self, namespace: &KeyNamespace, id: &KeyId, framed_key: Bytes) -> Result<()> {
        let at = namespace.key(id);
        if self.create(&at, framed_key.clone()).await? == Created::Now {
            return Ok(());
        }
        let there = self.head(&at, OPERATION_TIMEOUT).await?;
        if there.is_some_and(|meta| meta.size == framed_key.len() as u64 && !self.expired(meta.last_modified.into())) {
            return Ok(());
        }
        self.overwrite(&at, framed_key).await.map(drop)
    }

    /// The framed key and when it was completed, or `None` where this owner has none of that id.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn get(
        &self,
        namespace: &KeyNamespace,
        id: &KeyId,
        expected: usize,
    ) -> Result<Option<(Bytes, SystemTime)>> {
        let found = self.read(&namespace.key(id), expected).await?;
        Ok(found.filter(|(_, completed)| !self.expired(*completed)))
    }

    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn exists(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<bool> {
        let meta = self.head(&namespace.key(id), OPERATION_TIMEOUT).await?;
        Ok(meta.is_some_and(|meta| !self.expired(meta.last_modified.into())))
    }

    /// When a key was completed, for whoever has it in memory and can do without an answer.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub(super) async fn still_there(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<Option<SystemTime>> {
        let meta = self.head(&namespace.key(id), LOOKUP_TIMEOUT).await?;
        Ok(meta.map(|meta| meta.last_modified.into()).filter(|completed| !self.expired(*completed)))
    }

    /// Forgets a key, what was staged of it and the uids that stand for it; tells whether there was anything.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn delete(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<bool> {
        // The key first: it is what must stop working.
        let there = self.remove(&namespace.key(id)).await?;
        let parts = self.discard(namespace, &UploadId::from(id)).await?;
        self.forget_uids(namespace, id).await?;
        Ok(there || parts > 0)
    }
}
