//! What is wrong with an ONNX file.

use fhectl_core::error::{Error, ErrorCode};

/// A file that breaks its own format.
pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::OnnxInvalid, message)
        .hint("the file is damaged or was not written by an ONNX exporter; export it again")
}

/// A model that ONNX allows and fhectl does not run.
pub fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::OnnxUnsupported, message)
}
