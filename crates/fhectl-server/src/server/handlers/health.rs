//! Whether the process answers, and whether it takes new requests.

use crate::server::openapi::Refusals;
use crate::server::reply::Answer;
use crate::server::state::AppState;
use axum::extract::State;
use fhectl_core::error::{Error, ErrorCode};
use std::sync::atomic::Ordering;

/// `GET /health`
#[utoipa::path(
    get, path = "/health", tag = "operations", operation_id = "health", security(()),
    description = "Whether the process answers.",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"), Refusals)
)]
pub(in crate::server) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /health/ready`
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "ready", security(()),
    description = "Whether new requests may be sent here; 503 once the server drains.",
    responses((status = 200, description = "They may", body = String, content_type = "text/plain"), Refusals)
)]
pub(in crate::server) async fn ready(State(state): State<AppState>) -> Answer<&'static str> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorCode::Draining, "the server is shutting down").hint("use another server").into());
    }
    Ok("ready\n")
}
