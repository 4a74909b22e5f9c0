//! The error for models that are not valid.

use crate::error::{Error, ErrorCode};

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ModelInvalid, message)
        .hint("the bundle was damaged or edited; create the model again with `fhectl create`")
}
