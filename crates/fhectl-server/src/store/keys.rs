//! Complete keys, and how any object is read, written and removed.

use super::reach::{PATIENCE, SHORT_PATIENCE, patience_for};
use super::{Created, KeyId, KeyStore, Shelf, Upload};
use bytes::Bytes;
use fhectl_core::error::{Error, Result};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutPayload};
use std::time::{Duration, SystemTime};

impl KeyStore {
    /// Stores a verified key. That it is there already is success: its name is its content. One that is only there
    /// because nobody swept it yet is written over with the same bytes, which makes it new.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn put(&self, shelf: &Shelf, id: &KeyId, framed_key: Bytes) -> Result<()> {
        let at = shelf.key(id);
        if self.create(&at, framed_key.clone()).await? == Created::Now {
            return Ok(());
        }
        let there = self.head(&at, PATIENCE).await?;
        if there.is_some_and(|meta| meta.size == framed_key.len() as u64 && !self.expired(meta.last_modified.into())) {
            return Ok(());
        }
        self.write(&at, framed_key, PutMode::Overwrite).await.map(drop)
    }

    /// The framed key and when it was completed, or `None` where this owner has none of that id.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn get(&self, shelf: &Shelf, id: &KeyId, expected: usize) -> Result<Option<(Bytes, SystemTime)>> {
        let found = self.read(&shelf.key(id), expected).await?;
        Ok(found.filter(|(_, completed)| !self.expired(*completed)))
    }

    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn exists(&self, shelf: &Shelf, id: &KeyId) -> Result<bool> {
        let meta = self.head(&shelf.key(id), PATIENCE).await?;
        Ok(meta.is_some_and(|meta| !self.expired(meta.last_modified.into())))
    }

    /// When a key was completed, for whoever has it in memory and can do without an answer.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub(super) async fn still_there(&self, shelf: &Shelf, id: &KeyId) -> Result<Option<SystemTime>> {
        let meta = self.head(&shelf.key(id), SHORT_PATIENCE).await?;
        Ok(meta.map(|meta| meta.last_modified.into()).filter(|completed| !self.expired(*completed)))
    }

    /// Forgets a key, what was staged of it and the uids that stand for it; tells whether there was anything.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn delete(&self, shelf: &Shelf, id: &KeyId) -> Result<bool> {
        // The key first: it is what must stop working.
        let there = self.remove(&shelf.key(id)).await?;
        let parts = self.discard(shelf, &Upload::from(id)).await?;
        self.forget_uids(shelf, id).await?;
        Ok(there || parts > 0)
    }

    async fn head(&self, at: &Path, patience: Duration) -> Result<Option<ObjectMeta>> {
        self.ask_for("looking for a key", at, patience, self.objects.head(at)).await
    }

    /// The object and when it was written; what is much longer than `expected` bytes is none of ours.
    pub(super) async fn read(&self, at: &Path, expected: usize) -> Result<Option<(Bytes, SystemTime)>> {
        let bytes = async {
            let found = self.objects.get(at).await?;
            let (size, written) = (found.meta.size, found.meta.last_modified.into());
            Ok(if size > expected as u64 { (size, None) } else { (size, Some((found.bytes().await?, written))) })
        };
        match self.ask_for("reading", at, patience_for(expected), bytes).await? {
            None => Ok(None),
            Some((_, Some(read))) => Ok(Some(read)),
            Some((size, None)) => {
                tracing::error!(%at, size, expected, "key store: an object is longer than it can be");
                Err(Error::fault("key_damaged", "the stored evaluation key is damaged")
                    .hint("forget it (DELETE the key) and send it again"))
            }
        }
    }

    /// Writes an object that nobody may have written before.
    ///
    /// Where the store cannot create without replacing, two that write at the same moment do not see each other. Keys
    /// are the same bytes under one name, and parts that were mixed up do not make the key that their upload names.
    pub(super) async fn create(&self, at: &Path, bytes: Bytes) -> Result<Created> {
        if self.creates {
            return self.write(at, bytes, PutMode::Create).await;
        }
        match self.head(at, PATIENCE).await? {
            Some(_) => Ok(Created::Before),
            None => self.write(at, bytes, PutMode::Overwrite).await,
        }
    }

    async fn write(&self, at: &Path, bytes: Bytes, mode: PutMode) -> Result<Created> {
        let patience = patience_for(bytes.len());
        let written = self.objects.put_opts(at, PutPayload::from_bytes(bytes), mode.into());
        match self.ask("writing", at, patience, written).await? {
            Ok(_) => Ok(Created::Now),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::Before),
            Err(error) => {
                tracing::error!(%at, %error, "key store: writing failed");
                Err(Error::fault("store_failed", "the key store refused writing")
                    .hint("the operator finds the cause in the server's log"))
            }
        }
    }

    /// Deletes an object for good; tells whether it was there.
    pub(super) async fn remove(&self, at: &Path) -> Result<bool> {
        // Some stores succeed at deleting what they do not have.
        if self.head(at, PATIENCE).await?.is_none() {
            return Ok(false);
        }
        let there = self.ask_for("deleting", at, PATIENCE, self.objects.delete(at)).await?.is_some();
        self.sync_folder_of(at).await?;
        Ok(there)
    }

    /// Deletes objects whose coming back after a power failure would do no harm.
    pub(super) async fn remove_all(&self, all: &[Path]) -> Result<()> {
        for at in all {
            self.ask_for("deleting", at, PATIENCE, self.objects.delete(at)).await?;
        }
        Ok(())
    }

    /// Makes a deletion in a folder outlast a power failure: the store itself syncs only what it writes.
    pub(super) async fn sync_folder_of(&self, at: &Path) -> Result<()> {
        let Some(root) = self.folder.clone() else { return Ok(()) };
        let mut folder = root.join(at.as_ref());
        let sync = async move {
            let synced = tokio::task::spawn_blocking(move || {
                // Folders that became empty went too: the deletion is in the first one that is left.
                while folder.pop() && folder.starts_with(&*root) {
                    match std::fs::File::open(&folder) {
                        Ok(open) if cfg!(unix) => return open.sync_all(),
                        Ok(_) => return Ok(()),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            });
            let source = |error| object_store::Error::Generic { store: "folder", source: error };
            match synced.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(source(error.into())),
                Err(error) => Err(source(error.into())),
            }
        };
        self.ask_for("deleting", at, PATIENCE, sync).await.map(drop)
    }

    /// The next of a listing.
    pub(super) async fn next_of(
        &self,
        listing: &mut BoxStream<'static, object_store::Result<ObjectMeta>>,
        at: &Path,
    ) -> Result<Option<ObjectMeta>> {
        Ok(self.ask_for("listing", at, PATIENCE, listing.try_next()).await?.flatten())
    }

    /// All objects below a folder of few.
    pub(super) async fn list(&self, at: &Path) -> Result<Vec<ObjectMeta>> {
        let mut listing = self.objects.list(Some(at));
        let mut found = Vec::new();
        while let Some(meta) = self.next_of(&mut listing, at).await? {
            found.push(meta);
        }
        Ok(found)
    }

    /// The folders right below a folder.
    pub(super) async fn folders(&self, at: &Path) -> Result<Vec<Path>> {
        let listed = self.ask_for("listing", at, PATIENCE, self.objects.list_with_delimiter(Some(at))).await?;
        Ok(listed.map_or_else(Vec::new, |listed| listed.common_prefixes))
    }
}
