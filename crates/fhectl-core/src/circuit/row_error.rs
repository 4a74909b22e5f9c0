//! Which row of a batch an error is about.

use crate::error::Error;

/// The error with the number of the row that it came from.
pub(super) fn in_row(error: Error, index: usize) -> Error {
    error.context(format!("input {index}"))
}
