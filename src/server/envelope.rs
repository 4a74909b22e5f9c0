//! What happens around every request: its id, its owner, its line in the log, and that errors are JSON.

use super::body::Incoming;
use super::reply::{Code, Failure, bare};
use super::state::State;
use crate::error::Error;
use crate::fhe::Entropy;
use crate::fhe::random::OsEntropy;
use crate::store::Owner;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who is asking; on every request but those for health.
#[derive(Clone)]
pub(super) struct Caller(pub Owner);

pub(super) async fn envelope(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let (mut parts, body) = request.into_parts();
    let id = request_id(&parts.headers);
    let method = parts.method.clone();
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let asks_first = parts.headers.contains_key(header::EXPECT);
    let health = matches!(parts.uri.path(), "/health" | "/health/ready");
    let incoming = Incoming::new(body);
    let mut response = match caller(&state, &parts.headers, health) {
        Ok(owner) => {
            parts.extensions.insert(Caller(owner));
            parts.extensions.insert(incoming.clone());
            let run = next.run(Request::from_parts(parts, Body::empty()));
            AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| panicked(&id))
        }
        Err(error) => Failure(error).into_response(),
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        // A client that asked for permission to send its body has not sent it.
        if !asks_first {
            incoming.drain().await;
        }
        response = in_json(response);
    }
    response.headers_mut().insert(REQUEST_ID, id.clone());
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().map_or("", |code| code.0);
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    let (read, sent) = (incoming.bytes().await, response.body().size_hint().exact().unwrap_or(0));
    let id = id.to_str().unwrap_or_default();
    if health {
        tracing::debug!(%method, route, status, code, ms, read, sent, id, "request");
    } else {
        tracing::info!(%method, route, status, code, ms, read, sent, id, "request");
    }
    response
}

fn caller(state: &State, headers: &HeaderMap, health: bool) -> Result<Owner, Error> {
    match &state.tokens {
        Some(tokens) if !health => tokens.check(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)),
        _ => Ok(Owner::anyone()),
    }
}

/// The client's id for this request where it sent a plain one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=64).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
    };
    headers.get(REQUEST_ID).filter(plain).cloned().unwrap_or_else(|| {
        let random = u128::from_le_bytes(OsEntropy.seed().0) as u64;
        HeaderValue::from_str(&format!("{random:016x}")).expect("hexadecimal digits")
    })
}

fn panicked(id: &HeaderValue) -> Response {
    tracing::error!(?id, "a request's handler panicked");
    Failure(
        Error::fault("internal", "the request failed unexpectedly")
            .hint("this is a fault of fhectl's; please report it with what the server's log says"),
    )
    .into_response()
}

/// Gives an error reply that is not ours the form of all errors, keeping its headers.
fn in_json(response: Response) -> Response {
    if response.extensions().get::<Code>().is_some() {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut reply = bare(parts.status).into_response();
    *reply.status_mut() = parts.status;
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        reply.headers_mut().insert(header::ALLOW, allow.clone());
    }
    reply
}
