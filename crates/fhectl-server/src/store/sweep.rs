//! Sweeping out what nobody will come back for. Any number of servers may sweep one store at once: each only deletes,
//! and what another was faster to delete is no failure.

use super::key_store::KeyStore;
use super::names::{KeyId, KeyNamespace};
use fhectl_core::error::Result;
use object_store::path::Path;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// How old a uid must be to be missed by no completion that is under way.
const UID_AGE: Duration = Duration::from_secs(3600);

/// How many objects were swept out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Parts of uploads that were given up.
    pub parts: usize,
    /// Keys whose time was over.
    pub keys: usize,
    /// Uids of keys that are gone.
    pub uids: usize,
    /// Files that a killed process left half-written, where the store is a folder.
    pub halves: usize,
}

fn is_older(written: SystemTime, than: Duration) -> bool {
    written.elapsed().is_ok_and(|age| age >= than)
}

impl KeyStore {
    /// Drops uploads of which nothing came for `abandoned`, keys whose time is over, and uids without a key.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn sweep(&self, abandoned: Duration) -> Result<Swept> {
        let parts = self.sweep_parts(abandoned).await?;
        let keys = self.sweep_keys().await?;
        let uids = self.sweep_uids().await?;
        Ok(Swept { parts, keys, uids, halves: self.sweep_halves(abandoned).await })
    }

    async fn sweep_parts(&self, abandoned: Duration) -> Result<usize> {
        let mut dropped = 0;
        for namespace in self.namespaces("parts").await? {
            for upload in self.folders(&namespace.folder("parts")).await? {
                let parts = self.list(&upload).await?;
                // The newest counts: a slow upload is not a dead one.
                if parts.iter().all(|part| is_older(part.last_modified.into(), abandoned)) {
                    let all: Vec<Path> = parts.into_iter().map(|part| part.location).collect();
                    self.remove_all(&all).await?;
                    dropped += all.len();
                }
            }
        }
        Ok(dropped)
    }

    async fn sweep_keys(&self) -> Result<usize> {
        let mut dropped = 0;
        if self.key_ttl.is_some() {
            for key in self.inventory().await? {
                if self.expired(key.completed) && self.still_over(&key.namespace, &key.id).await? {
                    dropped += usize::from(self.remove(&key.namespace.key(&key.id)).await?);
                }
            }
        }
        Ok(dropped)
    }

    /// Asked again right before a key is dropped: its owner may have brought it anew since it was listed.
    async fn still_over(&self, namespace: &KeyNamespace, id: &KeyId) -> Result<bool> {
        Ok(!self.exists(namespace, id).await?)
    }

    async fn sweep_uids(&self) -> Result<usize> {
        let mut dropped = 0;
        for namespace in self.namespaces("uids").await? {
            let uids = self.list(&namespace.folder("uids")).await?;
            let keys = self.list(&namespace.folder("keys")).await?;
            let there: BTreeSet<&str> = keys.iter().filter_map(|meta| meta.location.filename()).collect();
            let without: Vec<Path> = uids
                .into_iter()
                .filter(|meta| is_older(meta.last_modified.into(), UID_AGE))
                .map(|meta| meta.location)
                .filter(|at| at.filename().is_none_or(|id| !there.contains(id)))
                .collect();
            self.remove_all(&without).await?;
            dropped += without.len();
        }
        Ok(dropped)
    }

    /// The namespaces that have a folder in a room.
    async fn namespaces(&self, room: &str) -> Result<Vec<KeyNamespace>> {
        let mut namespaces = Vec::new();
        for model in self.folders(&Path::from(room)).await? {
            let owners = self.folders(&model).await?;
            namespaces.extend(owners.iter().filter_map(KeyNamespace::of).map(|(namespace, _)| namespace));
        }
        Ok(namespaces)
    }

    /// Files are written beside their place, as `<name>#<number>`; listings skip them.
    async fn sweep_halves(&self, abandoned: Duration) -> usize {
        let Some(root) = self.folder.clone() else { return 0 };
        let walk = move || {
            let mut dropped = 0;
            let mut folders: Vec<_> = ["keys", "parts", "uids", "budgets"].iter().map(|room| root.join(room)).collect();
            while let Some(mut folder) = folders.pop() {
                let before = dropped;
                for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let Ok(meta) = entry.metadata() else { continue };
                    if meta.is_dir() {
                        folders.push(entry.path());
                        continue;
                    }
                    let name = entry.file_name();
                    let half = name.to_string_lossy().rsplit_once('#').is_some_and(|(_, n)| n.parse::<u64>().is_ok());
                    if half && meta.modified().is_ok_and(|written| is_older(written, abandoned)) {
                        dropped += usize::from(std::fs::remove_file(entry.path()).is_ok());
                    }
                }
                // Folders that this left empty go too; the others refuse to.
                while dropped > before && folder != *root && std::fs::remove_dir(&folder).is_ok() && folder.pop() {}
            }
            dropped
        };
        tokio::task::spawn_blocking(walk).await.unwrap_or(0)
    }
}
