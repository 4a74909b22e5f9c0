//! What all requests share.

use super::budgets::{Budgets, check_row_budget};
use super::compute::Compute;
use super::config::{KeyPolicy, Timeouts};
use super::limits::Limiter;
use super::metrics::Metrics;
use super::models::Models;
use super::reload::Reloading;
use super::{ServeConfig, TokenSet};
use crate::store::{CacheConfig, KeyCache, KeyNamespace, KeyStore, MemoryBudget, Upload};
use fhectl_core::error::Result;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

pub(super) struct State {
    pub models: Models,
    pub store: KeyStore,
    pub cache: KeyCache,
    pub compute: Compute,
    pub tokens: Option<Reloading<TokenSet>>,
    pub limiter: Limiter,
    pub budgets: Option<Budgets>,
    pub timing_headers: bool,
    pub metrics: Metrics,
    pub locks: Locks,
    /// For requests and replies.
    pub memory: MemoryBudget,
    /// Places for connections, of which the one that is accepted next always has its own.
    pub connections: Arc<Semaphore>,
    /// Those that are open.
    pub open: Arc<AtomicUsize>,
    pub cors_origins: Vec<String>,
    /// The longest that a request may take.
    deadline: Option<Duration>,
    pub timeouts: Timeouts,
    pub keys: KeyPolicy,
    /// Set once shutdown has begun.
    pub draining: AtomicBool,
}

impl State {
    /// # Errors
    /// What is wrong with the models, `row_budget_tokens`, or `threads`.
    pub fn new(config: ServeConfig) -> Result<Self> {
        let max_connections = config.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let cache =
            CacheConfig { bytes: config.cache_bytes, revalidate: config.keys.revalidate, grace: config.keys.grace };
        check_row_budget(config.row_budget, config.tokens.is_some())?;
        Ok(Self {
            models: Models::new(&config.models)?,
            budgets: config.row_budget.map(|rows| Budgets::new(rows, config.store.clone())),
            timing_headers: config.timing_headers,
            cache: KeyCache::new(config.store.clone(), cache),
            store: config.store,
            compute: Compute::new(config.threads, config.max_queue, config.max_backlog)?,
            tokens: config.tokens.map(|tokens| {
                let files = tokens.source().map(Path::to_owned).into_iter().collect();
                Reloading::new("tokens", tokens, files, |contents| TokenSet::from_bytes(&contents[0]))
            }),
            limiter: Limiter::new(config.rate_limit),
            metrics: Metrics::new(),
            locks: Locks::new(),
            memory: MemoryBudget::new(config.body_bytes, "requests"),
            connections: Arc::new(Semaphore::new(max_connections)),
            open: Arc::default(),
            cors_origins: config.cors_origins,
            deadline: config.deadline,
            timeouts: config.timeouts,
            keys: config.keys,
            draining: AtomicBool::new(false),
        })
    }

    /// When a request that begins now must be done: the server's bound, or the client's where that is sooner.
    pub fn deadline(&self, asked: Option<Duration>) -> Option<Instant> {
        let allowed = self.deadline.into_iter().chain(asked).min()?;
        Instant::now().checked_add(allowed)
    }
}

/// Locks that make the steps of one upload follow each other on this server, which spares conflicts and second
/// looks; nothing relies on them, as other servers have their own. Uploads share them by chance, which only costs time.
pub(super) struct Locks {
    all: Vec<Mutex<()>>,
    /// Of this process: nobody can choose keys that share a lock.
    choice: RandomState,
}

impl Locks {
    fn new() -> Self {
        Self { all: (0..256).map(|_| Mutex::new(())).collect(), choice: RandomState::new() }
    }

    pub async fn hold(&self, namespace: &KeyNamespace, upload: &Upload) -> MutexGuard<'_, ()> {
        let at = self.choice.hash_one((namespace, upload)) as usize % self.all.len();
        self.all[at].lock().await
    }
}
