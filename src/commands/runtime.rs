//! The runtime of commands that use sockets or a store.

use fhectl_core::error::{Error, ErrorCode, Result};

/// The runtime that sockets live on; computing has threads of its own.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorCode::Runtime, error.to_string()))
}
