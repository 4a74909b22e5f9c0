//! What a server is composed of: every service once, handed to the layers and handlers that need it.

use super::body::BodyLimits;
use super::budgets::{Budgets, check_row_budget};
use super::compute::{ComputePool, PoolLimits};
use super::config::{ServeConfig, Timeouts};
use super::inference::InferenceService;
use super::key_service::KeyService;
use super::metrics::{GaugeReadings, ServerMetrics};
use super::models::Models;
use super::rate_limiter::ClientLimiter;
use super::reload::Reloading;
use super::tokens::TokenSet;
use crate::store::MemoryBudget;
use fhectl_core::error::Result;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct AppState {
    pub models: Arc<Models>,
    pub keys: Arc<KeyService>,
    pub inference: Arc<InferenceService>,
    pub compute: Arc<ComputePool>,
    /// `None`: everyone may do everything, and keys belong to everyone.
    pub tokens: Option<Arc<Reloading<TokenSet>>>,
    pub limiter: Arc<ClientLimiter>,
    pub metrics: Arc<ServerMetrics>,
    pub bodies: BodyLimits,
    /// Connections that are open.
    pub open: Arc<AtomicUsize>,
    /// Set once shutdown has begun.
    pub draining: Arc<AtomicBool>,
    pub cors_origins: Arc<[String]>,
    /// Whether browsers get a page.
    pub page: bool,
    pub timeouts: Timeouts,
    /// Whether replies say how long they waited and computed.
    pub timing_headers: bool,
}

impl AppState {
    /// # Errors
    /// What is wrong with the models, `row_budget_tokens`, or `threads`.
    pub fn new(config: ServeConfig) -> Result<Self> {
        check_row_budget(config.row_budget, config.tokens.is_some())?;
        let limits = PoolLimits {
            threads: config.threads,
            max_queue: config.max_queue,
            max_backlog: config.max_backlog,
            max_time: config.deadline,
        };
        let models = Arc::new(Models::new(&config.models)?);
        let compute = Arc::new(ComputePool::new(limits)?);
        let metrics = Arc::new(ServerMetrics::new());
        let memory = MemoryBudget::new(config.body_bytes, "requests");
        let budgets = config.row_budget.map(|rows| Budgets::new(rows, config.store.clone()));
        let keys = KeyService::new(config.store, config.cache_bytes, config.keys, compute.clone(), metrics.clone());
        let keys = Arc::new(keys);
        let inference = InferenceService {
            compute: compute.clone(),
            keys: keys.clone(),
            budgets,
            memory: memory.clone(),
            metrics: metrics.clone(),
        };
        Ok(Self {
            models,
            keys,
            inference: Arc::new(inference),
            compute,
            tokens: config.tokens.map(|tokens| {
                let files = tokens.source().map(Path::to_owned).into_iter().collect();
                Arc::new(Reloading::new("tokens", tokens, files, |contents| TokenSet::from_bytes(&contents[0])))
            }),
            limiter: Arc::new(ClientLimiter::new(config.rate_limit)),
            metrics,
            bodies: BodyLimits { memory, timeout: config.timeouts.body },
            open: Arc::default(),
            draining: Arc::default(),
            cors_origins: config.cors_origins.into(),
            page: config.page,
            timeouts: config.timeouts,
            timing_headers: config.timing_headers,
        })
    }

    /// What `/metrics` looks at when it is asked.
    pub fn levels(&self) -> GaugeReadings {
        let load = self.compute.load();
        GaugeReadings {
            waiting: load.waiting,
            running: load.running,
            backlog: load.backlog,
            keys: self.keys.cached(),
            connections: self.open.load(Ordering::Relaxed),
            body_bytes: self.bodies.memory.taken(),
        }
    }
}
