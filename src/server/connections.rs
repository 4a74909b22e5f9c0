//! Accepting connections, and letting them go in order.

use super::routes::router;
use super::state::State;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

/// Serves until `shutdown`, then drains.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router(state.clone()));
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    {
        let end = async {
            shutdown.await;
            state.draining.store(true, Ordering::Relaxed);
            tracing::info!("draining");
            tokio::time::sleep(state.timeouts.notice).await;
        };
        let mut end = pin!(end);
        loop {
            let (stream, permit) = tokio::select! {
                () = &mut end => break,
                accepted = accept(&listener, &state) => accepted,
                Some(_) = open.join_next() => continue,
            };
            open.spawn(connection(stream, permit, service.clone(), state.clone(), stopped.clone()));
        }
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(state.timeouts.drain, drained).await.is_err() {
        tracing::warn!(connections = open.len(), "requests were still running when the time to drain was over");
        open.shutdown().await;
    }
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, state: &State) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = state.connections.clone().acquire_owned().await.expect("it is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
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
    _permit: OwnedSemaphorePermit,
    service: TowerToHyperService<axum::Router>,
    state: Arc<State>,
    mut stopped: watch::Receiver<bool>,
) {
    // Requests and replies are small and wait for each other: they must not wait to be joined with more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(state.timeouts.head);
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
