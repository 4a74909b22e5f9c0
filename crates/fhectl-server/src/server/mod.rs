//! The HTTP service: `/v1` for our own clients, the endpoint form on `/` for those that exist, one engine behind both.
//!
//! Async threads move bytes and nothing else; all computing happens on one pool (`compute`) behind one bounded
//! queue, so that overload is refused at the door instead of being piled up. Every reply but a success is JSON
//! (`reply`).

mod body;
mod budgets;
mod compute;
mod config;
mod connections;
mod endpoint;
#[doc(hidden)]
pub mod endpoint_json;
mod envelope;
mod estimate;
mod infer;
mod keys;
mod limits;
mod metrics;
mod models;
mod openapi;
mod patience;
mod reload;
mod reply;
mod routes;
mod schedule;
mod state;
mod tls;
mod tokens;

pub use budgets::check_row_budget;
pub use config::{KeyPolicy, ServeConfig, Timeouts};
pub use limits::RateLimit;
pub use openapi::document as openapi_document;
pub use tls::TlsIdentity;
pub use tokens::{TokenSet, hash_line, new_token};

use crate::store::Swept;
use fhectl_core::bundle::ServerBundle;
use fhectl_core::error::{Error, Result};
use reload::Reloading;
use state::State;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tls::Identity;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How often the store is swept at most and at least.
const SWEEP_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// How often files that may change are looked at.
const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// A server that has its port and its models, and waits to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    /// For operators, with its address.
    metrics: Option<(TcpListener, SocketAddr)>,
    identity: Option<Identity>,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
}

impl Server {
    /// Compiles the models and takes the port; port 0 lets the system choose one.
    ///
    /// # Errors
    /// `port_in_use` or `listen` where a port cannot be had; `model_twice`, `models_none` or `model_invalid` where
    /// the models cannot be served.
    pub async fn bind(mut config: ServeConfig) -> Result<Self> {
        let (asked, asked_metrics) = (config.listen, config.metrics_listen);
        let identity = config.tls.take().map(Identity::new);
        let tls = identity.as_ref().map(Identity::acceptor).transpose()?;
        let state = Arc::new(State::new(config)?);
        let (listener, address) = listen(asked).await?;
        let metrics = match asked_metrics {
            Some(asked) => Some(listen(asked).await?),
            None => None,
        };
        Ok(Self { listener, address, metrics, identity, tls, state })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` is, if anywhere.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Serves until `shutdown`, then drains: readiness says no, what was accepted is finished within
    /// [`Timeouts::drain`], and only then does this return.
    ///
    /// # Errors
    /// None yet; failures of single connections are logged.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let mut beside = JoinSet::new();
        beside.spawn(sweep(self.state.clone()));
        beside.spawn(refresh(self.state.clone(), self.identity));
        if let Some((listener, _)) = self.metrics {
            beside.spawn(connections::serve_metrics(listener, self.state.clone()));
        }
        connections::serve(self.listener, self.tls, self.state, shutdown).await;
        Ok(())
    }
}

async fn listen(asked: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(asked).await.map_err(|error| cannot_listen(asked, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(asked, &error))?;
    Ok((listener, address))
}

/// Reads tokens and certificate again where they changed: looked at every few seconds, and at once on SIGHUP.
async fn refresh(state: Arc<State>, identity: Option<Identity>) {
    #[cfg(unix)]
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    loop {
        let (state, identity) = (state.clone(), identity.clone());
        let look = tokio::task::spawn_blocking(move || {
            state.tokens.iter().for_each(Reloading::refresh);
            identity.iter().for_each(Identity::refresh);
            state.limiter.forget();
        });
        if look.await.is_err() {
            tracing::error!("looking at tokens and certificate failed unexpectedly");
        }
        #[cfg(unix)]
        if let Some(hangups) = &mut hangups {
            drop(tokio::time::timeout(REFRESH_EVERY, hangups.recv()).await);
            continue;
        }
        tokio::time::sleep(REFRESH_EVERY).await;
    }
}

/// Sweeps the store, four times in the shorter of the times that things may lie in it.
async fn sweep(state: Arc<State>) {
    let shortest = state.keys.upload_ttl.min(state.store.key_ttl().unwrap_or(Duration::MAX));
    let every = (shortest / 4).clamp(SWEEP_EVERY.0, SWEEP_EVERY.1);
    loop {
        match state.store.sweep(state.keys.upload_ttl).await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { parts, keys, uids, halves }) => tracing::info!(parts, keys, uids, halves, "swept the key store"),
            Err(error) => tracing::warn!(code = error.code, "the key store could not be swept"),
        }
        tokio::time::sleep(every).await;
    }
}

/// Whether these models could be served together: each compiles, and no two share a name.
///
/// # Errors
/// `models_none`, `model_twice` or `model_invalid`.
pub fn check_models(models: &[ServerBundle]) -> Result<()> {
    models::Models::new(models).map(drop)
}

/// Completes on SIGTERM or SIGINT (Ctrl-C elsewhere than on Unix). Signals are caught from the call on, not only once
/// the future is polled, so that none is lost between "listening" and serving.
///
/// # Panics
/// Outside a tokio runtime.
pub fn shutdown_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    async move {
        #[cfg(unix)]
        {
            let waits = signals.into_iter().map(|signal| {
                Box::pin(async move {
                    match signal {
                        Ok(mut signal) => drop(signal.recv().await),
                        Err(_) => std::future::pending().await,
                    }
                })
            });
            futures_util::future::select_all(waits).await;
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn cannot_listen(at: SocketAddr, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Error::user("port_in_use", format!("another process listens on {at}"))
            .hint("choose another with --listen (port 0 lets the system choose), or stop the other process");
    }
    Error::user("listen", format!("cannot listen on {at}: {error}"))
        .hint("give an address of this machine and a port that you may use, e.g. --listen 127.0.0.1:8000")
}
