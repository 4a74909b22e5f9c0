//! The keys in a device's memory, bounded in bytes.
//!
//! The bound holds for all of them together: those that wait to be used again, those in use, and those that were dropped
//! and whose memory the device has not given back yet. Nothing here calls the device.

use super::contract::LoadedKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The keys that were used last, by the numbers of the host's keys.
pub(crate) struct KeyTable {
    bound: usize,
    state: Arc<Mutex<State>>,
    /// Held while a key is loaded: one at a time, and each once however many ask.
    pub loading: Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: HashMap<u64, Kept>,
    /// Bytes of all keys that are not dropped yet.
    taken: usize,
    uses: u64,
}

struct Kept {
    key: Arc<ResidentKey>,
    used: u64,
}

/// A key in the device's memory.
pub(crate) struct ResidentKey {
    /// None once it is dropped.
    key: Option<LoadedKey>,
    bytes: usize,
    state: Arc<Mutex<State>>,
}

/// A key that stays where it is until this is dropped.
pub(crate) struct Lease(Arc<ResidentKey>);

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing that is guarded here can be left half-done.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyTable {
    /// Keys of so many bytes together.
    pub fn new(bound: usize) -> Self {
        Self { bound, state: Arc::default(), loading: Mutex::default() }
    }

    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Keys, and their bytes.
    pub fn taken(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.keys.len(), state.taken)
    }

    pub fn lease(&self, number: u64) -> Option<Lease> {
        let mut state = lock(&self.state);
        state.uses += 1;
        let now = state.uses;
        let kept = state.keys.get_mut(&number)?;
        kept.used = now;
        Some(Lease(kept.key.clone()))
    }

    /// Takes out as many of the least recently used keys as leave room for `bytes`, sparing those in use. None where that
    /// is not enough; then all stay. There is room once those taken out are dropped.
    pub fn make_room(&self, bytes: usize) -> Option<Vec<(u64, Arc<ResidentKey>)>> {
        let mut state = lock(&self.state);
        let goal = (state.taken + bytes).saturating_sub(self.bound);
        state.evict(goal)
    }

    /// As [`KeyTable::make_room`] where the device says that there is none, whatever the bound is: some key goes.
    pub fn make_more_room(&self, bytes: usize) -> Option<Vec<(u64, Arc<ResidentKey>)>> {
        let mut state = lock(&self.state);
        let goal = bytes.min(state.idle_bytes()).max(1);
        state.evict(goal)
    }

    /// Takes out the least recently used half, by bytes, of the keys that nobody computes with.
    pub fn halve(&self) -> Vec<(u64, Arc<ResidentKey>)> {
        let mut state = lock(&self.state);
        let half = state.idle_bytes().div_ceil(2);
        state.evict(half).unwrap_or_default()
    }

    /// Keeps a key that was loaded.
    pub fn insert(&self, number: u64, key: LoadedKey, bytes: usize) -> Lease {
        let key = Arc::new(ResidentKey { key: Some(key), bytes, state: self.state.clone() });
        let mut state = lock(&self.state);
        state.taken += bytes;
        state.uses += 1;
        let used = state.uses;
        state.keys.insert(number, Kept { key: key.clone(), used });
        Lease(key)
    }

    /// Takes a key out.
    pub fn remove(&self, number: u64) -> Option<Arc<ResidentKey>> {
        Some(lock(&self.state).keys.remove(&number)?.key)
    }

    /// Takes all keys out.
    pub fn clear(&self) -> Vec<Arc<ResidentKey>> {
        lock(&self.state).keys.drain().map(|(_, kept)| kept.key).collect()
    }
}

impl State {
    /// Keys that nobody computes with: when they were used, their numbers, their bytes.
    fn idle(&self) -> Vec<(u64, u64, usize)> {
        let idle = self.keys.iter().filter(|(_, kept)| Arc::strong_count(&kept.key) == 1);
        idle.map(|(number, kept)| (kept.used, *number, kept.key.bytes)).collect()
    }

    fn idle_bytes(&self) -> usize {
        self.idle().iter().map(|(.., bytes)| bytes).sum()
    }

    /// So many bytes of the idle keys that were not used for longest; none where there are fewer.
    fn evict(&mut self, goal: usize) -> Option<Vec<(u64, Arc<ResidentKey>)>> {
        let mut idle = self.idle();
        idle.sort_unstable();
        let mut freed = 0;
        let enough = idle.iter().take_while(|(.., bytes)| {
            let wanted = freed < goal;
            freed += if wanted { *bytes } else { 0 };
            wanted
        });
        let numbers: Vec<u64> = enough.map(|(_, number, _)| *number).collect();
        if freed < goal {
            return None;
        }
        Some(numbers.into_iter().filter_map(|number| Some((number, self.keys.remove(&number)?.key))).collect())
    }
}

impl Lease {
    pub fn key(&self) -> &LoadedKey {
        self.0.key.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for ResidentKey {
    fn drop(&mut self) {
        drop(self.key.take());
        lock(&self.state).taken -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(table: &KeyTable, number: u64, bytes: usize) -> Option<(Vec<u64>, Lease)> {
        let evicted = table.make_room(bytes)?;
        let numbers = evicted.into_iter().map(|(number, _)| number).collect();
        Some((numbers, table.insert(number, Box::new(number), bytes)))
    }

    fn there(table: &KeyTable) -> Vec<u64> {
        let mut numbers: Vec<u64> = lock(&table.state).keys.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn the_bound_holds_for_keys_in_use_and_the_least_recently_used_goes() {
        let table = KeyTable::new(30);
        let first = load(&table, 1, 10).unwrap().1;
        drop(load(&table, 2, 10));
        drop(load(&table, 3, 10));
        assert_eq!(table.taken(), (3, 30));
        drop(table.lease(2));
        // 1 is in use, 2 was used after 3.
        let (evicted, fourth) = load(&table, 4, 10).unwrap();
        assert_eq!((evicted, table.taken()), (vec![3], (3, 30)));
        assert!(load(&table, 5, 20).is_none(), "only 2 could go");
        assert_eq!(there(&table), [1, 2, 4]);
        drop((first, fourth));
        assert_eq!(load(&table, 5, 20).unwrap().0, [1, 2]);
        assert!(load(&table, 6, 31).is_none());
        assert!(table.lease(1).is_none());
    }

    #[test]
    fn memory_is_free_once_a_key_is_dropped_and_not_before() {
        let table = KeyTable::new(30);
        let lease = load(&table, 1, 20).unwrap().1;
        drop(table.remove(1).unwrap());
        assert_eq!((there(&table).len(), table.taken().1), (0, 20), "it is in use");
        assert!(table.make_room(20).is_none());
        drop(lease);
        assert_eq!(table.taken(), (0, 0));
        assert!(table.make_room(20).unwrap().is_empty());
    }

    #[test]
    fn a_device_that_is_full_before_its_bound_gets_more_room() {
        let table = KeyTable::new(1000);
        assert!(table.make_more_room(10).is_none(), "there is nothing to drop");
        let used = load(&table, 1, 10).unwrap().1;
        drop((load(&table, 2, 10), load(&table, 3, 10)));
        assert_eq!(table.make_more_room(15).unwrap().len(), 2);
        assert!(table.make_more_room(15).is_none(), "the other is in use");
        assert!(table.halve().is_empty());
        drop((load(&table, 4, 10), load(&table, 5, 10), load(&table, 6, 10)));
        let halved: Vec<u64> = table.halve().into_iter().map(|(number, _)| number).collect();
        assert_eq!((halved, there(&table)), (vec![4, 5], vec![1, 6]));
        assert_eq!(**used.key().downcast_ref::<u64>().iter().next().unwrap(), 1);
    }
}
