//! Messages and byte formats that client and server share.
//!
//! [`frame`] holds the binary formats (batches of ciphertexts, evaluation keys), [`api`] the JSON messages of the
//! `/v1` routes, [`endpoint`] those of the endpoint form on `/`. Refusals name themselves by [`ErrorCode`].

pub mod api;
pub mod endpoint;
pub mod frame;

pub use crate::error::ErrorCode;
