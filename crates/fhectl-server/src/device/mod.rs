//! Computing devices beside this machine's processor.
//!
//! A [`Device`] can be opened, and opened again after it was lost. A [`BackendDevice`] is one that computes with a backend of
//! the core. What a server has of an open one is a `Session`: threads of its own, so that a call that never returns holds
//! up nothing else, and a `KeyTable` of the keys that are in the device's memory.

mod backend_device;
mod contract;
mod key_table;
mod session;
mod told;

pub use backend_device::{BackendDevice, Opened};
pub use contract::{Device, KeyedRows, LoadedKey, ModelOnDevice, OpenDevice};
pub(crate) use key_table::Lease;
pub(crate) use session::{LANES, Session, WantedKey};
pub use told::{computing_on, described, unless_optional};
