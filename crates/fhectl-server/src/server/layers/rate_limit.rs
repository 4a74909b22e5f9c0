//! Refuses clients that ask too often.

use super::auth::Identified;
use crate::server::rate_limiter::ClientLimiter;
use crate::server::reply::Failure;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn layer(
    State(limiter): State<Arc<ClientLimiter>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if let Some(Identified { client: Some(client), .. }) = request.extensions().get() {
        limiter.check(client)?;
    }
    Ok(next.run(request).await)
}
