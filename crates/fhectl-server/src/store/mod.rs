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
mod circuit_breaker;
mod held_key;
mod inventory;
mod key_store;
mod keys;
mod location;
mod memory_budget;
mod names;
mod objects;
mod parts;
mod quota;
mod s3;
mod sweep;
mod uids;

pub use budgets::{Lease, LeasedRows, Leasing, lease_block};
pub use cache::{CacheConfig, KeyCache, Loaded};
pub use held_key::{Companion, HeldKey, KeyFootprint};
pub use inventory::StoredEvaluationKey;
pub use key_store::KeyStore;
pub use location::check_location;
pub use memory_budget::{MemoryBudget, Reservation};
pub use names::{KeyId, KeyNamespace, Owner, Uid, UploadId};
pub use parts::MAX_PARTS;
pub(crate) use parts::{check_total, incomplete};
pub use quota::Quota;
pub use sweep::Swept;

#[cfg(test)]
mod tests;
