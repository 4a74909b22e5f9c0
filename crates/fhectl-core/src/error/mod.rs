//! The one error type: what happened, and what to do next.

mod code;

pub use code::ErrorCode;

use std::fmt;
use std::time::Duration;

/// An error that a person can act on.
///
/// `code` is stable (scripts and the protocol rely on it), `message` says what happened and where,
/// `hint` what to do next. No field ever holds key material; a cell of the
/// user's own table that cannot be read is quoted, on the user's side only.
///
/// ```
/// use fhectl_core::error::{Error, ErrorCode};
///
/// let error = Error::new(ErrorCode::CsvCell, "column `age` is missing").context("row 3").hint("drop the row");
/// assert_eq!(error.to_string(), "row 3: column `age` is missing");
/// assert_eq!(error.code.exit_code(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    pub code: ErrorCode,
    pub message: String,
    pub hint: Option<String>,
    /// How long to wait before trying again, where that may help.
    pub retry_after: Option<Duration>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a hint. Whose mistake it is follows from the code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, retry_after: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds how long to wait before trying again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same error seen from further out: `context` is put before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
