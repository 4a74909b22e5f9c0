//! On every reply: what comes from here is data, for nobody to show, guess at or keep. The page alone says otherwise.

use axum::http::{HeaderName, HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

type Set = SetResponseHeaderLayer<HeaderValue>;

pub(super) fn layer() -> (Set, Set, Set, Set) {
    let set = |name: HeaderName, value| Set::if_not_present(name, HeaderValue::from_static(value));
    (
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        set(header::REFERRER_POLICY, "no-referrer"),
        set(header::CACHE_CONTROL, "no-store"),
    )
}
