//! Counts requests, and those whose client went away.

use super::exchange::{Exchange, Outcome};
use crate::server::metrics::{Metrics, OfRequest};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn layer(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let exchange = Exchange::begin(&request);
    let mut unanswered = Unanswered(Some(&metrics));
    let response = next.run(request).await;
    unanswered.0 = None;
    let Outcome { status, code, took, read, sent } = exchange.end(&response);
    let of = OfRequest { method: exchange.method, route: exchange.route, status };
    metrics.request(of, code, took, (read, sent));
    response
}

/// Counts a request whose client went away: it is dropped where it stands.
struct Unanswered<'a>(Option<&'a Metrics>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.0 {
            metrics.abandoned.inc();
        }
    }
}
