//! How long a client waits at most, where it says so. The time itself is kept by the computing pool: it knows whether a
//! request can be done in time before it begins.

use crate::server::caller::ClientTimeout;
use crate::server::reply::Failure;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::DEADLINE_HEADER;
use std::time::Duration;

pub(super) async fn layer(mut request: Request, next: Next) -> Result<Response, Failure> {
    let timeout = ClientTimeout(stated(request.headers())?);
    request.extensions_mut().insert(timeout);
    Ok(next.run(request).await)
}

/// # Errors
/// `header_invalid`.
fn stated(headers: &HeaderMap) -> Result<Option<Duration>> {
    let Some(value) = headers.get(DEADLINE_HEADER) else { return Ok(None) };
    let millis = value.to_str().ok().and_then(|text| text.parse::<u32>().ok()).filter(|millis| *millis > 0);
    millis.map(|millis| Some(Duration::from_millis(millis.into()))).ok_or_else(|| {
        Error::new(ErrorCode::HeaderInvalid, format!("`{DEADLINE_HEADER}` is not a number of milliseconds"))
            .hint("send a whole number from 1 to 4294967295, or leave it away")
    })
}
