use super::*;
use crate::device::{KeyedRows, LoadedKey};
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Barrier, Mutex};
use std::time::Instant;

/// Counts keys, and refuses some.
#[derive(Default)]
struct Fake {
    loads: AtomicUsize,
    alive: Arc<AtomicUsize>,
    most: AtomicUsize,
    /// What loads fail with, the next one first.
    failures: Mutex<Vec<Error>>,
    given_up: AtomicUsize,
}

struct FakeKey(Arc<AtomicUsize>);

impl Drop for FakeKey {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Device for Arc<Fake> {
    fn name(&self) -> &str {
        "fake:0"
    }

    fn open(&self, _: &[Arc<Evaluator>]) -> Result<Box<dyn OpenDevice>> {
        Ok(Box::new(self.clone()))
    }

    fn is_out_of_memory(&self, error: &Error) -> bool {
        error.message == "full"
    }
}

impl OpenDevice for Arc<Fake> {
    fn description(&self) -> &str {
        "counts"
    }

    fn key_memory(&self) -> usize {
        20
    }

    /// Model 1 has keys of 10 bytes, model 2 of 20, model 3 of 30.
    fn model(&self, model: usize) -> Option<ModelOnDevice> {
        Some(ModelOnDevice { bootstraps: 1, key_bytes: 10 * model })
    }

    fn load_key(&self, _: usize, wire: &[u8]) -> Result<LoadedKey> {
        assert_eq!(wire, b"key");
        self.loads.fetch_add(1, Ordering::SeqCst);
        if let Some(error) = self.failures.lock().unwrap().pop() {
            return Err(error);
        }
        let alive = self.alive.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(alive, Ordering::SeqCst);
        Ok(Box::new(FakeKey(self.alive.clone())))
    }

    fn evaluate(&self, _: usize, _: &[KeyedRows<'_>]) -> Result<Vec<Result<Vec<Vec<u8>>>>> {
        unreachable!("no test evaluates")
    }

    fn release_unused(&self) {}

    fn give_up(&self, _: &str) {
        self.given_up.fetch_add(1, Ordering::SeqCst);
    }
}

fn session(limit: Duration) -> (Arc<Fake>, Session) {
    let fake = Arc::<Fake>::default();
    let device: Arc<dyn Device> = Arc::new(fake.clone());
    (fake, Session::open(&device, &[], 2, limit).unwrap())
}

fn lease(session: &Session, lane: usize, model: usize, number: u64) -> Result<Option<Lease>> {
    let wanted = WantedKey { model, number, wire: bytes::Bytes::from_static(b"key") };
    session.lease(lane, wanted, &|_| ())
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn many_that_want_one_key_load_it_once() {
    let (fake, session) = session(LONG);
    let begin = Barrier::new(LANES);
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (session, begin) = (&session, &begin);
            scope.spawn(move || {
                begin.wait();
                for _ in 0..50 {
                    lease(session, lane, 1, 7).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(fake.loads.load(Ordering::SeqCst), 1);
}

#[test]
fn no_more_keys_are_on_the_device_than_its_bound_says_whoever_loads() {
    let (fake, session) = session(LONG);
    thread::scope(|scope| {
        for lane in 0..LANES {
            let session = &session;
            scope.spawn(move || {
                for number in 0..200 {
                    // At most two are in use at once.
                    assert!(lease(session, lane, 1, 1000 * lane as u64 + number % 7).unwrap().is_some());
                }
            });
        }
    });
    assert!(fake.loads.load(Ordering::SeqCst) >= 14);
    assert_eq!(fake.most.load(Ordering::SeqCst), 2);
}

#[test]
fn where_all_keys_are_in_use_there_is_no_room() {
    let (fake, session) = session(LONG);
    let (first, second) = (lease(&session, 0, 1, 1).unwrap(), lease(&session, 0, 1, 2).unwrap());
    assert!(first.is_some() && second.is_some());
    assert!(lease(&session, 1, 1, 3).unwrap().is_none());
    drop(first);
    assert!(lease(&session, 1, 2, 4).unwrap().is_none(), "it needs both places");
    assert!(lease(&session, 1, 1, 3).unwrap().is_some());
    assert!(lease(&session, 1, 3, 5).unwrap().is_none(), "it is larger than the bound");
    assert!(session.model(3).is_none());
    assert_eq!(fake.loads.load(Ordering::SeqCst), 3);
}

#[test]
fn a_full_device_gets_another_chance_once_a_key_is_gone() {
    let (fake, session) = session(LONG);
    let full = || Error::new(ErrorCode::DeviceFailed, "full");
    drop(lease(&session, 0, 1, 1).unwrap().unwrap());
    fake.failures.lock().unwrap().push(full());
    assert!(lease(&session, 0, 1, 2).unwrap().is_some());
    assert_eq!((fake.alive.load(Ordering::SeqCst), session.keys().taken()), (1, (1, 10)), "the idle one went");
    fake.failures.lock().unwrap().extend([full(), full()]);
    assert!(lease(&session, 0, 1, 3).unwrap().is_none());
    assert!(lease(&session, 0, 1, 3).unwrap().is_some(), "the device is well");
    fake.failures.lock().unwrap().push(Error::new(ErrorCode::DeviceFailed, "broken"));
    let error = lease(&session, 0, 1, 4).map(|_| ()).unwrap_err();
    assert!(session.is_loss(&error) && !session.is_loss(&full()));
}

#[test]
fn keys_that_wait_go_for_a_launch_and_those_in_use_stay() {
    let (fake, session) = session(LONG);
    let used = lease(&session, 0, 1, 1).unwrap().unwrap();
    drop(lease(&session, 0, 1, 2).unwrap());
    // It has memory where so many keys are left.
    let compute = |_: &dyn OpenDevice, (alive, enough): &(Arc<AtomicUsize>, usize)| match alive.load(Ordering::SeqCst) {
        alive if alive <= *enough => Ok(alive),
        _ => Err(Error::new(ErrorCode::DeviceFailed, "full")),
    };
    let left = Mutex::new(Vec::new());
    let attempt = |enough| {
        let keep = |number| left.lock().unwrap().push(number);
        session.compute(LONG, 0, (fake.alive.clone(), enough), compute, &keep)
    };
    assert_eq!((attempt(1).unwrap(), left.lock().unwrap().as_slice()), (1, &[2][..]));
    assert!(session.is_out_of_memory(&attempt(0).unwrap_err()));
    // That was futile, so that keys stay for a while.
    drop(used);
    assert!(session.is_out_of_memory(&attempt(0).unwrap_err()));
    assert_eq!((left.lock().unwrap().as_slice(), session.keys().taken()), (&[2][..], (1, 10)));
}

#[test]
fn a_key_that_the_host_forgets_leaves_the_device_once_it_is_not_in_use() {
    let (fake, session) = session(LONG);
    let used = lease(&session, 0, 1, 1).unwrap().unwrap();
    drop(lease(&session, 0, 1, 2).unwrap());
    session.forget(1);
    session.forget(2);
    session.forget(3);
    session.call(0, |_| Ok(())).unwrap();
    while fake.alive.load(Ordering::SeqCst) > 1 {
        thread::yield_now();
    }
    assert_eq!(session.keys().taken(), (0, 10));
    drop(used);
    assert_eq!((fake.alive.load(Ordering::SeqCst), session.keys().taken()), (0, (0, 0)));
}

/// A call that does not return until the sender is dropped.
fn hang(session: &Session) -> (Sender<()>, Error) {
    let (go, wait) = channel::<()>();
    let error = session.call(0, move |_| {
        let _ = wait.recv();
        Ok(())
    });
    (go, error.unwrap_err())
}

#[test]
fn a_call_that_hangs_is_left_behind() {
    let (fake, session) = session(Duration::from_millis(100));
    drop(lease(&session, 0, 1, 1).unwrap());
    let begun = Instant::now();
    let (go, error) = hang(&session);
    assert!(session.is_loss(&error) && begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(fake.given_up.load(Ordering::SeqCst), 1, "the backend was not told");
    let error = session.call(1, |_| Ok(())).unwrap_err();
    assert!(session.is_loss(&error), "no call begins on a device that was lost");
    // Its end waits for nothing; keys are dropped while the call hangs.
    drop(session);
    while fake.alive.load(Ordering::SeqCst) > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(begun.elapsed() < LONG);
    drop(go);
}

#[test]
fn what_a_late_call_returns_is_dropped() {
    let (fake, session) = session(Duration::from_millis(50));
    let (go, wait) = channel::<()>();
    let late = session.call(0, move |device| {
        let _ = wait.recv();
        device.load_key(1, b"key")
    });
    assert!(late.is_err());
    drop(session);
    drop(go);
    while fake.loads.load(Ordering::SeqCst) == 0 || fake.alive.load(Ordering::SeqCst) > 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panic_is_a_failure_of_the_device() {
    let (_, session) = session(LONG);
    let error = session.call::<()>(0, |_| panic!("on purpose")).unwrap_err();
    assert!(session.is_loss(&error));
    assert_eq!(session.call(0, |_| Ok(7)).unwrap(), 7, "whether it is lost is its owner's to say");
}
