//! The computing pool and the door before it.

use crate::error::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// One pool for all that computes. Never used from an async thread but through [`Compute::run`].
pub(super) struct Compute {
    pool: ThreadPool,
    slots: Arc<Semaphore>,
}

/// The right to run jobs, one after the other. Jobs hold it too: a client that goes away frees nothing that still
/// runs.
#[derive(Clone)]
pub(super) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// What a job gave.
pub(super) struct Done<T> {
    pub value: T,
    pub began: Instant,
    pub took: Duration,
}

impl Compute {
    /// A pool of `threads` threads that up to `max_queue` more jobs may wait for.
    ///
    /// # Errors
    /// `threads` where the system gives none.
    pub fn new(threads: usize, max_queue: usize) -> Result<Self> {
        let threads = threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("compute-{index}"))
            .build()
            .map_err(|error| Error::fault("threads", format!("{threads} computing threads: {error}")))?;
        let slots = threads.saturating_add(max_queue).min(Semaphore::MAX_PERMITS);
        Ok(Self { pool, slots: Arc::new(Semaphore::new(slots)) })
    }

    /// Takes a slot at once or not at all.
    ///
    /// # Errors
    /// `busy`.
    pub fn admit(&self) -> Result<Slot> {
        let permit = self.slots.clone().try_acquire_owned().map_err(|_| {
            Error::user("busy", "the server computes as much as it can").hint("try again after a short wait")
        })?;
        Ok(Slot { _permit: Arc::new(permit) })
    }

    /// Runs a job on the pool. A job whose caller went away before it began is skipped.
    ///
    /// # Errors
    /// `internal` where the job panicked.
    pub async fn run<T, F>(&self, slot: &Slot, job: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let slot = slot.clone();
        self.pool.spawn(move || {
            if sender.is_closed() {
                return;
            }
            let began = Instant::now();
            let value = catch_unwind(AssertUnwindSafe(job));
            drop(slot);
            drop(sender.send(value.map(|value| Done { value, began, took: began.elapsed() })));
        });
        match receiver.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) | Err(_) => Err(Error::fault("internal", "computing failed unexpectedly")
                .hint("this is a fault of fhectl's; please report it with what the server's log says")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_pool_goes_on() {
        let compute = Compute::new(1, 0).unwrap();
        let slot = compute.admit().unwrap();
        assert_eq!(compute.admit().map(drop).unwrap_err().code, "busy");
        let error = compute.run::<(), _>(&slot, || panic!("on purpose")).await.map(drop).unwrap_err();
        assert_eq!(error.code, "internal");
        assert_eq!(compute.run(&slot, || 7).await.unwrap().value, 7);
        drop(slot);
        compute.admit().unwrap();
    }

    #[tokio::test]
    async fn a_slot_stays_taken_while_an_abandoned_job_runs() {
        let compute = Compute::new(1, 0).unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begun, started) = oneshot::channel();
        let slot = compute.admit().unwrap();
        let job = compute.run(&slot, move || {
            begun.send(()).unwrap();
            wait.recv().ok();
        });
        tokio::select! {
            _ = job => unreachable!("it waits"),
            started = started => started.unwrap(),
        }
        drop(slot);
        assert_eq!(compute.admit().map(drop).unwrap_err().code, "busy");
        go.send(()).unwrap();
        while compute.admit().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
