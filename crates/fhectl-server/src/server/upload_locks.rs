//! Locks that make the steps of one upload follow each other.

use crate::store::{KeyNamespace, UploadId};
use std::hash::{BuildHasher, RandomState};
use tokio::sync::{Mutex, MutexGuard};

/// Locks by upload. They spare conflicts and second looks on this server; nothing relies on them, as other servers have
/// their own. Uploads share them by chance, which only costs time.
pub(super) struct UploadLocks {
    all: Vec<Mutex<()>>,
    /// Of this process: nobody can choose keys that share a lock.
    hasher: RandomState,
}

impl UploadLocks {
    pub fn new() -> Self {
        Self { all: (0..256).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    pub async fn lock(&self, namespace: &KeyNamespace, upload: &UploadId) -> MutexGuard<'_, ()> {
        let at = self.hasher.hash_one((namespace, upload)) as usize % self.all.len();
        self.all[at].lock().await
    }
}
