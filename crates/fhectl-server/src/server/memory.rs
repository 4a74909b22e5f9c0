//! Bytes of requests and replies that may be in memory at once, over all connections.

use bytes::Bytes;
use fhectl_core::error::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bound, and what of it is free. Counted in KiB.
pub(super) struct Memory {
    free: Arc<Semaphore>,
    kib: usize,
}

/// Room that was taken; given back when it is dropped.
#[derive(Default)]
pub(super) struct Room(Option<OwnedSemaphorePermit>);

impl Memory {
    pub fn new(bytes: u64) -> Self {
        let kib = usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(kib)), kib }
    }

    /// Takes room for so many bytes at once or not at all.
    ///
    /// # Errors
    /// `busy`.
    pub fn room(&self, bytes: usize) -> Result<Room> {
        let full = || {
            Error::user("busy", "the server holds as many requests as it may")
                .hint("try again after a short wait")
                .retry_after(Duration::from_secs(1))
        };
        let kib = u32::try_from(bytes.div_ceil(1024)).map_err(|_| full())?;
        self.free.clone().try_acquire_many_owned(kib).map(|permit| Room(Some(permit))).map_err(|_| full())
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> u64 {
        (self.kib - self.free.available_permits().min(self.kib)) as u64 * 1024
    }
}

impl Room {
    pub fn merge(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (Some(own), Some(other)) => own.merge(other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }

    /// Bytes that hold their room until the last of them is sent or dropped.
    pub fn around(self, bytes: Vec<u8>) -> Bytes {
        struct Held(Vec<u8>, #[expect(dead_code, reason = "dropped with the bytes")] Room);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Held(bytes, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back_when_the_last_byte_is_gone() {
        let memory = Memory::new(10 << 10);
        let mut room = memory.room(4000).unwrap();
        room.merge(memory.room(5000).unwrap());
        assert_eq!(memory.taken(), 9 << 10);
        assert_eq!(memory.room(2000).map(drop).unwrap_err().code, "busy");
        let bytes = room.around(vec![1; 9000]);
        let rest = bytes.slice(8999..);
        drop(bytes);
        assert_eq!(memory.taken(), 9 << 10);
        drop(rest);
        assert_eq!(memory.taken(), 0);
        assert!(memory.room(usize::MAX).is_err());
    }
}
