//! What an operator watches, as Prometheus reads it.

use super::device_metrics::DeviceMetrics;
use fhectl_core::error::{Error, ErrorCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Labels hold names of routes, models and codes only: never what a client made up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRequest {
    pub method: &'static str,
    pub route: String,
    pub status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfError {
    code: &'static str,
}

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;
type Level = Gauge<f64, AtomicU64>;

/// All counters, and the gauges that are filled when they are asked for.
pub(super) struct ServerMetrics {
    registry: Registry,
    requests: Family<OfRequest, Counter>,
    errors: Family<OfError, Counter>,
    request_seconds: Seconds<OfRoute>,
    queue_seconds: Seconds<OfModel>,
    compute_seconds: Seconds<OfModel>,
    rows: Family<OfModel, Counter>,
    budget_rows: Family<OfModel, Counter>,
    budget_refusals: Family<OfModel, Counter>,
    received: Counter,
    sent: Counter,
    pub cache_hits: Counter,
    pub cache_misses: Counter,
    pub keys_accepted: Counter,
    pub handshakes_failed: Counter,
    pub abandoned: Counter,
    waiting: Gauge,
    running: Gauge,
    backlog: Level,
    keys: Gauge,
    connections: Gauge,
    memory: Gauge,
    pub devices: Arc<DeviceMetrics>,
}

/// What is not counted but looked at.
pub(super) struct GaugeReadings {
    pub waiting: usize,
    pub running: usize,
    pub backlog: f64,
    pub keys: usize,
    pub connections: usize,
    pub body_bytes: usize,
}

/// 100 us to 105 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(1e-4, 4.0, 11))
}

impl ServerMetrics {
    pub fn new() -> Self {
        let families: fn() -> Histogram = seconds;
        let mut registry = Registry::with_prefix("fhectl");
        let devices = Arc::new(DeviceMetrics::new(&mut registry));
        let mut own = Self {
            registry,
            requests: Family::default(),
            errors: Family::default(),
            request_seconds: Family::new_with_constructor(families),
            queue_seconds: Family::new_with_constructor(families),
            compute_seconds: Family::new_with_constructor(families),
            rows: Family::default(),
            budget_rows: Family::default(),
            budget_refusals: Family::default(),
            received: Counter::default(),
            sent: Counter::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            keys_accepted: Counter::default(),
            handshakes_failed: Counter::default(),
            abandoned: Counter::default(),
            waiting: Gauge::default(),
            running: Gauge::default(),
            backlog: Level::default(),
            keys: Gauge::default(),
            connections: Gauge::default(),
            memory: Gauge::default(),
            devices,
        };
        own.register();
        own
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by method, route and status", self.requests.clone());
        registry.register("errors", "Refusals and failures by code", self.errors.clone());
        registry.register("request_seconds", "From a request's head to its reply", self.request_seconds.clone());
        registry.register(
            "queue_seconds",
            "Inferences: from acceptance on, computing left out",
            self.queue_seconds.clone(),
        );
        registry.register("compute_seconds", "Inferences: computing", self.compute_seconds.clone());
        registry.register("rows", "Encrypted rows that were answered", self.rows.clone());
        registry.register("budget_rows", "Rows charged to tokens' budgets", self.budget_rows.clone());
        registry.register(
            "budget_refusals",
            "Batches refused because a token's budget was spent",
            self.budget_refusals.clone(),
        );
        registry.register("received_bytes", "Bytes of request bodies", self.received.clone());
        registry.register("sent_bytes", "Bytes of reply bodies", self.sent.clone());
        registry.register("key_cache_hits", "Inferences whose key was in memory", self.cache_hits.clone());
        registry.register("key_cache_misses", "Inferences whose key was not", self.cache_misses.clone());
        registry.register("keys_accepted", "Evaluation keys that were verified", self.keys_accepted.clone());
        registry.register("tls_handshakes_failed", "TLS handshakes that failed", self.handshakes_failed.clone());
        registry.register("requests_abandoned", "Requests whose client went away", self.abandoned.clone());
        registry.register("queue_depth", "Jobs that wait for a computing thread or a device", self.waiting.clone());
        registry.register("running", "Jobs that compute", self.running.clone());
        registry.register(
            "backlog_seconds",
            "Predicted time until all that was accepted is done",
            self.backlog.clone(),
        );
        registry.register("keys_cached", "Unpacked keys in memory", self.keys.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("body_bytes", "Memory held by requests and replies", self.memory.clone());
    }

    /// Counts a request that was answered.
    pub fn request(&self, request: OfRequest, code: Option<&'static str>, took: Duration, bytes: (u64, u64)) {
        self.request_seconds.get_or_create(&OfRoute { route: request.route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&request).inc();
        if let Some(code) = code {
            self.errors.get_or_create(&OfError { code }).inc();
        }
        self.received.inc_by(bytes.0);
        self.sent.inc_by(bytes.1);
    }

    /// Counts an inference of `rows` rows.
    pub fn inference(&self, model: &str, rows: usize, queued: Duration, computed: Duration) {
        let label = OfModel { model: model.to_owned() };
        self.queue_seconds.get_or_create(&label).observe(queued.as_secs_f64());
        self.compute_seconds.get_or_create(&label).observe(computed.as_secs_f64());
        self.rows.get_or_create(&label).inc_by(rows as u64);
    }

    /// Rows that are charged to budgets for this model.
    pub fn budget_rows(&self, model: &str) -> Counter {
        self.budget_rows.get_or_create_owned(&OfModel { model: model.to_owned() })
    }

    /// Counts a batch that no budget had room for.
    pub fn budget_refusal(&self, model: &str) {
        self.budget_refusals.get_or_create(&OfModel { model: model.to_owned() }).inc();
    }

    /// All of it as text, with the levels of this moment.
    ///
    /// # Errors
    /// `internal`.
    pub fn render(&self, levels: &GaugeReadings) -> Result<String, Error> {
        self.waiting.set(levels.waiting as i64);
        self.running.set(levels.running as i64);
        self.backlog.set(levels.backlog);
        self.keys.set(levels.keys as i64);
        self.connections.set(levels.connections as i64);
        self.memory.set(levels.body_bytes as i64);
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))?;
        Ok(text)
    }
}
