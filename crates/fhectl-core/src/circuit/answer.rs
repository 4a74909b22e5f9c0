//! What decoders of several circuits share.

use crate::error::{Error, ErrorCode, Result};

/// One-hot scores of a class, as a tree gives them.
pub(super) fn one_hot(class: usize, classes: usize) -> Vec<i64> {
    (0..classes).map(|c| i64::from(c == class)).collect()
}

/// An answer that decrypts to nothing that the circuit gives. Says no more: what it decrypted to is a number of the server's
/// choice times the secret key.
pub(super) fn undecrypted() -> Error {
    Error::new(ErrorCode::AnswerInvalid, "an answer does not decrypt to what the circuit gives")
        .hint("the server's answer does not decrypt under this key; check that keys and model belong together")
}

/// Refuses an answer of another length than the circuit's.
pub(super) fn expect_len(answer: &[u8], expected: usize) -> Result<()> {
    if answer.len() == expected {
        return Ok(());
    }
    Err(Error::new(ErrorCode::CiphertextInvalid, format!("an answer of {} bytes, expected {expected}", answer.len()))
        .hint("the server runs another model than client.zip describes, or the answer was truncated"))
}
