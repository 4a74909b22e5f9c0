//! Unpacked keys in memory, bounded in bytes, and asked after in the store so that a deleted one stops working here
//! too.
//!
//! The bound holds for all keys together: those kept for later, those being read and unpacked, those in use though
//! evicted. Caches at hand bound only the first kind.

use super::held_key::{HeldKey, KeyFootprint};
use super::key_store::KeyStore;
use super::memory_budget::{MemoryBudget, Reservation};
use super::names::{KeyId, KeyNamespace, Uid};
use bytes::Bytes;
use fhectl_core::circuit::EvaluationKey;
use fhectl_core::error::Result;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long a key waits for memory, while all that there is is in use.
const WAIT_FOR_MEMORY: Duration = Duration::from_secs(5);
/// How often it is looked whether there is a key to evict meanwhile.
const EVICT_EVERY: Duration = Duration::from_millis(50);
/// Uids that are remembered.
const MAX_UIDS: usize = 1 << 16;

/// How keys are kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct CacheConfig {
    /// Bytes of keys in memory.
    pub bytes: u64,
    /// The longest that a key is used after the store said that it is there: in that time a deletion on another
    /// server has reached this one.
    pub revalidate: Duration,
    /// How much longer it is used while the store cannot be reached.
    pub grace: Duration,
}

/// A key from the store.
pub struct Loaded<K = EvaluationKey> {
    pub key: K,
    /// As it was read, where it stays in memory.
    pub wire: Option<Bytes>,
    /// When it was completed, by the store's clock.
    pub completed: SystemTime,
}

type Name = (KeyNamespace, KeyId);

/// The keys that were used last. Many requests for one absent key load it once.
pub struct KeyCache<K = EvaluationKey> {
    store: KeyStore,
    config: CacheConfig,
    memory: MemoryBudget,
    slots: Mutex<HashMap<Name, Arc<Slot<K>>>>,
    uids: Mutex<HashMap<(KeyNamespace, Uid), KeyId>>,
    /// Counts uses: the least recently used go first.
    uses: AtomicU64,
}

/// The place of one key; its lock is held while the key is loaded or asked after, so that this happens once.
struct Slot<K> {
    name: Name,
    used: AtomicU64,
    held: tokio::sync::Mutex<Option<Entry<K>>>,
}

struct Entry<K> {
    key: Arc<HeldKey<K>>,
    life: Arc<Mutex<Life>>,
}

/// What is known of a key's life in the store.
struct Life {
    completed: SystemTime,
    /// When the store was asked that said so.
    checked: Instant,
    gone: bool,
    asking: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is guarded here can be left half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the place of a key that did not come.
struct Vacant<'a, K> {
    cache: &'a KeyCache<K>,
    slot: Arc<Slot<K>>,
    keep: bool,
}

impl<K> Drop for Vacant<'_, K> {
    fn drop(&mut self) {
        if !self.keep {
            let mut slots = lock(&self.cache.slots);
            if slots.get(&self.slot.name).is_some_and(|own| Arc::ptr_eq(own, &self.slot)) {
                slots.remove(&self.slot.name);
            }
        }
    }
}

impl<K> KeyCache<K> {
    pub fn new(store: KeyStore, config: CacheConfig) -> Self {
        let (slots, uids) = (Mutex::default(), Mutex::default());
        Self {
            store,
            config,
            memory: MemoryBudget::new(config.bytes, "evaluation keys"),
            slots,
            uids,
            uses: AtomicU64::new(0),
        }
    }

    /// The key, from memory or from `load`, which runs once however many ask.
    ///
    /// # Errors
    /// What `load` says; `busy` where there is no memory for it; `store_unavailable` where the store could not be asked
    /// after it for too long.
    pub async fn get(
        &self,
        namespace: &KeyNamespace,
        id: &KeyId,
        footprint: KeyFootprint,
        load: impl Future<Output = Result<Loaded<K>>>,
    ) -> Result<Arc<HeldKey<K>>> {
        let slot = self.slot((namespace.clone(), id.clone()));
        let mut vacant = Vacant { cache: self, slot: slot.clone(), keep: false };
        let mut held = slot.held.lock().await;
        if let Some(entry) = &*held {
            if self.is_valid(&slot.name, entry).await.inspect_err(|_| vacant.keep = true)? {
                vacant.keep = true;
                self.touch(&slot);
                return Ok(entry.key.clone());
            }
            *held = None;
        }
        let asked = Instant::now();
        let mut memory = self.reserve(footprint).await?;
        let loaded = load.await?;
        self.unpacked(&mut memory, footprint);
        let entry = self.entry(loaded, memory, asked);
        let key = entry.key.clone();
        *held = Some(entry);
        drop(held);
        vacant.keep = true;
        self.settle(slot);
        Ok(key)
    }

    /// Memory for a key on its way in, made where there is none: those that were not used for longest go.
    ///
    /// # Errors
    /// `busy` where all keys are in use, and stay so.
    pub async fn reserve(&self, footprint: KeyFootprint) -> Result<Reservation> {
        // A key that is larger than all of the memory comes alone.
        let bytes = self.memory.at_most(footprint.arriving());
        let end = Instant::now() + WAIT_FOR_MEMORY;
        loop {
            let evicted = match self.memory.try_reserve(bytes) {
                Ok(memory) => return Ok(memory),
                Err(_) => self.evict(bytes),
            };
            if !evicted && let Ok(memory) = self.memory.reserve(bytes, EVICT_EVERY).await {
                return Ok(memory);
            }
            if Instant::now() >= end {
                return self.memory.try_reserve(bytes);
            }
        }
    }

    /// Gives back what the framed key took, where it does not stay.
    fn unpacked(&self, memory: &mut Reservation, footprint: KeyFootprint) {
        memory.shrink_to(self.memory.at_most(footprint.resting()));
    }

    /// Keeps a key that was unpacked to verify it: it is likely to be used next. `asked` is a moment before it was
    /// put into the store.
    pub async fn keep(
        &self,
        name: (&KeyNamespace, &KeyId),
        footprint: KeyFootprint,
        loaded: Loaded<K>,
        mut memory: Reservation,
        asked: Instant,
    ) {
        let slot = self.slot((name.0.clone(), name.1.clone()));
        self.unpacked(&mut memory, footprint);
        let entry = self.entry(loaded, memory, asked);
        *slot.held.lock().await = Some(entry);
        self.settle(slot);
    }

    /// How many keys are in memory, those on their way in included.
    pub fn count(&self) -> usize {
        lock(&self.slots).len()
    }

    /// Forgets a key and the uids that stand for it.
    pub fn forget(&self, namespace: &KeyNamespace, id: &KeyId) {
        lock(&self.slots).remove(&(namespace.clone(), id.clone()));
        lock(&self.uids).retain(|(own, _), key| (own, &*key) != (namespace, id));
    }

    /// The key that a uid stands for, from memory or from the store.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn uid(&self, namespace: &KeyNamespace, uid: &Uid) -> Result<Option<KeyId>> {
        // Whether the key is still there is asked of the key.
        let name = (namespace.clone(), uid.clone());
        if let Some(id) = lock(&self.uids).get(&name) {
            return Ok(Some(id.clone()));
        }
        let found = self.store.uid(namespace, uid).await?;
        if let Some(id) = &found {
            let mut uids = lock(&self.uids);
            if uids.len() >= MAX_UIDS {
                uids.clear();
            }
            uids.insert(name, id.clone());
        }
        Ok(found)
    }

    fn slot(&self, name: Name) -> Arc<Slot<K>> {
        let new =
            || Arc::new(Slot { name: name.clone(), used: AtomicU64::new(0), held: tokio::sync::Mutex::default() });
        lock(&self.slots).entry(name.clone()).or_insert_with(new).clone()
    }

    fn entry(&self, loaded: Loaded<K>, memory: Reservation, checked: Instant) -> Entry<K> {
        let life = Life { completed: loaded.completed, checked, gone: false, asking: false };
        Entry { key: Arc::new(HeldKey::new(loaded.key, loaded.wire, memory)), life: Arc::new(Mutex::new(life)) }
    }

    fn touch(&self, slot: &Slot<K>) {
        slot.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Puts a slot that got its key back to where it is found: it may have been taken for an empty one meanwhile.
    fn settle(&self, slot: Arc<Slot<K>>) {
        self.touch(&slot);
        lock(&self.slots).insert(slot.name.clone(), slot);
    }

    /// Drops the least recently used of the keys that nobody computes with, until so many bytes are free or a 32nd of
    /// all went, whatever is more; tells whether there was one.
    fn evict(&self, bytes: usize) -> bool {
        let goal = bytes.saturating_sub(self.memory.free()).max(self.memory.total() / 32);
        let mut slots = lock(&self.slots);
        let idle = |slot: &Arc<Slot<K>>| {
            let held = slot.held.try_lock().ok()?;
            let key = &held.as_ref()?.key;
            (Arc::strong_count(key) == 1).then(|| (slot.used.load(Ordering::Relaxed), key.bytes(), slot.name.clone()))
        };
        let mut oldest: Vec<_> = slots.values().filter_map(idle).collect();
        oldest.sort_unstable_by_key(|(used, ..)| *used);
        let mut freed = 0;
        for (_, bytes, name) in oldest {
            if freed >= goal {
                break;
            }
            slots.remove(&name);
            freed += bytes;
        }
        freed > 0
    }

    /// Whether a key in memory may still be used. The store is asked in the background once half the time is over, and
    /// waited for only where all of it is.
    async fn is_valid(&self, name: &Name, entry: &Entry<K>) -> Result<bool> {
        let (completed, age, gone) = {
            let life = lock(&entry.life);
            (life.completed, life.checked.elapsed(), life.gone)
        };
        let CacheConfig { revalidate, grace, .. } = self.config;
        if gone || self.store.expired(completed) {
            return Ok(false);
        }
        if age < revalidate / 2 {
            return Ok(true);
        }
        let in_grace = age <= revalidate.saturating_add(grace);
        if age < revalidate || in_grace && !self.store.reachable() {
            self.ask_in_background(name, entry);
            return Ok(true);
        }
        let asked = Instant::now();
        match self.store.still_there(&name.0, &name.1).await {
            Ok(found) => {
                lock(&entry.life).learn(found, asked);
                Ok(found.is_some())
            }
            Err(_) if in_grace => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn ask_in_background(&self, name: &Name, entry: &Entry<K>) {
        if std::mem::replace(&mut lock(&entry.life).asking, true) {
            return;
        }
        let (store, (namespace, id), life) = (self.store.clone(), name.clone(), entry.life.clone());
        tokio::spawn(async move {
            let asked = Instant::now();
            let found = store.still_there(&namespace, &id).await;
            let mut life = lock(&life);
            life.asking = false;
            if let Ok(found) = found {
                life.learn(found, asked);
            }
        });
    }
}

impl Life {
    fn learn(&mut self, found: Option<SystemTime>, asked: Instant) {
        match found {
            Some(completed) => (self.completed, self.checked) = (completed, asked),
            None => self.gone = true,
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
