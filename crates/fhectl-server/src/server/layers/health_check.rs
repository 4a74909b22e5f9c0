//! Which requests are probes: they need no token, count against no limit and have no line in the log.

use axum::extract::Request;

pub(super) fn is_health_check(request: &Request) -> bool {
    matches!(request.uri().path(), "/health" | "/health/ready")
}
