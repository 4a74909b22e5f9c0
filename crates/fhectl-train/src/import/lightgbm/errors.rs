//! What is not read.

use fhectl_core::error::{Error, ErrorCode};

/// A model that predicts otherwise than is read here.
pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::LightgbmUnsupported, message)
}
