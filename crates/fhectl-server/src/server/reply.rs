//! Errors as replies: the one place that knows which code has which status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fhectl_core::error::{Blame, Error};
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
    match error.code {
        "unauthorized" => StatusCode::UNAUTHORIZED,
        "not_found" | "model_unknown" | "key_unknown" | "uid_unknown" => StatusCode::NOT_FOUND,
        "quota_exceeded" | "row_budget_spent" | "origin_refused" => StatusCode::FORBIDDEN,
        "method_not_allowed" => StatusCode::METHOD_NOT_ALLOWED,
        "timeout" => StatusCode::REQUEST_TIMEOUT,
        "key_incomplete" | "key_complete" | "part_conflict" => StatusCode::CONFLICT,
        "key_too_large" | "batch_too_large" | "body_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "key_invalid" | "key_mismatch" | "ciphertext_invalid" | "format_version" | "wrong_model" => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        "busy" | "rate_limited" => StatusCode::TOO_MANY_REQUESTS,
        "draining" | "deadline" | "store_failed" | "store_unavailable" | "key_damaged" => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ if error.blame == Blame::User => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status(&error);
        let code = Code(error.code);
        let body = ErrorBody { code: error.code.to_owned(), message: error.message, hint: error.hint };
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
        _ if status.is_server_error() => Error::fault("internal", reason),
        _ => Error::user("bad_request", reason).hint("the request is not one that this server understands"),
    })
}

pub(super) fn not_found() -> Error {
    Error::user("not_found", "there is nothing at this path").hint("the routes begin with /v1/models, /health or are /")
}

pub(super) fn method_not_allowed() -> Error {
    Error::user("method_not_allowed", "this path does not take this method")
        .hint("the Allow header names the methods that it takes")
}
