use super::*;
use crate::server::config::ServeConfig;
use crate::server::rate_limiter::RateLimit;
use crate::server::tokens::TokenSet;
use crate::store::KeyStore;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use fhectl_core::bundle::folder;
use serde_json::Value;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use tower::ServiceExt;

/// Some routes within all layers.
async fn layered(adjust: impl FnOnce(&mut ServeConfig)) -> (Router, AppState) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = own.ancestors().map(|folder| folder.join("compiled_model")).find(|folder| folder.is_dir());
    let bundle = folder::read_server(&models.expect("the committed models").join("tree-spam")).unwrap();
    let store = KeyStore::open("memory:").await.unwrap();
    let mut config = ServeConfig::new(vec![bundle], ([127, 0, 0, 1], 0).into(), store);
    config.threads = 1;
    adjust(&mut config);
    let state = AppState::new(config).unwrap();
    async fn panics() -> &'static str {
        panic!("on purpose")
    }
    let router = Router::new()
        .route("/health", get(async || "ok"))
        .route("/fine", get(async || "fine"))
        .route("/refused", post(async || StatusCode::BAD_REQUEST))
        .route("/panics", get(panics));
    (around(router, &state), state)
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(body).unwrap()
}

/// Status and error code.
async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let reply = router.clone().oneshot(request("GET", path, headers, Body::empty())).await.unwrap();
    let status = reply.status().as_u16();
    let body = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, json["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_panic_is_a_reply_like_any_other() {
    let (router, state) = layered(|_| {}).await;
    let reply = router.clone().oneshot(request("GET", "/panics", &[], Body::empty())).await.unwrap();
    assert_eq!(reply.status(), 500);
    for name in ["x-request-id", "x-content-type-options", "content-security-policy", "cache-control"] {
        assert!(reply.headers().contains_key(name), "{name}");
    }
    assert_eq!(ask(&router, "/panics", &[]).await, (500, "internal".into()));
    assert_eq!(ask(&router, "/fine", &[]).await, (200, String::new()));
    let text = state.metrics.render(&state.levels()).unwrap();
    assert!(text.contains("fhectl_errors_total{code=\"internal\"} 2"), "{text}");
}

#[tokio::test]
async fn what_is_checked_first_is_answered_first() {
    let limit = RateLimit { every: Duration::from_secs(1000), burst: NonZeroU32::new(2).unwrap() };
    let (router, _) = layered(|config| {
        config.tokens = Some(TokenSet::parse("a-token").unwrap());
        config.rate_limit = Some(limit);
    })
    .await;
    let (wrong, right) = (("authorization", "Bearer wrong"), ("authorization", "Bearer a-token"));
    let (stranger, late) = (("origin", "https://evil.example"), ("x-fhectl-deadline-ms", "0"));
    let code = async |path, headers: &[_]| ask(&router, path, headers).await.1;
    // The origin, before anybody is counted.
    for _ in 0..5 {
        assert_eq!(code("/fine", &[stranger, wrong, late]).await, "origin_refused");
    }
    // The token and its limit, before what else is in the head. Guesses count.
    assert_eq!(code("/fine", &[wrong, late]).await, "unauthorized");
    assert_eq!(code("/fine", &[]).await, "unauthorized");
    assert_eq!(code("/fine", &[wrong]).await, "rate_limited");
    assert_eq!(code("/fine", &[right, late]).await, "header_invalid");
    assert_eq!(code("/fine", &[right]).await, "");
    assert_eq!(code("/fine", &[right]).await, "rate_limited");
    // Probes are let through, and a bad header of theirs is told.
    assert_eq!(code("/health", &[]).await, "");
    assert_eq!(code("/health", &[late]).await, "header_invalid");
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_read_unless_it_was_not_sent() {
    let (router, state) = layered(|_| {}).await;
    let received = || {
        let text = state.metrics.render(&state.levels()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("fhectl_received_bytes_total ")).unwrap();
        line.parse::<f64>().unwrap()
    };
    for (headers, expected) in [(&[][..], 9.0), (&[("expect", "100-continue")], 9.0)] {
        let reply =
            router.clone().oneshot(request("POST", "/refused", headers, Body::from("unwanted!"))).await.unwrap();
        assert_eq!(reply.status(), 400);
        let body = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["error"]["code"], "bad_request");
        assert_eq!(received(), expected);
    }
}
