//! Which answers of a server cannot be trusted: counted, and told when all is over.
//!
//! A server that sees that a client was not content with an answer of its making learns something of the client's
//! secret key. So nothing here stops a run, pauses it or sends anything twice.

use fhectl_core::client::policy::TagSchedule;
use fhectl_core::error::Error;
use fhectl_core::fhe::random::OsEntropy;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a session has seen of a server.
pub(super) struct AnswerMonitor {
    tags: Arc<Mutex<TagSchedule>>,
    seen: Mutex<UntrustedAnswers>,
}

/// Batches whose answers cannot be trusted.
#[derive(Debug, Clone, Default)]
pub struct UntrustedAnswers {
    pub batches: u32,
    /// What was wrong with the first of them.
    pub first: Option<Error>,
}

impl UntrustedAnswers {
    /// Adds those of a later session.
    pub fn add(&mut self, later: Self) {
        self.batches += later.batches;
        self.first = self.first.take().or(later.first);
    }
}

impl AnswerMonitor {
    pub fn new(tags: Arc<Mutex<TagSchedule>>) -> Self {
        Self { tags, seen: Mutex::default() }
    }

    /// Whether the next batch is to have a tag.
    pub fn wants_tag(&self) -> bool {
        locked(&self.tags).wants_tag(&mut OsEntropy)
    }

    /// The key was brought once more: the next batch is a first one.
    pub fn begin_again(&self) {
        locked(&self.tags).begin_again();
    }

    /// Counts a batch.
    pub fn record(&self, error: Error) {
        let mut seen = locked(&self.seen);
        seen.batches += 1;
        seen.first.get_or_insert(error);
    }

    pub fn so_far(&self) -> UntrustedAnswers {
        locked(&self.seen).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is guarded here can be left half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::ErrorCode;

    #[test]
    fn batches_are_counted_and_the_first_failure_is_kept() {
        let monitor = AnswerMonitor::new(Arc::default());
        assert!(monitor.so_far().first.is_none());
        for code in [ErrorCode::AnswersKey, ErrorCode::TagDiffers] {
            monitor.record(Error::new(code, "what"));
        }
        let seen = monitor.so_far();
        assert_eq!((seen.batches, seen.first.unwrap().code), (2, ErrorCode::AnswersKey));
    }
}
