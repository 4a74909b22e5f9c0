//! Complete keys, and the uids that stand for them.

use super::{Created, KeyId, KeyStore, Shelf, Uid, Upload, failed};
use crate::error::{Error, Result};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutPayload};

impl KeyStore {
    /// Stores a verified key. That it is there already is success: its name is its content.
    ///
    /// # Errors
    /// `store_failed`.
    pub async fn put(&self, shelf: &Shelf, id: &KeyId, framed_key: Bytes) -> Result<()> {
        self.create(&shelf.key(id), framed_key).await.map(drop)
    }

    /// The framed key, or `None` where this owner has none of that id.
    ///
    /// # Errors
    /// `store_failed`.
    pub async fn get(&self, shelf: &Shelf, id: &KeyId) -> Result<Option<Bytes>> {
        self.read(&shelf.key(id)).await
    }

    /// # Errors
    /// `store_failed`.
    pub async fn exists(&self, shelf: &Shelf, id: &KeyId) -> Result<bool> {
        let at = shelf.key(id);
        match self.objects.head(&at).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("looking for a key", &at, &error)),
        }
    }

    /// Forgets a key and what was staged of it; tells whether there was anything.
    ///
    /// # Errors
    /// `store_failed`.
    pub async fn delete(&self, shelf: &Shelf, id: &KeyId) -> Result<bool> {
        let parts = self.discard(shelf, &Upload::from(id)).await?;
        Ok(self.remove(&shelf.key(id)).await? || parts > 0)
    }

    /// Records which key a uid stands for.
    ///
    /// # Errors
    /// `store_failed`.
    pub async fn put_uid(&self, shelf: &Shelf, uid: &Uid, id: &KeyId) -> Result<()> {
        self.create(&shelf.uid(uid), Bytes::copy_from_slice(id.as_str().as_bytes())).await.map(drop)
    }

    /// The key that a uid stands for, or `None` where it has not been completed or was never given out.
    ///
    /// # Errors
    /// `store_failed`.
    pub async fn uid(&self, shelf: &Shelf, uid: &Uid) -> Result<Option<KeyId>> {
        let Some(bytes) = self.read(&shelf.uid(uid)).await? else { return Ok(None) };
        let id = std::str::from_utf8(&bytes).ok().and_then(|text| KeyId::parse(text).ok());
        id.map(Some).ok_or_else(|| Error::fault("store_failed", "a uid in the key store names no key"))
    }

    pub(super) async fn read(&self, at: &Path) -> Result<Option<Bytes>> {
        let bytes = async { self.objects.get(at).await?.bytes().await };
        match bytes.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("reading", at, &error)),
        }
    }

    /// Writes an object that nobody may have written before.
    pub(super) async fn create(&self, at: &Path, bytes: Bytes) -> Result<Created> {
        match self.objects.put_opts(at, PutPayload::from_bytes(bytes), PutMode::Create.into()).await {
            Ok(_) => Ok(Created::Now),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::Before),
            Err(error) => Err(failed("writing", at, &error)),
        }
    }

    /// Deletes an object; tells whether it was there.
    pub(super) async fn remove(&self, at: &Path) -> Result<bool> {
        // Some stores succeed at deleting what they do not have.
        match self.objects.head(at).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(failed("deleting", at, &error)),
        }
        match self.objects.delete(at).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("deleting", at, &error)),
        }
    }
}
