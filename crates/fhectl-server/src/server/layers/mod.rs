//! What happens around every request, a layer a file, the outermost first.

mod access_log;
mod auth;
mod body_limit;
mod catch_panic;
mod deadline;
mod json_errors;
mod metrics;
mod open_paths;
mod origin;
mod rate_limit;
mod request_id;
mod security_headers;
mod summary;

use super::state::AppState;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::ServiceBuilder;

/// Puts all layers around all routes.
pub(super) fn around(router: Router, state: &AppState) -> Router {
    let layers = ServiceBuilder::new()
        // Browsers ask for permission without a token and without a mark in the log.
        .option_layer(origin::cors(&state.cors_origins))
        .layer(from_fn(request_id::layer))
        .layer(from_fn(access_log::layer))
        .layer(from_fn_with_state(state.metrics.clone(), metrics::layer))
        .layer(security_headers::layer())
        // Outside of all that refuses: what a refused client still sends is read and forgotten.
        .layer(from_fn_with_state(state.bodies.clone(), body_limit::layer))
        .layer(from_fn(json_errors::layer))
        .layer(catch_panic::layer())
        .layer(from_fn_with_state(state.cors_origins.clone(), origin::check))
        // A wrong token counts against its address: it is counted before it is refused.
        .layer(from_fn_with_state(state.tokens.clone(), auth::identify))
        .layer(from_fn_with_state(state.limiter.clone(), rate_limit::layer))
        .layer(from_fn(auth::require))
        .layer(from_fn(deadline::layer));
    router.layer(layers)
}

#[cfg(test)]
mod tests;
