//! What a server says in a reply that is no success.

use super::message::read_json;
use crate::error::{Error, ErrorCode};
use crate::protocol::api::ErrorReply;

/// The error that a reply of this status and body stands for. What the server says is shown on a terminal, so it comes
/// without control characters.
pub fn refusal(server: &str, status: u16, body: &[u8]) -> Error {
    let Ok(reply) = read_json::<ErrorReply>(body) else {
        return Error::new(ErrorCode::ServerError, format!("{server} answered HTTP {status}"))
            .hint("check the URL: this does not look like an fhectl server");
    };
    // A code of a later release is told in the message, as it came.
    let unknown = if status >= 500 { ErrorCode::ServerError } else { ErrorCode::ServerRefused };
    let code = ErrorCode::from_wire(&reply.error.code).unwrap_or(unknown);
    let message =
        format!("the server refused: {} ({}, HTTP {status})", plain(&reply.error.message), plain(&reply.error.code));
    let error = Error::new(code, message);
    match reply.error.hint {
        Some(hint) => error.hint(plain(&hint)),
        None => error,
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
