//! A key that can be computed with, and the memory that it takes.

use super::memory_budget::Reservation;
use bytes::Bytes;
use fhectl_core::circuit::EvaluationKey;
use std::any::Any;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that lives as long as a key is held, and whose drop tells others that it is not any more.
pub type Companion = Box<dyn Any + Send + Sync>;

/// A key that can be computed with, and the memory that it takes. Keys that were evicted while requests compute with
/// them keep theirs until those are done.
pub struct HeldKey<K = EvaluationKey> {
    key: K,
    /// As it was sent, where devices load it from here.
    wire: Option<Bytes>,
    number: u64,
    companion: OnceLock<Companion>,
    memory: Reservation,
}

/// What a key takes in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct KeyFootprint {
    /// As it is sent and stored: while it is read and unpacked.
    pub framed: usize,
    /// Ready for use.
    pub unpacked: usize,
    /// Whether the framed key stays, for devices to load.
    pub keeps_wire: bool,
}

impl KeyFootprint {
    /// While it is read and unpacked.
    pub fn arriving(self) -> usize {
        self.framed + self.unpacked
    }

    /// From then on.
    pub fn resting(self) -> usize {
        if self.keeps_wire { self.arriving() } else { self.unpacked }
    }
}

impl<K> HeldKey<K> {
    pub(super) fn new(key: K, wire: Option<Bytes>, memory: Reservation) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self { key, wire, number, companion: OnceLock::new(), memory }
    }

    /// A key that takes no memory: of a circuit that needs none.
    pub fn empty(key: K) -> Self {
        Self::new(key, None, Reservation::default())
    }

    /// The framed key, where it was kept.
    pub fn wire(&self) -> Option<&Bytes> {
        self.wire.as_ref()
    }

    /// Tells this from all keys that this process held or will hold, the same key at another time included.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Gives the key a companion, where it has none, that is dropped with it.
    pub fn accompany(&self, companion: impl FnOnce() -> Companion) {
        self.companion.get_or_init(companion);
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
