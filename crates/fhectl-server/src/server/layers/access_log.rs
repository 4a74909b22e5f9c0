//! A line in the log for every request, and a span around what is logged within it.

use super::open_paths::is_health_check;
use super::request_id::RequestId;
use super::summary::{ReplySummary, RequestSummary};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

pub(super) async fn layer(request: Request, next: Next) -> Response {
    let summary = RequestSummary::begin(&request);
    let probe = is_health_check(&request);
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.as_ref().map_or("", RequestId::as_str);
    let response = next.run(request).instrument(tracing::info_span!("request", id)).await;
    let RequestSummary { method, route, .. } = &summary;
    let ReplySummary { status, code, took, read, sent } = summary.end(&response);
    let (ms, code) = (took.as_secs_f64() * 1e3, code.unwrap_or(""));
    if probe {
        tracing::debug!(method, route, status, code, ms, read, sent, id, "request");
    } else {
        tracing::info!(method, route, status, code, ms, read, sent, id, "request");
    }
    response
}
