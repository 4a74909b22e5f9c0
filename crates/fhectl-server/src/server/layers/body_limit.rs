//! Hands the body to the handler unread, to be read within bounds, and reads the rest of one that was refused.

use crate::server::body::{BodyLimits, RequestBody};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

/// How many bytes of a request's body came; on every reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct BytesRead(pub u64);

pub(super) async fn layer(State(limits): State<BodyLimits>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asks_first = parts.headers.contains_key(header::EXPECT);
    let body = RequestBody::new(body, limits);
    parts.extensions.insert(body.clone());
    let mut response = next.run(Request::from_parts(parts, Body::empty())).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    // A client that asked for permission to send its body has not sent it.
    if refused && !asks_first {
        body.drain().await;
    }
    response.extensions_mut().insert(BytesRead(body.bytes().await));
    response
}
