//! Evaluation keys: at rest in an object store, and unpacked in memory.
//!
//! Keys are immutable and named by their SHA-256, every write creates and none replaces other bytes, so any number of
//! servers may share a store without coordination, and a process killed at any moment leaves no half-visible object.
//!
//! ```text
//! keys/<model id>/<owner>/<key id>                 complete keys
//! parts/<model id>/<owner>/<upload>/<index>        parts of uploads that are under way
//! uids/<model id>/<owner>/<uid>/<key id>           which key an endpoint-form uid stands for (empty)
//! budgets/<model id>/<owner>/<rows leased before>  rows that one server may answer, see `budgets`
//! ```

mod budgets;
mod cache;
mod inventory;
mod keys;
mod location;
mod memory;
mod names;
mod parts;
mod quota;
mod reach;
mod s3;
mod sweep;
mod uids;

pub use budgets::{Lease, LeasedRows, Leasing, lease_block};
pub use cache::{CacheConfig, KeyCache, Loaded};
pub use inventory::StoredKey;
pub use location::check_location;
pub use memory::{HeldKey, Need, Room};
pub use names::{KeyId, Owner, Shelf, Uid, Upload};
pub use parts::MAX_PARTS;
pub(crate) use parts::{check_total, incomplete};
pub use quota::Quota;
pub use sweep::Swept;

use object_store::ObjectStore;
use reach::Reach;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where evaluation keys live. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyStore {
    objects: Arc<dyn ObjectStore>,
    reach: Arc<Reach>,
    /// The folder behind it, where it is one.
    folder: Option<Arc<PathBuf>>,
    key_ttl: Option<Duration>,
    /// Whether it can create without replacing.
    creates: bool,
}

impl KeyStore {
    /// The same store, in which keys are gone `ttl` after they were completed. Ages are those that the store states.
    #[must_use]
    pub fn with_key_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.key_ttl = ttl;
        self
    }

    /// How long a key lives.
    pub fn key_ttl(&self) -> Option<Duration> {
        self.key_ttl
    }

    /// Whether a key completed then is gone by now.
    fn expired(&self, completed: SystemTime) -> bool {
        // A clock that is behind the store's sees keys from the future: they are new.
        self.key_ttl.is_some_and(|ttl| completed.elapsed().is_ok_and(|age| age >= ttl))
    }

    /// Whether the store answered when it was asked last.
    pub(crate) fn reachable(&self) -> bool {
        self.reach.is_up()
    }
}

/// Whether a create-only write was the first of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Created {
    Now,
    Before,
}

#[cfg(test)]
mod tests;
