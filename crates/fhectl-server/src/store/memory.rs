//! The memory that evaluation keys may take: counted from before a key is read until nobody uses it any more.

use fhectl_core::circuit::EvaluationKey;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bound itself, in KiB.
pub(super) struct Memory {
    pub(super) free: Arc<Semaphore>,
    total: u32,
}

/// Part of the bound, taken for one key; given back when dropped.
pub struct Room(OwnedSemaphorePermit);

/// A key that can be computed with, and the room that it takes. Keys that were evicted while requests compute with
/// them keep theirs until those are done.
pub struct HeldKey<K = EvaluationKey> {
    key: K,
    room: Option<Room>,
}

/// What a key takes, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// As it is sent and stored: in memory while it is read and unpacked.
    pub framed: usize,
    /// Ready for use.
    pub unpacked: usize,
}

impl Memory {
    pub fn new(bytes: u64) -> Self {
        let total = bytes.div_ceil(1024).clamp(1, (Semaphore::MAX_PERMITS as u64).min(u32::MAX.into())) as u32;
        Self { free: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// The room that a key takes on its way in. One that is larger than all of it takes all of it: it comes alone.
    pub fn kib(&self, need: Need) -> u32 {
        self.clamped(need.framed + need.unpacked)
    }

    pub fn free(&self) -> u32 {
        u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX)
    }

    pub fn total(&self) -> u32 {
        self.total
    }

    fn clamped(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, self.total)
    }

    pub fn try_take(&self, kib: u32) -> Option<Room> {
        self.free.clone().try_acquire_many_owned(kib).ok().map(Room)
    }

    pub async fn take(&self, kib: u32) -> Room {
        Room(self.free.clone().acquire_many_owned(kib).await.expect("it is never closed"))
    }

    /// Gives back what the framed key took.
    pub fn unpacked(&self, mut room: Room, need: Need) -> Room {
        let beyond = room.0.num_permits().saturating_sub(self.clamped(need.unpacked) as usize);
        drop(room.0.split(beyond));
        room
    }
}

impl<K> HeldKey<K> {
    pub(super) fn new(key: K, room: Room) -> Self {
        Self { key, room: Some(room) }
    }

    /// A key that takes no room: of a circuit that needs none.
    pub fn empty(key: K) -> Self {
        Self { key, room: None }
    }

    pub(super) fn kib(&self) -> u32 {
        self.room.as_ref().map_or(0, |room| u32::try_from(room.0.num_permits()).unwrap_or(u32::MAX))
    }
}

impl<K> Deref for HeldKey<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.key
    }
}
