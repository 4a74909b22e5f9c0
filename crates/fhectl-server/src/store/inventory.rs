//! What is in a store, for its operator.

use super::key_store::KeyStore;
use super::names::{KeyId, KeyNamespace};
use fhectl_core::error::Result;
use object_store::path::Path;
use std::time::SystemTime;

/// A complete key as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvaluationKey {
    pub namespace: KeyNamespace,
    pub id: KeyId,
    pub bytes: u64,
    pub completed: SystemTime,
}

impl KeyStore {
    /// All complete keys, the oldest first.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn inventory(&self) -> Result<Vec<StoredEvaluationKey>> {
        let at = Path::from("keys");
        let mut listing = self.objects.list(Some(&at));
        let mut keys = Vec::new();
        while let Some(meta) = self.next_of(&mut listing, &at).await? {
            // What is none of ours is left alone.
            let Some((namespace, rest)) = KeyNamespace::of(&meta.location) else { continue };
            let [name] = rest.as_slice() else { continue };
            let Ok(id) = KeyId::parse(name) else { continue };
            keys.push(StoredEvaluationKey { namespace, id, bytes: meta.size, completed: meta.last_modified.into() });
        }
        keys.sort_by(|a, b| (a.completed, a.id.as_str()).cmp(&(b.completed, b.id.as_str())));
        Ok(keys)
    }
}
