//! A server from its configuration to its end.

use super::config::ServeConfig;
use super::connections::{Listener, serve, serve_metrics};
use super::state::AppState;
use super::tls::Identity;
use super::{background, routes, scrape};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A server that has its port and its models, and waits to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    /// For operators, with its address.
    metrics: Option<(TcpListener, SocketAddr)>,
    max_connections: usize,
    identity: Option<Identity>,
    tls: Option<TlsAcceptor>,
    state: AppState,
}

impl Server {
    /// Compiles the models and takes the port; port 0 lets the system choose one.
    ///
    /// # Errors
    /// `port_in_use` or `listen` where a port cannot be had; `model_twice`, `models_none` or `model_invalid` where
    /// the models cannot be served; `device_unavailable` or `device_failed` where a device cannot be opened.
    pub async fn bind(mut config: ServeConfig) -> Result<Self> {
        let (asked, asked_metrics, max_connections) = (config.listen, config.metrics_listen, config.max_connections);
        let identity = config.tls.take().map(Identity::new);
        let tls = identity.as_ref().map(Identity::acceptor).transpose()?;
        let state = AppState::new(config)?;
        let (listener, address) = listen(asked).await?;
        let metrics = match asked_metrics {
            Some(asked) => Some(listen(asked).await?),
            None => None,
        };
        Ok(Self { listener, address, metrics, max_connections, identity, tls, state })
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

    /// What computes, for people: `cpu`, or devices with what they are.
    pub fn computing_on(&self) -> String {
        self.state.fleet.described()
    }

    /// Serves until `shutdown`, then drains: readiness says no, what was accepted is finished within
    /// [`Timeouts::drain`](super::Timeouts::drain), and only then does this return.
    ///
    /// # Errors
    /// None yet; failures of single connections are logged.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let mut beside = JoinSet::new();
        beside.spawn(background::sweep(self.state.clone()));
        beside.spawn(background::refresh(self.state.clone(), self.identity));
        if let Some((listener, _)) = self.metrics {
            beside.spawn(serve_metrics(listener, scrape::router(self.state.clone()), self.state.clone()));
        }
        let router = routes::router(self.state.clone());
        let listener = Listener::new(router, self.tls, self.state.clone(), self.max_connections);
        serve(self.listener, listener, shutdown).await;
        Ok(())
    }
}

async fn listen(asked: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(asked).await.map_err(|error| cannot_listen(asked, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(asked, &error))?;
    Ok((listener, address))
}

fn cannot_listen(at: SocketAddr, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Error::new(ErrorCode::PortInUse, format!("another process listens on {at}"))
            .hint("choose another with --listen (port 0 lets the system choose), or stop the other process");
    }
    Error::new(ErrorCode::Listen, format!("cannot listen on {at}: {error}"))
        .hint("give an address of this machine and a port that you may use, e.g. --listen 127.0.0.1:8000")
}
