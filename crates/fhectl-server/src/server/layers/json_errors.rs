//! Gives what the framework refuses (a path that cannot be decoded, say) the form of all errors.

use crate::server::reply::{Code, bare};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) async fn layer(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if !refused || response.extensions().get::<Code>().is_some() {
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
