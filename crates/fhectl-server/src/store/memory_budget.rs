//! A bound on bytes in memory: of evaluation keys, and of requests and replies in flight.

use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What permits count.
const KIB: usize = 1024;

/// So many bytes for all things of one kind together, and what of it is free. Cheap to clone. Counted in KiB.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    free: Arc<Semaphore>,
    total_kib: u32,
    /// What the bytes hold, in the plural: for errors.
    holds: &'static str,
}

/// Part of a budget; given back when it is dropped.
#[derive(Debug, Default)]
pub struct Reservation(Option<OwnedSemaphorePermit>);

impl MemoryBudget {
    /// A budget of so many bytes, at least a KiB and at most 4 TiB, for what `holds` names, e.g. `"requests"`.
    pub fn new(bytes: u64, holds: &'static str) -> Self {
        let most = (Semaphore::MAX_PERMITS as u64).min(u32::MAX.into());
        let total_kib = bytes.div_ceil(KIB as u64).clamp(1, most) as u32;
        Self { free: Arc::new(Semaphore::new(total_kib as usize)), total_kib, holds }
    }

    /// All of it, in bytes.
    pub fn total(&self) -> usize {
        self.total_kib as usize * KIB
    }

    /// Bytes that are free.
    pub fn free(&self) -> usize {
        self.free.available_permits() * KIB
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> usize {
        self.total().saturating_sub(self.free())
    }

    /// So many bytes, or all that there are: what is larger than the budget takes all of it and comes alone.
    pub fn at_most(&self, bytes: usize) -> usize {
        bytes.clamp(1, self.total())
    }

    /// Takes so many bytes at once or not at all.
    ///
    /// # Errors
    /// `busy`.
    pub fn try_reserve(&self, bytes: usize) -> Result<Reservation> {
        let permit = permits(bytes).and_then(|kib| self.free.clone().try_acquire_many_owned(kib).ok());
        permit.map(|permit| Reservation(Some(permit))).ok_or_else(|| self.exhausted())
    }

    /// Takes so many bytes as soon as they are free, for at most `timeout`. Whoever asked first is served first.
    ///
    /// # Errors
    /// `busy`.
    pub async fn reserve(&self, bytes: usize, timeout: Duration) -> Result<Reservation> {
        let kib = permits(bytes).ok_or_else(|| self.exhausted())?;
        match tokio::time::timeout(timeout, self.free.clone().acquire_many_owned(kib)).await {
            Ok(permit) => Ok(Reservation(Some(permit.expect("it is never closed")))),
            Err(_) => Err(self.exhausted()),
        }
    }

    fn exhausted(&self) -> Error {
        Error::new(ErrorCode::Busy, format!("the server holds as many {} as it may", self.holds))
            .hint("try again after a short wait")
            .retry_after(Duration::from_secs(1))
    }
}

fn permits(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.div_ceil(KIB)).ok()
}

impl Reservation {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |permit| permit.num_permits() * KIB)
    }

    /// Takes another one of the same budget in.
    pub fn merge(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (Some(own), Some(other)) => own.merge(other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }

    /// Gives back what is beyond so many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(own) = &mut self.0 {
            drop(own.split(own.num_permits().saturating_sub(bytes.div_ceil(KIB))));
        }
    }

    /// Bytes that hold their reservation until the last of them is sent or dropped.
    pub fn around(self, bytes: Vec<u8>) -> Bytes {
        struct Held(Vec<u8>, #[expect(dead_code, reason = "dropped with the bytes")] Reservation);
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
    fn a_reservation_ends_when_the_last_byte_is_gone() {
        let budget = MemoryBudget::new(10 << 10, "requests");
        let mut reservation = budget.try_reserve(4000).unwrap();
        reservation.merge(budget.try_reserve(5000).unwrap());
        assert_eq!(budget.taken(), 9 << 10);
        let error = budget.try_reserve(2000).unwrap_err();
        assert!(error.code == ErrorCode::Busy && error.message.contains("requests"));
        let bytes = reservation.around(vec![1; 9000]);
        let rest = bytes.slice(8999..);
        drop(bytes);
        assert_eq!(budget.taken(), 9 << 10);
        drop(rest);
        assert_eq!(budget.taken(), 0);
        assert!(budget.try_reserve(usize::MAX).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gets_what_is_given_back() {
        let budget = MemoryBudget::new(10 << 10, "keys");
        let mut first = budget.try_reserve(budget.at_most(usize::MAX)).unwrap();
        let wait = Duration::from_secs(5);
        assert_eq!(budget.reserve(1, wait).await.unwrap_err().code, ErrorCode::Busy);
        let (second, ()) = tokio::join!(budget.reserve(3 << 10, wait), async { first.shrink_to(7 << 10) });
        assert_eq!((first.bytes(), second.unwrap().bytes()), (7 << 10, 3 << 10));
    }
}
