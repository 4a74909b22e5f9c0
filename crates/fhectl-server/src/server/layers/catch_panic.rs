//! A handler that panics fails its own request and nothing else.

use crate::server::reply::Failure;
use axum::response::{IntoResponse, Response};
use fhectl_core::error::{Error, ErrorCode};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;

type Handler = fn(Box<dyn Any + Send>) -> Response;

pub(super) fn layer() -> CatchPanicLayer<Handler> {
    CatchPanicLayer::custom(panicked as Handler)
}

/// What the panic says is on stderr already, and may quote a client.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request's handler panicked");
    Failure(
        Error::new(ErrorCode::Internal, "the request failed unexpectedly")
            .hint("this is a fault of fhectl's; please report it with what the server's log says"),
    )
    .into_response()
}
