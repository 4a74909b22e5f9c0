//! What a server is composed of: every service once, handed to the layers and handlers that need it.

use super::body::BodyLimits;
use super::budgets::{Budgets, check_row_budget};
use super::compute::{ComputePool, PoolLimits};
use super::config::{ServeConfig, Timeouts};
use super::inference::InferenceService;
use super::key_service::KeyService;
use super::launch::{Fleet, FleetConfig};
use super::metrics::{GaugeReadings, ServerMetrics};
use super::models::{HostedModel, Models};
use super::rate_limiter::ClientLimiter;
use super::reload::Reloading;
use super::tokens::TokenSet;
use crate::store::MemoryBudget;
use fhectl_core::error::Result;
use fhectl_core::protocol::api::ModelInfo;
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
    pub fleet: Arc<Fleet>,
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
    /// What is wrong with the models or a device, `row_budget_tokens`, or `threads`.
    pub fn new(config: ServeConfig) -> Result<Self> {
        check_row_budget(config.row_budget, config.tokens.is_some())?;
        let limits = PoolLimits {
            threads: config.threads,
            max_queue: config.max_queue,
            max_backlog: config.max_backlog,
            max_time: config.deadline,
        };
        let mut models = Models::new(&config.models)?;
        let compute = Arc::new(ComputePool::new(limits)?);
        let metrics = Arc::new(ServerMetrics::new());
        let fleet = FleetConfig {
            devices: config.devices,
            gather: config.gather,
            bootstraps: config.launch_bootstraps,
            limit: config.launch_limit,
            threads: config.threads,
            max_queue: config.max_queue,
            max_backlog: config.max_backlog,
        };
        let fleet = Arc::new(Fleet::open(fleet, &models, metrics.devices.clone())?);
        models.keep_wire_of(|model| fleet.knows(model));
        let models = Arc::new(models);
        let memory = MemoryBudget::new(config.body_bytes, "requests");
        let budgets = config.row_budget.map(|rows| Budgets::new(rows, config.store.clone()));
        let keys = KeyService::new(config.store, config.cache_bytes, config.keys, compute.clone(), metrics.clone());
        let keys = Arc::new(keys);
        let inference = InferenceService {
            compute: compute.clone(),
            fleet: fleet.clone(),
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
            fleet,
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

    /// What clients are told of a model.
    pub fn told(&self, model: &HostedModel) -> ModelInfo {
        ModelInfo { computed_on: Some(self.fleet.computed_on(model.id())), ..model.info.clone() }
    }

    /// What `/metrics` looks at when it is asked.
    pub fn levels(&self) -> GaugeReadings {
        let load = self.compute.load();
        let (waiting, backlog) = self.fleet.load();
        self.fleet.observe();
        GaugeReadings {
            waiting: load.waiting + waiting,
            running: load.running,
            backlog: load.backlog.max(backlog),
            keys: self.keys.cached(),
            connections: self.open.load(Ordering::Relaxed),
            body_bytes: self.bodies.memory.taken(),
        }
    }
}
