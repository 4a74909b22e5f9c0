//! What is said of a model that cannot be computed with.

use crate::error::Error;

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::user("model_invalid", message)
        .hint("the bundle was damaged or edited; create the model again with `fhectl create`")
}
