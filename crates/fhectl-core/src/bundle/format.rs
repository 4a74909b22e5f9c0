//! The format of bundles, and what is said of a file that does not have it.

use crate::error::{Error, ErrorCode};

/// The version of the bundle format that this build writes and reads.
pub const FORMAT: u32 = 2;

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::BundleInvalid, message)
}
