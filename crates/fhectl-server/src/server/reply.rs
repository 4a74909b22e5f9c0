//! Errors as replies. Which code has which status is said by the table of codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fhectl_core::error::{Error, ErrorCode};
use fhectl_core::protocol::api::{ErrorBody, ErrorReply};

/// A handler's result.
pub(super) type Answer<T = Response> = Result<T, Failure>;

/// An error on its way to a client.
pub(super) struct Failure(pub Error);

/// The code of an error reply, for the log.
#[derive(Clone, Copy)]
pub(super) struct Code(pub &'static str);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The HTTP status of an error.
pub(super) fn status(error: &Error) -> StatusCode {
    // A code without a status has no business on the wire: that it got there is the server's own fault.
    let status = error.code.status().and_then(|status| StatusCode::from_u16(status).ok());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status(&error);
        let code = Code(error.code.as_str());
        let body = ErrorBody { code: error.code.as_str().to_owned(), message: error.message, hint: error.hint };
        let mut response = (status, axum::Json(ErrorReply { error: body })).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"fhectl\""));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = error.retry_after.map_or(1, |wait| wait.as_secs_f64().ceil().max(1.0) as u64);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response.extensions_mut().insert(code);
        response
    }
}

/// What the framework says without a body of ours (a path that cannot be decoded, say), in the form of all errors.
pub(super) fn bare(status: StatusCode) -> Failure {
    let reason = status.canonical_reason().unwrap_or("refused");
    Failure(match status {
        StatusCode::METHOD_NOT_ALLOWED => method_not_allowed(),
        StatusCode::NOT_FOUND => not_found(),
        _ if status.is_server_error() => Error::new(ErrorCode::Internal, reason),
        _ => Error::new(ErrorCode::BadRequest, reason).hint("the request is not one that this server understands"),
    })
}

pub(super) fn not_found() -> Error {
    Error::new(ErrorCode::NotFound, "there is nothing at this path")
        .hint("the routes begin with /v1/models, /health or are /")
}

pub(super) fn method_not_allowed() -> Error {
    Error::new(ErrorCode::MethodNotAllowed, "this path does not take this method")
        .hint("the Allow header names the methods that it takes")
}
