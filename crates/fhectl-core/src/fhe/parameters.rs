//! What is said of parameters that cannot be computed with.

use crate::error::Error;

pub(crate) fn bad_parameters(message: impl Into<String>) -> Error {
    Error::user("parameters_invalid", message)
        .hint("the bundle was damaged or made by another version; create the model again with `fhectl create`")
}
