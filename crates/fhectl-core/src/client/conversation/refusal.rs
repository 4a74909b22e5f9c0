//! What a server says in a reply that is no success.

use crate::error::Error;
use crate::protocol::api::ErrorReply;

/// The error that a reply of this status and body stands for. What the server says is shown on a terminal, so it comes
/// without control characters.
pub fn refusal(server: &str, status: u16, body: &[u8]) -> Error {
    let Ok(reply) = serde_json::from_slice::<ErrorReply>(body) else {
        return Error::fault("server_error", format!("{server} answered HTTP {status}"))
            .hint("check the URL: this does not look like an fhectl server");
    };
    let code = known_code(&reply.error.code);
    let message =
        format!("the server refused: {} ({}, HTTP {status})", plain(&reply.error.message), plain(&reply.error.code));
    let error = if status >= 500 { Error::fault(code, message) } else { Error::user(code, message) };
    match reply.error.hint {
        Some(hint) => error.hint(plain(&hint)),
        None => error,
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The server's codes that callers act on, as codes of ours.
fn known_code(code: &str) -> &'static str {
    const KNOWN: [&str; 17] = [
        "unauthorized",
        "key_unknown",
        "key_invalid",
        "key_incomplete",
        "key_too_large",
        "part_conflict",
        "busy",
        "model_unknown",
        "wrong_model",
        "format_version",
        "ciphertext_invalid",
        "draining",
        "rate_limited",
        "deadline",
        "quota_exceeded",
        "row_budget_spent",
        "store_unavailable",
    ];
    KNOWN.into_iter().find(|known| *known == code).unwrap_or("server_error")
}
