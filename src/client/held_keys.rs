//! Keys that are held from one run to the next.

use super::OpenedKeys;
use fhectl_core::client::policy::TagSchedule;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that stay open for the next run, which begins without reading them again and without asking the server for them. In memory
/// they are until this is dropped, or until a run finds that they were replaced, deleted or retired: then they are wiped, as all
/// secret keys are.
///
/// Has no `Debug`.
#[derive(Default)]
pub struct HeldKeys(Mutex<Option<Held>>);

/// Open keys, and what goes with them.
#[derive(Clone)]
pub(super) struct Held {
    pub keys: Arc<OpenedKeys>,
    /// Which batches under them have a tag.
    pub tags: Arc<Mutex<TagSchedule>>,
    /// Whether the server has them. Locked while they are brought, so that of many threads one does it.
    pub brought: Arc<Mutex<bool>>,
}

impl Held {
    pub fn new(keys: OpenedKeys) -> Self {
        Self { keys: Arc::new(keys), tags: Arc::default(), brought: Arc::default() }
    }
}

impl HeldKeys {
    /// The keys that are held, if `is_current` says that they may be used still; else those that `open` gives. Of many threads one
    /// opens them.
    ///
    /// # Errors
    /// Those of `is_current` and of `open`.
    pub(super) fn or_open<E>(
        &self,
        is_current: impl FnOnce(&OpenedKeys) -> Result<bool, E>,
        open: impl FnOnce() -> Result<Held, E>,
    ) -> Result<Held, E> {
        // Nothing that is guarded here can be left half-done.
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = match own.take() {
            Some(held) if is_current(&held.keys)? => held,
            _ => open()?,
        };
        *own = Some(held.clone());
        Ok(held)
    }

    /// Has the next run read its keys again.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
