//! Accepting connections, and letting them go in order.

use super::caller::Peer;
use super::state::AppState;
use super::write_timeout::WriteTimeout;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// The most bytes of a request's head; also of what is read ahead on a connection.
const HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 64;
/// Connections of operators' scrapers.
const SCRAPERS: usize = 16;

/// What every connection of one listener needs.
#[derive(Clone)]
pub(super) struct Listener {
    service: Router,
    tls: Option<TlsAcceptor>,
    state: AppState,
    /// For connections, of which the one that is accepted next always has its own.
    permits: Arc<Semaphore>,
    /// Counts those that are open.
    open: Arc<AtomicUsize>,
}

impl Listener {
    /// At most `max_connections` are open; those beyond wait to be accepted.
    pub fn new(service: Router, tls: Option<TlsAcceptor>, state: AppState, max_connections: usize) -> Self {
        let permits = Arc::new(Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        let open = state.open.clone();
        Self { service, tls, state, permits, open }
    }
}

/// A connection that is open, counted.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves until `shutdown`, then drains.
pub(super) async fn serve(socket: TcpListener, listener: Listener, shutdown: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let (mut open, timeouts) = (JoinSet::new(), listener.state.timeouts);
    {
        let end = async {
            shutdown.await;
            listener.state.draining.store(true, Ordering::Relaxed);
            tracing::info!("draining");
            tokio::time::sleep(timeouts.notice).await;
        };
        tokio::select! {
            () = end => {}
            () = accept_all(&socket, &listener, &mut open, &stopped) => {}
        }
    }
    drop(socket);
    stop.send_replace(true);
    let drained = async { while open.join_next().await.is_some() {} };
    if timeout(timeouts.drain, drained).await.is_err() {
        tracing::warn!(connections = open.len(), "requests were still running when the time to drain was over");
        open.shutdown().await;
    }
}

/// Serves `/metrics` until it is dropped: also while the server drains.
pub(super) async fn serve_metrics(socket: TcpListener, service: Router, state: AppState) {
    let permits = Arc::new(Semaphore::new(SCRAPERS));
    let listener = Listener { service, tls: None, state, permits, open: Arc::default() };
    let (_stop, stopped) = watch::channel(false);
    accept_all(&socket, &listener, &mut JoinSet::new(), &stopped).await;
}

async fn accept_all(
    socket: &TcpListener,
    listener: &Listener,
    open: &mut JoinSet<()>,
    stopped: &watch::Receiver<bool>,
) {
    loop {
        let (stream, from, permit) = tokio::select! {
            accepted = accept(socket, listener) => accepted,
            Some(_) = open.join_next() => continue,
        };
        open.spawn(connection(stream, from, permit, listener.clone(), stopped.clone()));
    }
}

/// The next connection, once there is room for it.
async fn accept(socket: &TcpListener, listener: &Listener) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let permit = listener.permits.clone().acquire_owned().await.expect("it is never closed");
    loop {
        match socket.accept().await {
            Ok((stream, from)) => return (stream, from, permit),
            Err(error) => {
                // Out of file descriptors, most likely: they come back as connections close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    _permit: OwnedSemaphorePermit,
    listener: Listener,
    stopped: watch::Receiver<bool>,
) {
    let _open = Open::new(&listener.open);
    send_at_once(&stream);
    let timeouts = listener.state.timeouts;
    let stream = WriteTimeout::new(stream, timeouts.write);
    let Some(tls) = &listener.tls else { return speak(stream, from.ip(), &listener, stopped).await };
    match timeout(timeouts.handshake, tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, from.ip(), &listener, stopped).await,
        failed => {
            listener.state.metrics.handshakes_failed.inc();
            let error = failed.map_or_else(|_| "timeout".to_owned(), |failed| format!("{:?}", failed.err()));
            tracing::debug!(error, "a TLS handshake failed");
        }
    }
}

/// Requests and replies are small and wait for each other: they must not wait to be joined with more.
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
}

/// HTTP on a stream, until either side ends it.
async fn speak<S>(stream: S, peer: IpAddr, listener: &Listener, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(listener.service.clone());
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        hyper::service::Service::call(&service, request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(listener.state.timeouts.head)
        .max_buf_size(HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = stop => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_reply_does_not_wait_for_an_acknowledgment() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
        let (stream, _) = socket.accept().await.unwrap();
        send_at_once(&stream);
        assert!(stream.nodelay().unwrap());
    }
}
