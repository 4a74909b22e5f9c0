//! Which web pages may use the server.

use crate::server::reply::Failure;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::{COMPUTE_HEADER, DEADLINE_HEADER, KEY_ID_HEADER, MODEL_HEADER, QUEUE_HEADER};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what it was told.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Lets pages of the named origins use the server from a browser.
pub(super) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    let names = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    let asked = ["authorization", "content-type", KEY_ID_HEADER, MODEL_HEADER, DEADLINE_HEADER, "x-request-id"];
    let told = [QUEUE_HEADER, COMPUTE_HEADER, "x-request-id", "retry-after"];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(names(&asked))
            .expose_headers(names(&told))
            .max_age(MAX_AGE),
    )
}

/// Pages may send plain requests to anyone without asking first, so those of strangers are refused here. Browsers say
/// whose page it is; other clients say nothing.
pub(super) async fn check(
    State(origins): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    check_headers(&origins, request.headers())?;
    Ok(next.run(request).await)
}

/// # Errors
/// `origin_refused`.
fn check_headers(origins: &[String], headers: &HeaderMap) -> Result<()> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
    let here = own.is_some() && own == headers.get(header::HOST).map(HeaderValue::as_bytes);
    let named = |known: &String| known == "*" || known.as_bytes() == origin.as_bytes();
    if here || origins.iter().any(named) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::OriginRefused, "pages of this origin may not use the server")
        .hint("the operator names origins with --cors-origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_strangers_are_refused() {
        let named = ["https://app.example".to_owned()];
        let check = |origins: &[String], origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("here:8000"))]);
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            check_headers(origins, &headers).is_ok()
        };
        assert!(check(&[], None) && check(&[], Some("http://here:8000")));
        assert!(check(&named, Some("https://app.example")) && check(&["*".into()], Some("https://any.example")));
        for other in ["https://evil.example", "http://app.example", "null", "", "here:8000"] {
            assert!(!check(&named, Some(other)), "{other}");
        }
    }
}
