//! What happens around every request: its id, its owner, its line in the log, and that errors are JSON.

use super::body::Incoming;
use super::connections::Peer;
use super::limits::Client;
use super::metrics::{OfRequest, method_label};
use super::reply::{Code, Failure, bare};
use super::state::State;
use crate::store::Owner;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fhectl_core::error::Error;
use fhectl_core::fhe::Entropy;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::DEADLINE_HEADER;
use futures_util::FutureExt;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On every reply: what comes from here is data, for nobody to show, guess at or keep.
const SECURITY: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Who is asking; on every request.
#[derive(Clone)]
pub(super) struct Caller {
    pub owner: Owner,
    pub peer: IpAddr,
    /// How long the client waits for its answer at most, where it says so.
    pub patience: Option<Duration>,
}

pub(super) async fn envelope(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let mut unanswered = Unanswered(Some(&state));
    let (mut parts, body) = request.into_parts();
    let id = request_id(&parts.headers);
    let method = parts.method.clone();
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let asks_first = parts.headers.contains_key(header::EXPECT);
    let health = matches!(parts.uri.path(), "/health" | "/health/ready");
    let incoming = Incoming::new(body);
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let mut response = match admit(&state, &parts.headers, peer, health) {
        Ok(caller) => {
            parts.extensions.insert(caller);
            parts.extensions.insert(incoming.clone());
            let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
            let run = next.run(Request::from_parts(parts, Body::empty())).instrument(span);
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
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(REQUEST_ID, id.clone());
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().map(|code| code.0);
    let took = begun.elapsed();
    let (read, sent) = (incoming.bytes().await, response.body().size_hint().exact().unwrap_or(0));
    unanswered.0 = None;
    let of = OfRequest { method: method_label(&method), route: route.to_owned(), status };
    state.metrics.request(of, code, took, (read, sent));
    let (ms, code, method) = (took.as_secs_f64() * 1e3, code.unwrap_or(""), method_label(&method));
    let id = id.to_str().unwrap_or_default();
    if health {
        tracing::debug!(method, route, status, code, ms, read, sent, id, "request");
    } else {
        tracing::info!(method, route, status, code, ms, read, sent, id, "request");
    }
    response
}

/// Counts a request whose client went away: it is dropped where it stands.
struct Unanswered<'a>(Option<&'a State>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0 {
            state.metrics.abandoned.inc();
        }
    }
}

/// Whose request it is, where it may be served.
fn admit(state: &State, headers: &HeaderMap, peer: IpAddr, health: bool) -> Result<Caller, Error> {
    check_origin(state, headers)?;
    let owner = if health { Owner::anyone() } else { owner(state, headers, peer)? };
    Ok(Caller { owner, peer, patience: patience(headers)? })
}

/// Pages may send plain requests to anyone without asking first, so those of strangers are refused here. Browsers say
/// whose page it is; other clients say nothing.
fn check_origin(state: &State, headers: &HeaderMap) -> Result<(), Error> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
    let here = own.is_some() && own == headers.get(header::HOST).map(HeaderValue::as_bytes);
    let named = |known: &String| known == "*" || known.as_bytes() == origin.as_bytes();
    if here || state.cors_origins.iter().any(named) {
        return Ok(());
    }
    Err(Error::user("origin_refused", "pages of this origin may not use the server")
        .hint("the operator names origins with --cors-origin"))
}

/// A wrong token counts against its address, so that guessing is slow.
fn owner(state: &State, headers: &HeaderMap, peer: IpAddr) -> Result<Owner, Error> {
    let Some(tokens) = &state.tokens else {
        state.limiter.check(&Client::peer(peer))?;
        return Ok(Owner::anyone());
    };
    match tokens.current().check(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)) {
        Ok(owner) => {
            state.limiter.check(&Client::Token(owner.clone()))?;
            Ok(owner)
        }
        Err(error) => {
            state.limiter.check(&Client::peer(peer))?;
            Err(error)
        }
    }
}

fn patience(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let Some(value) = headers.get(DEADLINE_HEADER) else { return Ok(None) };
    let millis = value.to_str().ok().and_then(|text| text.parse::<u32>().ok()).filter(|millis| *millis > 0);
    millis.map(|millis| Some(Duration::from_millis(millis.into()))).ok_or_else(|| {
        Error::user("header_invalid", format!("`{DEADLINE_HEADER}` is not a number of milliseconds"))
            .hint("send a whole number from 1 to 4294967295, or leave it away")
    })
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
