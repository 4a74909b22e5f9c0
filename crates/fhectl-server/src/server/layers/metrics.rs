//! Counts requests, and those whose client went away.

use super::summary::{ReplySummary, RequestSummary};
use crate::server::metrics::{OfRequest, ServerMetrics};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn layer(State(metrics): State<Arc<ServerMetrics>>, request: Request, next: Next) -> Response {
    let summary = RequestSummary::begin(&request);
    let mut unanswered = Unanswered(Some(&metrics));
    let response = next.run(request).await;
    unanswered.0 = None;
    let ReplySummary { status, code, took, read, sent } = summary.end(&response);
    let of = OfRequest { method: summary.method, route: summary.route, status };
    metrics.request(of, code, took, (read, sent));
    response
}

/// Counts a request whose client went away: it is dropped where it stands.
struct Unanswered<'a>(Option<&'a ServerMetrics>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.0 {
            metrics.abandoned.inc();
        }
    }
}
