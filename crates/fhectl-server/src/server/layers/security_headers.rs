//! On every reply: what comes from here is data, for nobody to show, guess at or keep.

use axum::http::{HeaderName, HeaderValue, header};
use tower::ServiceBuilder;
use tower::layer::util::{Identity, Stack};
use tower_http::set_header::SetResponseHeaderLayer;

type Set = SetResponseHeaderLayer<HeaderValue>;

pub(super) fn layer() -> ServiceBuilder<Stack<Set, Stack<Set, Stack<Set, Stack<Set, Identity>>>>> {
    let set = |name: HeaderName, value| Set::overriding(name, HeaderValue::from_static(value));
    ServiceBuilder::new()
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
}
