//! Which device a key is on: it stays on one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The devices of keys, by the keys' numbers.
#[derive(Default)]
pub(super) struct Homes(Mutex<HashMap<u64, Home>>);

#[derive(Clone, Copy)]
struct Home {
    device: usize,
    /// Of the device's memory.
    bytes: usize,
}

/// A device that a key may go to.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub device: usize,
    /// Bytes of its memory for keys, taken or not.
    pub key_memory: usize,
    /// What the key would take.
    pub bytes: usize,
}

impl Homes {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Home>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key's device, where that is among the candidates; otherwise the one with the most memory free becomes it. Keys
    /// that are to be loaded count as those that are.
    pub fn settle(&self, number: u64, candidates: &[Candidate]) -> Option<usize> {
        let mut homes = self.lock();
        if let Some(home) = homes.get(&number)
            && candidates.iter().any(|candidate| candidate.device == home.device)
        {
            return Some(home.device);
        }
        let free = |candidate: &&Candidate| {
            let taken: usize =
                homes.values().filter(|home| home.device == candidate.device).map(|home| home.bytes).sum();
            // Of two that are as free the first.
            (candidate.key_memory.saturating_sub(taken), std::cmp::Reverse(candidate.device))
        };
        let Candidate { device, bytes, .. } = *candidates.iter().max_by_key(free)?;
        homes.insert(number, Home { device, bytes });
        Some(device)
    }

    /// A device has a key no longer.
    pub fn leave(&self, number: u64, device: usize) {
        let mut homes = self.lock();
        if homes.get(&number).is_some_and(|home| home.device == device) {
            homes.remove(&number);
        }
    }

    /// A key is gone.
    pub fn forget(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// A device has lost all keys.
    pub fn clear(&self, device: usize) {
        self.lock().retain(|_, home| home.device != device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_where_most_is_free_and_stays() {
        let homes = Homes::default();
        let of = |bytes, memory: &[usize]| -> Vec<Candidate> {
            let all = memory.iter().enumerate();
            all.map(|(device, key_memory)| Candidate { device, key_memory: *key_memory, bytes }).collect()
        };
        let both = of(10, &[30, 25]);
        let settled: Vec<_> = (0..5).map(|number| homes.settle(number, &both).unwrap()).collect();
        assert_eq!(settled, [0, 1, 0, 1, 0]);
        assert_eq!(homes.settle(1, &both), Some(1), "it stays");
        homes.leave(1, 0);
        assert_eq!(homes.settle(1, &both), Some(1), "the other device never had it");
        homes.clear(1);
        assert_eq!(homes.settle(1, &both[..1]), Some(0));
        assert_eq!(homes.settle(9, &[]), None);
        homes.forget(0);
        homes.forget(2);
        homes.leave(1, 0);
        assert_eq!(homes.settle(7, &of(10, &[30, 15])), Some(0), "20 of 30 are free, and 15");
    }
}
