//! What a search says that found nothing.

use crate::error::{Error, ErrorCode};

/// No parameters keep what was asked for.
pub(in crate::circuit) fn no_parameters(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::NoParameters, message)
}
