use super::*;
use crate::store::names::Owner;
use bytes::Bytes;
use fhectl_core::bundle::ModelId;
use fhectl_core::error::{Error, ErrorCode};
use std::sync::atomic::AtomicUsize;
use tokio::time::{advance, sleep};

const FOOTPRINT: KeyFootprint = KeyFootprint { framed: 10 << 10, unpacked: 20 << 10, keeps_wire: false };
const HOUR: Duration = Duration::from_secs(3600);

fn namespace() -> KeyNamespace {
    KeyNamespace { model: ModelId([3; 32]), owner: Owner::anyone() }
}

fn id(number: u8) -> KeyId {
    KeyId::of(&[number])
}

/// A cache whose keys are numbers.
struct Fixture {
    store: KeyStore,
    cache: KeyCache<u8>,
    loads: AtomicUsize,
}

impl Fixture {
    async fn new(kib: u64, revalidate: Duration) -> Self {
        Self::with(KeyStore::open("memory:").await.unwrap(), kib, revalidate)
    }

    fn with(store: KeyStore, kib: u64, revalidate: Duration) -> Self {
        let config = CacheConfig { bytes: kib << 10, revalidate, grace: HOUR };
        Self { cache: KeyCache::new(store.clone(), config), store, loads: AtomicUsize::new(0) }
    }

    async fn put(&self, number: u8) {
        self.store.put(&namespace(), &id(number), Bytes::copy_from_slice(&[number])).await.unwrap();
    }

    async fn get(&self, number: u8) -> Result<Arc<HeldKey<u8>>> {
        let load = async {
            self.loads.fetch_add(1, Ordering::Relaxed);
            let found = self.store.get(&namespace(), &id(number), 1).await?;
            let (bytes, completed) = found.ok_or_else(|| Error::new(ErrorCode::KeyUnknown, "absent"))?;
            sleep(Duration::from_millis(10)).await;
            Ok(Loaded { key: bytes[0], wire: None, completed })
        };
        self.cache.get(&namespace(), &id(number), FOOTPRINT, load).await
    }

    async fn code(&self, number: u8) -> ErrorCode {
        self.get(number).await.map(drop).unwrap_err().code
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }

    /// KiB that are free.
    fn free(&self) -> usize {
        self.cache.memory.free() >> 10
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_is_loaded_once_however_many_ask() {
    let fixture = Fixture::new(1000, HOUR).await;
    fixture.put(1).await;
    let all = futures_util::future::join_all((0..50).map(|_| fixture.get(1))).await;
    assert!(all.iter().all(|key| ***key.as_ref().unwrap() == 1u8));
    assert_eq!((fixture.loads(), fixture.free()), (1, 980));
    // Whoever loads may go away: the next one takes over, and nothing is left of one that never came.
    let abandoned = tokio::time::timeout(Duration::from_millis(1), fixture.get(1)).await;
    assert!(abandoned.is_ok(), "it is in memory");
    fixture.put(2).await;
    assert!(tokio::time::timeout(Duration::from_millis(1), fixture.get(2)).await.is_err());
    assert_eq!(fixture.code(3).await, ErrorCode::KeyUnknown);
    assert_eq!((fixture.cache.slots.lock().unwrap().len(), fixture.free()), (1, 980));
    fixture.get(2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_bound_holds_for_keys_kept_loading_and_in_use() {
    // Room for three keys that are kept, or two and one on its way in.
    let fixture = Fixture::new(70, HOUR).await;
    for number in 1..=5 {
        fixture.put(number).await;
    }
    for number in [1, 2, 1, 3, 4] {
        fixture.get(number).await.unwrap();
    }
    // 4 pushed out 2, which was not used for longest, and nothing else.
    let loads = fixture.loads();
    fixture.get(1).await.unwrap();
    fixture.get(3).await.unwrap();
    assert_eq!((loads, fixture.loads()), (4, 4));
    let zeroth = fixture.get(2).await.unwrap();
    assert_eq!(fixture.loads(), 5);
    // All are in use: nothing can go, so the next one waits for room until one is let go.
    let (first, second) = (fixture.get(4).await.unwrap(), fixture.get(5).await.unwrap());
    let waiting = fixture.get(1);
    let letting_go = async {
        sleep(WAIT_FOR_MEMORY / 2).await;
        drop(first);
    };
    let begun = Instant::now();
    let (third, ()) = tokio::join!(waiting, letting_go);
    assert!(begun.elapsed() >= WAIT_FOR_MEMORY / 2);
    let held = [third.unwrap(), second, zeroth];
    assert_eq!(fixture.code(3).await, ErrorCode::Busy);
    // Forgotten, and still in use: its room is not given away.
    for number in [1, 5] {
        fixture.cache.forget(&namespace(), &id(number));
    }
    assert_eq!(fixture.free(), 10);
    drop(held);
    assert_eq!(fixture.free(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_larger_than_the_bound_comes_alone() {
    let fixture = Fixture::new(15, HOUR).await;
    fixture.put(1).await;
    fixture.put(2).await;
    for number in [1, 2, 1] {
        assert_eq!(**fixture.get(number).await.unwrap(), number);
    }
    assert_eq!(fixture.loads(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_deleted_elsewhere_goes_in_time_and_one_in_use_is_asked_after_in_the_background() {
    let fixture = Fixture::new(1000, HOUR).await;
    fixture.put(1).await;
    fixture.get(1).await.unwrap();
    fixture.store.delete(&namespace(), &id(1)).await.unwrap();
    fixture.get(1).await.expect("in its time it is used");
    advance(HOUR / 2).await;
    // Past the half of it this asks; the next one knows.
    fixture.get(1).await.expect("nobody waits for the store");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(fixture.code(1).await, ErrorCode::KeyUnknown);
    // One that nobody asked after meanwhile is asked after first.
    fixture.put(1).await;
    fixture.get(1).await.unwrap();
    fixture.store.delete(&namespace(), &id(1)).await.unwrap();
    advance(HOUR).await;
    assert_eq!(fixture.code(1).await, ErrorCode::KeyUnknown);
    assert_eq!(fixture.free(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_time_is_over_goes_whatever_the_cache_knows() {
    let store = KeyStore::open("memory:").await.unwrap().with_key_ttl(Some(HOUR));
    let fixture = Fixture::with(store, 1000, HOUR);
    let load = async { Ok(Loaded { key: 1, wire: None, completed: SystemTime::now() - 2 * HOUR }) };
    fixture.cache.get(&namespace(), &id(1), FOOTPRINT, load).await.unwrap();
    assert_eq!(fixture.code(1).await, ErrorCode::KeyUnknown);
    fixture.put(1).await;
    fixture.get(1).await.expect("it came again");
}
