//! Unpacked keys in memory, bounded in bytes: those that are kept, and those that are in use besides.

use super::{KeyId, Shelf};
use crate::circuit::plan::EvaluationKey;
use crate::error::{Error, Result};
use moka::future::Cache;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How often those that wait for room look whether the cache has let go of something.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The keys that were used last. Many requests for one absent key load it once.
pub struct KeyCache {
    keys: Cache<(Shelf, KeyId), Held>,
    /// KiB that may still be unpacked.
    free: Arc<Semaphore>,
    most_kib: usize,
}

#[derive(Clone)]
struct Held {
    key: Arc<Unpacked>,
    /// What it weighs.
    kib: u32,
}

/// A key in memory. Its room is free again when the cache and the last request that uses it have let go.
pub struct Unpacked {
    key: EvaluationKey,
    _room: Option<KeyRoom>,
}

/// The right to unpack a key of some size.
pub struct KeyRoom(#[expect(dead_code, reason = "given back when it is dropped")] OwnedSemaphorePermit);

impl Unpacked {
    /// A key that is held as long as the server runs.
    pub fn resident(key: EvaluationKey) -> Self {
        Self { key, _room: None }
    }
}

impl Deref for Unpacked {
    type Target = EvaluationKey;

    fn deref(&self) -> &EvaluationKey {
        &self.key
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

impl KeyCache {
    /// Holds keys of up to `bytes` bytes together, and lets `in_use` more be in memory while requests use them. A key
    /// beyond `bytes` is loaded anew for every request.
    pub fn new(bytes: u64, in_use: u64) -> Self {
        let keys = Cache::builder().weigher(|_, held: &Held| held.kib).max_capacity(bytes.div_ceil(1024)).build();
        let most = bytes.saturating_add(in_use).div_ceil(1024);
        let most_kib = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { keys, free: Arc::new(Semaphore::new(most_kib)), most_kib }
    }

    /// Waits for room to unpack a key of `bytes` bytes. What the cache holds beyond its bound is let go for it.
    pub async fn room(&self, bytes: usize) -> KeyRoom {
        let kib = kib(bytes).min(u32::try_from(self.most_kib).unwrap_or(u32::MAX));
        loop {
            if let Ok(room) = self.free.clone().try_acquire_many_owned(kib) {
                return KeyRoom(room);
            }
            // The cache drops what is too much only when it is asked to.
            self.keys.run_pending_tasks().await;
            if let Ok(Ok(room)) = timeout(LOOK_EVERY, self.free.clone().acquire_many_owned(kib)).await {
                return KeyRoom(room);
            }
        }
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
    ) -> Result<Arc<Unpacked>> {
        let held = async {
            let room = self.room(bytes).await;
            let key = Arc::new(Unpacked { key: load.await?, _room: Some(room) });
            Ok::<_, Error>(Held { key, kib: kib(bytes) })
        };
        match self.keys.try_get_with((shelf.clone(), id.clone()), held).await {
            Ok(held) => Ok(held.key),
            Err(error) => Err((*error).clone()),
        }
    }

    /// Keeps a key that was unpacked to verify it, in `room` of `bytes`: it is likely to be used next.
    pub async fn keep(&self, shelf: &Shelf, id: &KeyId, bytes: usize, (key, room): (EvaluationKey, KeyRoom)) {
        let held = Held { key: Arc::new(Unpacked { key, _room: Some(room) }), kib: kib(bytes) };
        self.keys.insert((shelf.clone(), id.clone()), held).await;
    }

    /// How many keys are in memory.
    pub fn count(&self) -> u64 {
        self.keys.entry_count()
    }

    pub async fn forget(&self, shelf: &Shelf, id: &KeyId) {
        self.keys.invalidate(&(shelf.clone(), id.clone())).await;
    }
}
