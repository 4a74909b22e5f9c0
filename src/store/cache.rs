//! Unpacked keys in memory, bounded in bytes.

use super::{KeyId, Shelf};
use crate::circuit::plan::EvaluationKey;
use crate::error::{Error, Result};
use moka::future::Cache;
use std::sync::Arc;

/// The keys that were used last. Many requests for one absent key load it once.
pub struct KeyCache {
    keys: Cache<(Shelf, KeyId), Held>,
}

#[derive(Clone)]
struct Held {
    key: Arc<EvaluationKey>,
    /// What it weighs.
    kib: u32,
}

impl Held {
    fn new(key: EvaluationKey, bytes: usize) -> Self {
        Self { key: Arc::new(key), kib: u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX) }
    }
}

impl KeyCache {
    /// Holds keys of up to `bytes` bytes together. A key beyond that is loaded anew for every request.
    pub fn new(bytes: u64) -> Self {
        let keys = Cache::builder().weigher(|_, held: &Held| held.kib).max_capacity(bytes.div_ceil(1024)).build();
        Self { keys }
    }

    /// The key, from memory or from `load`, which runs once however many ask; `bytes` is what it weighs unpacked.
    ///
    /// # Errors
    /// What `load` says.
    pub async fn get(
        &self,
        shelf: &Shelf,
        id: &KeyId,
        bytes: usize,
        load: impl Future<Output = Result<EvaluationKey>>,
    ) -> Result<Arc<EvaluationKey>> {
        let held = async { Ok::<_, Error>(Held::new(load.await?, bytes)) };
        match self.keys.try_get_with((shelf.clone(), id.clone()), held).await {
            Ok(held) => Ok(held.key),
            Err(error) => Err((*error).clone()),
        }
    }

    /// Keeps a key that was unpacked to verify it: it is likely to be used next.
    pub async fn keep(&self, shelf: &Shelf, id: &KeyId, bytes: usize, key: EvaluationKey) {
        self.keys.insert((shelf.clone(), id.clone()), Held::new(key, bytes)).await;
    }

    /// How many keys are in memory.
    pub fn count(&self) -> u64 {
        self.keys.entry_count()
    }

    pub async fn forget(&self, shelf: &Shelf, id: &KeyId) {
        self.keys.invalidate(&(shelf.clone(), id.clone())).await;
    }
}
