//! How any object of the store is read, written, listed and removed. No operation takes for ever, and a store that is
//! down is not asked by everyone.

use super::key_store::KeyStore;
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutPayload};
use std::time::{Duration, SystemTime};

/// The longest that an operation may take, besides a second for every MiB that it moves.
pub(super) const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for asking whether a key that is in memory is still there: an answer is at hand without it.
pub(super) const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// The slowest that content may move, in bytes a second.
const MIN_BYTES_PER_SECOND: u64 = 1 << 20;

/// Whether a create-only write was the first of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    Now,
    Before,
}

/// How long an operation may take that moves so many bytes.
fn transfer_timeout(bytes: usize) -> Duration {
    OPERATION_TIMEOUT + Duration::from_secs(bytes as u64 / MIN_BYTES_PER_SECOND)
}

impl KeyStore {
    /// Runs one operation of the store within `timeout`. Absent objects and those that are there already are no
    /// failures of the store, and left to the caller.
    ///
    /// # Errors
    /// `store_unavailable` where the store does not answer or says that it cannot now, `store_failed` where it refuses.
    pub(super) async fn ask<T>(
        &self,
        doing: &str,
        at: &Path,
        timeout: Duration,
        operation: impl Future<Output = object_store::Result<T>>,
    ) -> Result<object_store::Result<T>> {
        let Some(attempt) = self.breaker.attempt(timeout) else {
            return Err(unavailable(doing));
        };
        let outcome = tokio::time::timeout(timeout, operation).await;
        use object_store::Error as E;
        match outcome {
            Ok(outcome @ (Ok(_) | Err(E::NotFound { .. } | E::AlreadyExists { .. } | E::Precondition { .. }))) => {
                if attempt.succeeded() {
                    tracing::info!("the key store answers again");
                }
                Ok(outcome)
            }
            Ok(Err(error @ (E::PermissionDenied { .. } | E::Unauthenticated { .. }))) => {
                attempt.succeeded();
                tracing::error!(%at, %error, "key store: {doing} was refused");
                Err(Error::new(ErrorCode::StoreFailed, format!("the key store refused {doing}"))
                    .hint("the operator finds the cause in the server's log"))
            }
            // One over a network is reported when it goes down, not by all who find it so.
            failed => {
                let (error, down) = match failed {
                    Ok(Err(error)) => (error.to_string(), self.remote),
                    _ => (format!("no answer within {} s", timeout.as_secs()), true),
                };
                let news = if down { attempt.failed() } else { attempt.succeeded() };
                if news || !down {
                    tracing::error!(%at, error, "key store: {doing} failed");
                } else {
                    tracing::debug!(%at, error, "key store: {doing} failed");
                }
                Err(unavailable(doing))
            }
        }
    }

    /// [`KeyStore::ask`], where an absent object is `None`.
    pub(super) async fn ask_for<T>(
        &self,
        doing: &str,
        at: &Path,
        timeout: Duration,
        operation: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>> {
        match self.ask(doing, at, timeout, operation).await? {
            Ok(value) => Ok(Some(value)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => {
                tracing::error!(%at, %error, "key store: {doing} failed");
                Err(unavailable(doing))
            }
        }
    }

    /// What is known of an object without reading it.
    pub(super) async fn head(&self, at: &Path, timeout: Duration) -> Result<Option<ObjectMeta>> {
        self.ask_for("looking for a key", at, timeout, self.objects.head(at)).await
    }

    /// The object and when it was written; what is much longer than `expected` bytes is none of ours.
    pub(super) async fn read(&self, at: &Path, expected: usize) -> Result<Option<(Bytes, SystemTime)>> {
        let bytes = async {
            let found = self.objects.get(at).await?;
            let (size, written) = (found.meta.size, found.meta.last_modified.into());
            Ok(if size > expected as u64 { (size, None) } else { (size, Some((found.bytes().await?, written))) })
        };
        match self.ask_for("reading", at, transfer_timeout(expected), bytes).await? {
            None => Ok(None),
            Some((_, Some(read))) => Ok(Some(read)),
            Some((size, None)) => {
                tracing::error!(%at, size, expected, "key store: an object is longer than it can be");
                Err(Error::new(ErrorCode::KeyDamaged, "the stored evaluation key is damaged")
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
        match self.head(at, OPERATION_TIMEOUT).await? {
            Some(_) => Ok(Created::Before),
            None => self.overwrite(at, bytes).await,
        }
    }

    /// Writes an object, whatever stood there.
    pub(super) async fn overwrite(&self, at: &Path, bytes: Bytes) -> Result<Created> {
        self.write(at, bytes, PutMode::Overwrite).await
    }

    async fn write(&self, at: &Path, bytes: Bytes, mode: PutMode) -> Result<Created> {
        let timeout = transfer_timeout(bytes.len());
        let written = self.objects.put_opts(at, PutPayload::from_bytes(bytes), mode.into());
        match self.ask("writing", at, timeout, written).await? {
            Ok(_) => Ok(Created::Now),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::Before),
            Err(error) => {
                tracing::error!(%at, %error, "key store: writing failed");
                Err(Error::new(ErrorCode::StoreFailed, "the key store refused writing")
                    .hint("the operator finds the cause in the server's log"))
            }
        }
    }

    /// Deletes an object for good; tells whether it was there.
    pub(super) async fn remove(&self, at: &Path) -> Result<bool> {
        // Some stores succeed at deleting what they do not have.
        if self.head(at, OPERATION_TIMEOUT).await?.is_none() {
            return Ok(false);
        }
        let there = self.ask_for("deleting", at, OPERATION_TIMEOUT, self.objects.delete(at)).await?.is_some();
        self.sync_folder_of(at).await?;
        Ok(there)
    }

    /// Deletes objects whose coming back after a power failure would do no harm.
    pub(super) async fn remove_all(&self, all: &[Path]) -> Result<()> {
        for at in all {
            self.ask_for("deleting", at, OPERATION_TIMEOUT, self.objects.delete(at)).await?;
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
        self.ask_for("deleting", at, OPERATION_TIMEOUT, sync).await.map(drop)
    }

    /// The next of a listing.
    pub(super) async fn next_of(
        &self,
        listing: &mut BoxStream<'static, object_store::Result<ObjectMeta>>,
        at: &Path,
    ) -> Result<Option<ObjectMeta>> {
        Ok(self.ask_for("listing", at, OPERATION_TIMEOUT, listing.try_next()).await?.flatten())
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
        let listed = self.ask_for("listing", at, OPERATION_TIMEOUT, self.objects.list_with_delimiter(Some(at))).await?;
        Ok(listed.map_or_else(Vec::new, |listed| listed.common_prefixes))
    }
}

/// What a store says may hold paths and hosts of the operator's, so it goes to the log only.
fn unavailable(doing: &str) -> Error {
    Error::new(ErrorCode::StoreUnavailable, format!("the key store cannot be reached for {doing}"))
        .hint("try again after a short wait; if it stays, the operator finds the cause in the server's log")
}
