//! The store itself: a handle on an object store. What it does stands in the files of what it keeps.

use super::circuit_breaker::CircuitBreaker;
use object_store::ObjectStore;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where evaluation keys live. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyStore {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) breaker: Arc<CircuitBreaker>,
    /// Over a network: its failures are taken for the network's.
    pub(super) remote: bool,
    /// The folder behind it, where it is one.
    pub(super) folder: Option<Arc<PathBuf>>,
    pub(super) key_ttl: Option<Duration>,
    /// Whether it can create without replacing.
    pub(super) creates: bool,
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
    pub(super) fn expired(&self, completed: SystemTime) -> bool {
        // A clock that is behind the store's sees keys from the future: they are new.
        self.key_ttl.is_some_and(|ttl| completed.elapsed().is_ok_and(|age| age >= ttl))
    }

    /// Whether the store answered when it was asked last.
    pub(super) fn reachable(&self) -> bool {
        self.breaker.is_closed()
    }
}
