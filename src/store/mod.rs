//! Evaluation keys: at rest in an object store, and unpacked in memory.
//!
//! Keys are immutable and named by their SHA-256, every write creates and none replaces, so any number of servers may
//! share a store without coordination, and a process killed at any moment leaves no half-visible object.
//!
//! ```text
//! keys/<model id>/<owner>/<key id>                 complete keys
//! parts/<model id>/<owner>/<upload>/<index>        parts of uploads that are under way
//! uids/<model id>/<owner>/<uid>                    which key an endpoint-form uid stands for
//! ```

mod cache;
mod keys;
mod location;
mod names;
mod parts;

pub use cache::{KeyCache, KeyRoom, Unpacked};
pub use names::{KeyId, Owner, Shelf, Uid, Upload};
pub use parts::MAX_PARTS;
pub(crate) use parts::{check_total, incomplete};

use crate::error::Error;
use object_store::ObjectStore;
use object_store::path::Path;
use std::sync::Arc;

/// Where evaluation keys live. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyStore {
    objects: Arc<dyn ObjectStore>,
}

/// Whether a create-only write was the first of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Created {
    Now,
    Before,
}

/// A failure of the store itself. What it says may hold paths of this machine, so it goes to the log only.
fn failed(doing: &str, at: &Path, error: &object_store::Error) -> Error {
    tracing::error!(%at, %error, "key store: {doing} failed");
    Error::fault("store_failed", format!("the key store failed while {doing}"))
        .hint("try again; if it stays, the operator finds the cause in the server's log")
}

#[cfg(test)]
mod tests;
