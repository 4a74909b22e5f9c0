//! A device from an opening to its loss.

use super::contract::{Device, ModelOnDevice, OpenDevice};
use super::key_table::{KeyTable, Lease};
use fhectl_core::circuit::Evaluator;
use fhectl_core::error::{Error, ErrorCode, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Launches that a device works on at once: while it computes one, the host prepares and finishes another.
pub(crate) const LANES: usize = 2;
/// How long keys stay where they are after dropping some gave a launch too little memory.
const FUTILE_FOR: Duration = Duration::from_secs(60);
/// How many times the time that was predicted for a launch it may take.
const PATIENCE: u32 = 8;

/// An open device, threads to call it from, and the keys in its memory.
///
/// Calls run on threads that belong to this opening alone. One that never returns holds up nothing else, and its thread is
/// never waited for: not by a lane's next call, which is refused, and not at the end.
pub(crate) struct Session {
    device: Arc<dyn Device>,
    /// None once the session ends.
    open: Option<Arc<dyn OpenDevice>>,
    /// One for each lane, so that no launch waits for another in the middle of its work.
    lanes: Vec<ThreadPool>,
    keys: KeyTable,
    /// When dropping keys last gave a launch too little memory.
    futile: Mutex<Option<Instant>>,
    /// The longest that a call may take.
    limit: Duration,
    lost: AtomicBool,
    hung: AtomicBool,
}

impl Session {
    /// Opens a device. Host's work for it runs on `threads` threads.
    ///
    /// # Errors
    /// `device_unavailable`, `device_failed`, `threads`.
    pub fn open(device: &Arc<dyn Device>, models: &[Arc<Evaluator>], threads: usize, limit: Duration) -> Result<Self> {
        let name = device.name();
        let opened = catch_unwind(AssertUnwindSafe(|| device.open(models)));
        let opened = opened.unwrap_or_else(|_| Err(failed(name, "its driver panicked while it was opened")));
        let open: Arc<dyn OpenDevice> = opened.map_err(|error| error.context(name))?.into();
        let lanes = (0..LANES).map(|lane| {
            let builder = ThreadPoolBuilder::new().num_threads(threads);
            let builder = builder.thread_name({
                let name = name.to_owned();
                move |index| format!("{name}-{lane}-{index}")
            });
            builder.build().map_err(|error| Error::new(ErrorCode::Threads, format!("threads for {name}: {error}")))
        });
        let lanes = lanes.collect::<Result<_>>()?;
        let keys = KeyTable::new(open.key_memory());
        let (lost, hung) = (AtomicBool::new(false), AtomicBool::new(false));
        let (device, open, futile) = (device.clone(), Some(open), Mutex::default());
        Ok(Self { device, open, lanes, keys, futile, limit, lost, hung })
    }

    fn opened(&self) -> &Arc<dyn OpenDevice> {
        self.open.as_ref().expect("it is there until the session ends")
    }

    pub fn description(&self) -> &str {
        self.opened().description()
    }

    /// A model that it computes, and one of whose keys it has room for.
    pub fn model(&self, model: usize) -> Option<ModelOnDevice> {
        self.opened().model(model).filter(|on_device| on_device.key_bytes <= self.keys.bound())
    }

    pub fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// Whether an error means that the device cannot be used any more.
    pub fn is_loss(&self, error: &Error) -> bool {
        error.code == ErrorCode::DeviceFailed && !self.is_out_of_memory(error)
    }

    pub fn is_out_of_memory(&self, error: &Error) -> bool {
        self.device.is_out_of_memory(error)
    }

    /// No call begins from now on.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// Whether a call did not return in time.
    pub fn hung(&self) -> bool {
        self.hung.load(Ordering::SeqCst)
    }

    /// Whether it computes any of so many models.
    pub fn computes_any(&self, models: usize) -> bool {
        (0..models).any(|model| self.model(model).is_some())
    }

    /// Calls the device from a lane, which does one thing after another.
    ///
    /// # Errors
    /// What `call` says; `device_failed` where it panics, takes too long, or the device was lost before.
    pub fn call<T: Send + 'static>(
        &self,
        lane: usize,
        call: impl FnOnce(&dyn OpenDevice) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.call_within(self.limit, lane, call)
    }

    /// Calls the device as [`Session::call`] does, for work that is predicted to take so long: it may take some times that, if
    /// that is longer. Where memory lacks, keys that nobody computes with go, `left` gets their numbers, and it is tried again.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub fn compute<W: Send + 'static, T: Send + 'static>(
        &self,
        predicted: Duration,
        lane: usize,
        work: W,
        compute: fn(&dyn OpenDevice, &W) -> Result<T>,
        left: &dyn Fn(u64),
    ) -> Result<T> {
        let limit = self.limit.max(predicted.saturating_mul(PATIENCE));
        let attempt = |work: W| {
            let device = self.device.clone();
            self.call_within(limit, lane, move |open| match compute(open, &work) {
                Err(error) if device.is_out_of_memory(&error) => Ok(Err((error, work))),
                outcome => outcome.map(Ok),
            })
        };
        let (error, work) = match attempt(work)? {
            Ok(outcome) => return Ok(outcome),
            Err(full) => full,
        };
        let (error, work) = match self.free_memory(lane, left) {
            Ok(true) => match attempt(work)? {
                Ok(outcome) => return Ok(outcome),
                Err(full) => {
                    *self.futile() = Some(Instant::now());
                    full
                }
            },
            Ok(false) => (error, work),
            Err(lost) => (lost, work),
        };
        self.drop_on(lane, work);
        Err(error)
    }

    /// Has the device free what nobody uses, and half of the keys that nobody computes with: other programs use it, too.
    /// Whether it did: it does not where that was futile a short while ago.
    fn free_memory(&self, lane: usize, left: &dyn Fn(u64)) -> Result<bool> {
        if self.futile().is_some_and(|since| since.elapsed() < FUTILE_FOR) {
            return Ok(false);
        }
        // No key takes the room meanwhile.
        let _alone = self.keys.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let leaving = self.keys.halve();
        leaving.iter().for_each(|(number, _)| left(*number));
        self.call(lane, move |device| {
            drop(leaving);
            device.release_unused();
            Ok(())
        })?;
        Ok(true)
    }

    fn futile(&self) -> MutexGuard<'_, Option<Instant>> {
        self.futile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what may hold memory of the device, where calls of it are made. Waits for nothing.
    fn drop_on(&self, lane: usize, what: impl Send + 'static) {
        self.lanes[lane].spawn(move || drop(catch_unwind(AssertUnwindSafe(move || drop(what)))));
    }

    fn call_within<T: Send + 'static>(
        &self,
        limit: Duration,
        lane: usize,
        call: impl FnOnce(&dyn OpenDevice) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.lost.load(Ordering::SeqCst) {
            self.drop_on(lane, call);
            return Err(failed(self.device.name(), "it was lost"));
        }
        let (sender, receiver) = sync_channel(1);
        let open = self.opened().clone();
        self.lanes[lane].spawn(move || {
            // What a call that came too late leaves behind is dropped here, too.
            let outcome = catch_unwind(AssertUnwindSafe(move || call(&*open)));
            let _ = catch_unwind(AssertUnwindSafe(move || drop(sender.send(outcome))));
        });
        match receiver.recv_timeout(limit) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(failed(self.device.name(), "a call panicked")),
            Err(RecvTimeoutError::Timeout) => {
                // It ends where the device can have it end.
                self.opened().give_up("a call did not return in time");
                self.hung.store(true, Ordering::SeqCst);
                self.lose();
                Err(failed(self.device.name(), &format!("a call did not return within {limit:?}")))
            }
        }
    }

    /// A key in the device's memory, loaded where it is not there. None where there is no room, since all keys are in use.
    /// `left` gets the numbers of those that went for it.
    ///
    /// # Errors
    /// What loading says, and as [`Session::call`].
    pub fn lease(&self, lane: usize, wanted: WantedKey, left: &dyn Fn(u64)) -> Result<Option<Lease>> {
        let WantedKey { model, number, .. } = wanted;
        if let Some(lease) = self.keys.lease(number) {
            return Ok(Some(lease));
        }
        let _alone = self.keys.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = self.keys.lease(number) {
            return Ok(Some(lease));
        }
        let Some(bytes) = self.model(model).map(|model| model.key_bytes) else { return Ok(None) };
        // Less may be free than the bound says: other programs use the device, too.
        for room in [KeyTable::make_room, KeyTable::make_more_room] {
            let Some(leaving) = room(&self.keys, bytes) else { return Ok(None) };
            leaving.iter().for_each(|(number, _)| left(*number));
            let wire = wanted.wire.clone();
            let loaded = self.call(lane, move |device| {
                drop(leaving);
                device.load_key(model, &wire)
            });
            match loaded {
                Ok(key) => return Ok(Some(self.keys.insert(number, key, bytes))),
                Err(error) if self.is_out_of_memory(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Drops a key from the device's memory, as soon as nobody computes with it. Waits for nothing.
    pub fn forget(&self, number: u64) {
        if let Some(key) = self.keys.remove(number) {
            self.drop_on(0, key);
        }
    }
}

/// A key that a launch needs.
pub(crate) struct WantedKey {
    pub model: usize,
    /// The host's number of it.
    pub number: u64,
    /// The body of its framed form.
    pub wire: bytes::Bytes,
}

impl Drop for Session {
    fn drop(&mut self) {
        let (keys, open) = (self.keys.clear(), self.open.take());
        // A device that hangs may hang here as well.
        let end = move || {
            let _ = catch_unwind(AssertUnwindSafe(move || drop(keys)));
            let _ = catch_unwind(AssertUnwindSafe(move || drop(open)));
        };
        let _ = thread::Builder::new().name(format!("{}-end", self.device.name())).spawn(end);
    }
}

fn failed(name: &str, what: &str) -> Error {
    Error::new(ErrorCode::DeviceFailed, format!("{name}: {what}")).hint("try again after a short wait")
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
