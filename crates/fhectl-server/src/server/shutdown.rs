//! When to stop.

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
