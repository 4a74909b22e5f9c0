//! The error for parameters that are not supported.

use crate::error::{Error, ErrorCode};

pub(crate) fn bad_parameters(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ParametersInvalid, message)
        .hint("the bundle was damaged or made by another version; create the model again with `fhectl create`")
}
