//! A key that can be computed with, and the memory that it takes.

use super::memory_budget::Reservation;
use fhectl_core::circuit::EvaluationKey;
use std::ops::Deref;

/// A key that can be computed with, and the memory that it takes. Keys that were evicted while requests compute with
/// them keep theirs until those are done.
pub struct HeldKey<K = EvaluationKey> {
    key: K,
    memory: Reservation,
}

/// What a key takes in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct KeyFootprint {
    /// As it is sent and stored: while it is read and unpacked.
    pub framed: usize,
    /// Ready for use.
    pub unpacked: usize,
}

impl<K> HeldKey<K> {
    pub(super) fn new(key: K, memory: Reservation) -> Self {
        Self { key, memory }
    }

    /// A key that takes no memory: of a circuit that needs none.
    pub fn empty(key: K) -> Self {
        Self { key, memory: Reservation::default() }
    }

    /// Bytes that are counted for it.
    pub(super) fn bytes(&self) -> usize {
        self.memory.bytes()
    }
}

impl<K> Deref for HeldKey<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.key
    }
}
