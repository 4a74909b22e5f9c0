//! Which requests need no token: probes, which count against no limit and have no line in the log either, and the page.

use axum::extract::Request;
use axum::http::Method;

pub(super) fn is_health_check(request: &Request) -> bool {
    matches!(request.uri().path(), "/health" | "/health/ready")
}

/// Browsers send no token with what they open. There is nothing of a model in the page.
pub(super) fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    matches!(*request.method(), Method::GET | Method::HEAD) && (path == "/" || path.starts_with("/page/"))
}
