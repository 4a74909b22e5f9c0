//! The one error type: what happened, and what to do next.

mod code;

pub use code::ErrorCode;

use std::fmt;
use std::time::Duration;

/// Whose mistake it is; decides the exit code of the command line and the class of an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The caller gave us something that cannot work (exit code 1, HTTP 4xx).
    User,
    /// We, the machine or the other side failed (exit code 2, HTTP 5xx).
    Fault,
}

/// An error that a person can act on.
///
/// ```
/// use fhectl_core::error::Error;
///
/// let error = Error::user("csv_cell", "`abc` is not a number").hint("give a number").context("row 3");
/// assert_eq!(error.to_string(), "row 3: `abc` is not a number");
/// ```
///
/// `code` is stable (scripts and the protocol rely on it), `message` says what happened and where,
/// `hint` what to do next. No field ever holds key material; a cell of the
/// user's own table that cannot be read is quoted, on the user's side only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    pub blame: Blame,
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// How long to wait before trying again, where that may help.
    pub retry_after: Option<Duration>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A mistake of the caller's, e.g. `Error::user("csv_cell", "row 3, column `age`: ...")`.
    pub fn user(code: &'static str, message: impl Into<String>) -> Self {
        Self { blame: Blame::User, code, message: message.into(), hint: None, retry_after: None }
    }

    /// A failure that the caller could not have avoided.
    pub fn fault(code: &'static str, message: impl Into<String>) -> Self {
        Self { blame: Blame::Fault, ..Self::user(code, message) }
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
