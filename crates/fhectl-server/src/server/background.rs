//! What a server does beside its requests: it looks at files that may change, and sweeps the store.

use super::reload::Reloading;
use super::state::AppState;
use super::tls::Identity;
use crate::store::Swept;
use std::time::Duration;

/// How often the store is swept at most and at least.
const SWEEP_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// How often files that may change are looked at.
const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// Reads tokens and certificate again where they changed: looked at every few seconds, and at once on SIGHUP.
pub(super) async fn refresh(state: AppState, identity: Option<Identity>) {
    #[cfg(unix)]
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    loop {
        let (state, identity) = (state.clone(), identity.clone());
        let look = tokio::task::spawn_blocking(move || {
            state.tokens.iter().for_each(|tokens| Reloading::refresh(tokens));
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
pub(super) async fn sweep(state: AppState) {
    let every = (state.keys.shortest_ttl() / 4).clamp(SWEEP_EVERY.0, SWEEP_EVERY.1);
    loop {
        match state.keys.sweep().await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { parts, keys, uids, halves }) => tracing::info!(parts, keys, uids, halves, "swept the key store"),
            Err(error) => tracing::warn!(code = error.code.as_str(), "the key store could not be swept"),
        }
        tokio::time::sleep(every).await;
    }
}
