//! What a server is started with.

use super::rate_limiter::RateLimit;
use super::tls::TlsIdentity;
use super::tokens::TokenSet;
use crate::device::Device;
use crate::store::{KeyStore, Quota};
use fhectl_core::bundle::ServerBundle;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The slowest that a body or a reply may travel once its first time is over.
pub(super) const MIN_BYTES_PER_SECOND: u64 = 64 << 10;

/// Everything that `serve` decides.
pub struct ServeConfig {
    /// Served under the names in their specs, which must differ.
    pub models: Vec<ServerBundle>,
    pub listen: SocketAddr,
    pub store: KeyStore,
    /// Bytes of evaluation keys in memory, those on their way in included.
    pub cache_bytes: u64,
    /// Threads that compute; twice as many do the host's share of each device's work.
    pub threads: usize,
    /// Devices that compute what they can, the processor the rest.
    pub devices: Vec<Arc<dyn Device>>,
    /// How long a row waits for others before a device that is free computes it.
    pub gather: Duration,
    /// Bootstraps of a launch, where so many wait; a launch is of a row at least.
    pub launch_bootstraps: usize,
    /// A device whose call takes longer is taken to hang, and is given up.
    pub launch_limit: Duration,
    /// `None`: everyone may do everything, and keys belong to everyone.
    pub tokens: Option<TokenSet>,
    /// Requests that may wait for a computing thread; those beyond are refused as `busy`.
    pub max_queue: usize,
    /// Open connections; those beyond wait to be accepted.
    pub max_connections: usize,
    /// Bytes of requests and replies held in memory at once, over all connections.
    pub body_bytes: u64,
    pub timeouts: Timeouts,
    pub keys: KeyPolicy,

    /// `None`: plain HTTP.
    pub tls: Option<TlsIdentity>,
    /// By token, or by address where there are none.
    pub rate_limit: Option<RateLimit>,
    /// Rows that one token may ask of one model, on all servers of the store together. It wants tokens.
    pub row_budget: Option<u64>,
    /// Whether replies say how long they waited and computed, which tells clients how large a model is.
    pub timing_headers: bool,
    /// The longest predicted wait for a computing thread that a request is accepted with.
    pub max_backlog: Duration,
    /// The longest that an inference may wait and compute; a client may ask for less.
    pub deadline: Option<Duration>,
    /// Origins whose pages may use this server from a browser; `*` is all.
    pub cors_origins: Vec<String>,
    /// Whether browsers get a page, with which people use the models from a tab.
    pub page: bool,
    /// Where `/metrics` is served, for operators.
    pub metrics_listen: Option<SocketAddr>,
}

/// How evaluation keys are kept. How long they live is the store's: [`KeyStore::with_key_ttl`].
#[derive(Debug, Clone, Copy)]
pub struct KeyPolicy {
    /// The longest that a key in memory is used after the store said that it is there: a deletion takes as long to
    /// reach every server.
    pub revalidate: Duration,
    /// How much longer it is used while the store cannot be reached.
    pub grace: Duration,
    /// An upload of which nothing came for so long is given up.
    pub upload_ttl: Duration,
    /// What one token may store.
    pub quota: Quota,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            revalidate: Duration::from_secs(10),
            grace: Duration::from_secs(15 * 60),
            upload_ttl: Duration::from_secs(24 * 3600),
            quota: Quota::default(),
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a request's head to arrive, and for an idle connection to stay open.
    pub head: Duration,
    /// For a request's body to arrive, besides a second for every 64 KiB of it.
    pub body: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For a client to take a reply, besides a second for every 64 KiB of it.
    pub write: Duration,
    /// How long readiness says no before connections are refused, so that balancers see it first.
    pub notice: Duration,
    /// For accepted requests to finish once draining has begun.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            body: Duration::from_secs(60),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(60),
            notice: Duration::from_secs(1),
            drain: Duration::from_secs(30),
        }
    }
}

impl ServeConfig {
    /// The defaults: all processors, 4 GiB of keys, 128 waiting requests for every thread and at most 10 s of wait, no
    /// tokens, no TLS.
    pub fn new(models: Vec<ServerBundle>, listen: SocketAddr, store: KeyStore) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        Self {
            models,
            listen,
            store,
            cache_bytes: 4 << 30,
            threads,
            devices: Vec::new(),
            gather: Duration::ZERO,
            launch_bootstraps: 4096,
            launch_limit: Duration::from_secs(30),
            tokens: None,
            max_queue: 128 * threads,
            max_connections: 4096,
            body_bytes: 1 << 30,
            timeouts: Timeouts::default(),
            keys: KeyPolicy::default(),
            tls: None,
            rate_limit: None,
            row_budget: None,
            timing_headers: false,
            max_backlog: Duration::from_secs(10),
            deadline: None,
            cors_origins: Vec::new(),
            page: true,
            metrics_listen: None,
        }
    }
}
