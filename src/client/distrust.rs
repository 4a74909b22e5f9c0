//! Which answers of a server cannot be trusted: counted, and told when all is over.
//!
//! A server that sees that a client was not content with an answer of its making learns something of the client's
//! secret key. So nothing here stops a run, pauses it or sends anything twice.

use fhectl_core::error::Error;
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of so many batches after the first, one on average has a tag: which ones is drawn, so that the server cannot know
/// before, and the time of the median row does not show it.
const BATCHES_A_TAG: u64 = 16;

/// What a session has seen of a server.
#[derive(Default)]
pub(super) struct Distrust {
    /// Whether a tag went to the server since the key was brought there.
    tagged: AtomicBool,
    seen: Mutex<Distrusted>,
}

/// Batches whose answers cannot be trusted.
#[derive(Debug, Clone, Default)]
pub struct Distrusted {
    pub batches: u32,
    /// What was wrong with the first of them.
    pub first: Option<Error>,
}

impl Distrusted {
    /// Adds those of a later session.
    pub fn add(&mut self, later: Self) {
        self.batches += later.batches;
        self.first = self.first.take().or(later.first);
    }
}

impl Distrust {
    /// Whether the next batch is to have a tag: the first one, and some of the others.
    pub fn wants_tag(&self) -> bool {
        !self.tagged.swap(true, Ordering::Relaxed) || Random::fresh(&mut OsEntropy).below(BATCHES_A_TAG) == 0
    }

    /// The key was brought once more: the next batch is a first one.
    pub fn begin_again(&self) {
        self.tagged.store(false, Ordering::Relaxed);
    }

    /// Counts a batch.
    pub fn record(&self, error: Error) {
        let mut seen = self.seen();
        seen.batches += 1;
        seen.first.get_or_insert(error);
    }

    pub fn so_far(&self) -> Distrusted {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, Distrusted> {
        // Nothing that is guarded here can be left half-done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_batch_has_a_tag_and_some_of_the_others() {
        let distrust = Distrust::default();
        for _ in 0..2 {
            assert!(distrust.wants_tag());
            let later = (0..4096).filter(|_| distrust.wants_tag()).count();
            // 256 on average; a deviation is 15.5, and 100 are passed less than once in a billion runs.
            assert!(later.abs_diff(256) < 100, "{later} of 4096 batches had a tag");
            distrust.begin_again();
        }
    }

    #[test]
    fn batches_are_counted_and_the_first_failure_is_kept() {
        let distrust = Distrust::default();
        assert!(distrust.so_far().first.is_none());
        for code in ["answers_key", "tag_differs"] {
            distrust.record(Error::fault(code, "what"));
        }
        let seen = distrust.so_far();
        assert_eq!((seen.batches, seen.first.unwrap().code), (2, "answers_key"));
    }
}
