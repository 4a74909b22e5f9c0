//! What all requests share.

use super::ServeConfig;
use super::TokenSet;
use super::compute::Compute;
use super::config::{KeyPolicy, Timeouts};
use super::models::Models;
use crate::error::Result;
use crate::store::{CacheConfig, KeyCache, KeyStore, Shelf, Upload};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

pub(super) struct State {
    pub models: Models,
    pub store: KeyStore,
    pub cache: KeyCache,
    pub compute: Compute,
    pub tokens: Option<TokenSet>,
    pub locks: Locks,
    /// KiB of request bodies that may still be taken into memory.
    pub body_kib: Arc<Semaphore>,
    pub connections: Arc<Semaphore>,
    pub timeouts: Timeouts,
    pub keys: KeyPolicy,
    /// Set once shutdown has begun.
    pub draining: AtomicBool,
}

impl State {
    /// # Errors
    /// What is wrong with the models, or `threads`.
    pub fn new(config: ServeConfig) -> Result<Self> {
        let cache =
            CacheConfig { bytes: config.cache_bytes, revalidate: config.keys.revalidate, grace: config.keys.grace };
        let permits = |count: u64| Arc::new(Semaphore::new((count as usize).clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self {
            models: Models::new(&config.models)?,
            cache: KeyCache::new(config.store.clone(), cache),
            store: config.store,
            compute: Compute::new(config.threads, config.max_queue)?,
            tokens: config.tokens,
            locks: Locks::new(),
            body_kib: permits(config.body_bytes.div_ceil(1024)),
            connections: permits(config.max_connections as u64),
            timeouts: config.timeouts,
            keys: config.keys,
            draining: AtomicBool::new(false),
        })
    }
}

/// Locks that make the steps of one upload follow each other on this server, which spares conflicts and second
/// looks; nothing relies on them, as other servers have their own. Uploads share them by chance, which only costs time.
pub(super) struct Locks(Vec<Mutex<()>>);

impl Locks {
    fn new() -> Self {
        Self((0..256).map(|_| Mutex::new(())).collect())
    }

    pub async fn hold(&self, shelf: &Shelf, upload: &Upload) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (shelf, upload).hash(&mut hasher);
        self.0[hasher.finish() as usize % self.0.len()].lock().await
    }
}
