//! The computing pool and the door before it.

use super::schedule::{Bounds, Lane, Refused, Schedule};
use fhectl_core::error::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// One pool for all that computes. Never used from an async thread but through [`Compute::run`].
pub(super) struct Compute(Arc<Shared>);

struct Shared {
    pool: ThreadPool,
    threads: usize,
    queue: Mutex<Queue>,
}

struct Queue {
    schedule: Schedule<Job>,
    running: usize,
}

/// A share of work after another, until one is the last: then what tells the caller, once its place is free again.
type Share = Box<dyn FnMut() -> Option<Telling> + Send>;
type Telling = Box<dyn FnOnce() + Send>;

struct Job {
    share: Share,
    /// Jobs hold their place too: a client that goes away frees nothing that still runs.
    _slot: Slot,
}

/// The right to run jobs, one after the other; given back when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Slot(Arc<Place>);

struct Place {
    shared: Arc<Shared>,
    lane: Lane,
    seconds: f64,
    deadline: Option<Instant>,
}

/// What a job gave.
pub(super) struct Done<T> {
    pub value: T,
    /// Seconds on the pool, over all shares.
    pub took: Duration,
}

/// How busy the pool is.
pub(super) struct Load {
    pub waiting: usize,
    pub running: usize,
    pub backlog: f64,
}

impl Compute {
    /// A pool of `threads` threads that up to `max_queue` more requests may wait for, each up to `max_wait` by
    /// prediction.
    ///
    /// # Errors
    /// `threads` where the system gives none.
    pub fn new(threads: usize, max_queue: usize, max_wait: Duration) -> Result<Self> {
        let threads = threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("compute-{index}"))
            .build()
            .map_err(|error| Error::fault("threads", format!("{threads} computing threads: {error}")))?;
        let bounds = Bounds { threads, places: threads.saturating_add(max_queue), max_wait: max_wait.as_secs_f64() };
        let queue = Mutex::new(Queue { schedule: Schedule::new(bounds), running: 0 });
        Ok(Self(Arc::new(Shared { pool, threads, queue })))
    }

    /// Takes a place for work of predicted `seconds` at once or not at all.
    ///
    /// # Errors
    /// `busy`, or `deadline` where it could not be done in time.
    pub fn admit(&self, lane: Lane, seconds: f64, deadline: Option<Instant>) -> Result<Slot> {
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64());
        let entered = self.0.lock().schedule.enter(&lane, seconds, left);
        match entered {
            Ok(()) => Ok(Slot(Arc::new(Place { shared: self.0.clone(), lane, seconds, deadline }))),
            // No figures but whole seconds of waiting: what a model takes tells how large it is.
            Err(Refused::Full(wait)) => Err(Error::user("busy", "the server computes as much as it can")
                .hint("try again after a short wait")
                .retry_after(Duration::from_secs_f64(wait.clamp(1.0, 60.0)))),
            Err(Refused::Late(wait)) => Err(late("waiting and computing would take longer")
                .retry_after(Duration::from_secs_f64(wait.clamp(1.0, 60.0)))),
        }
    }

    /// Runs work on the pool, share by share, until one gives a value; between shares other clients have their turn.
    /// Work whose caller goes away, or whose deadline passes, is taken out of the queue and goes no further.
    ///
    /// # Errors
    /// `internal` where the work panicked, `deadline`.
    pub async fn run<T, F>(&self, slot: &Slot, mut work: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnMut() -> Option<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let (mut sender, mut took) = (Some(sender), Duration::ZERO);
        let share = move || {
            if sender.as_ref().is_none_or(oneshot::Sender::is_closed) {
                return Some(Box::new(|| ()) as Telling);
            }
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(&mut work));
            took += began.elapsed();
            // No value and no panic: there is more to do.
            let outcome = outcome.transpose()?.map(|value| Done { value, took });
            let sender = sender.take();
            Some(Box::new(move || drop(sender.map(|sender| sender.send(outcome)))) as Telling)
        };
        let _waiting = self.0.push(slot, Box::new(share));
        let outcome = match slot.0.deadline {
            None => receiver.await,
            Some(end) => tokio::time::timeout_at(end.into(), receiver)
                .await
                .map_err(|_| late("its time was over before it was computed").retry_after(Duration::from_secs(1)))?,
        };
        match outcome {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) | Err(_) => Err(Error::fault("internal", "computing failed unexpectedly")
                .hint("this is a fault of fhectl's; please report it with what the server's log says")),
        }
    }

    /// As [`Compute::run`], for work that is one share.
    ///
    /// # Errors
    /// As [`Compute::run`].
    pub async fn run_once<T, F>(&self, slot: &Slot, work: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let mut work = Some(work);
        self.run(slot, move || work.take().map(|work| work())).await
    }

    pub fn load(&self) -> Load {
        let queue = self.0.lock();
        Load { waiting: queue.schedule.waiting(), running: queue.running, backlog: queue.schedule.backlog() }
    }
}

fn late(what: &str) -> Error {
    Error::fault("deadline", format!("the request cannot be answered by its deadline: {what}")).hint(
        "allow more time in x-fhectl-deadline-ms, send a smaller batch, or try again when the server has less to do",
    )
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing in the queue is half done between statements that can panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, slot: &Slot, share: Share) -> Waiting {
        let job = Job { share, _slot: slot.clone() };
        let number = self.lock().schedule.push(&slot.0.lane, job);
        self.dispatch();
        Waiting { slot: slot.clone(), number }
    }

    /// Hands jobs to the pool, no more at once than it has threads: what is in the pool cannot be overtaken.
    fn dispatch(self: &Arc<Self>) {
        loop {
            let next = {
                let mut queue = self.lock();
                if queue.running >= self.threads {
                    return;
                }
                let Some(next) = queue.schedule.take() else { return };
                queue.running += 1;
                next
            };
            let own = self.clone();
            self.pool.spawn(move || own.step(next));
        }
    }

    /// One share of a job. The next one is spawned rather than called: this may run inside another job's wait.
    fn step(self: Arc<Self>, (lane, number, mut job): (Lane, u64, Job)) {
        let began = Instant::now();
        let telling = (job.share)();
        let mut over = None;
        {
            let mut queue = self.lock();
            queue.running -= 1;
            queue.schedule.charge(&lane, began.elapsed().as_secs_f64());
            if telling.is_some() {
                over = Some(job);
            } else {
                queue.schedule.push_back(&lane, number, job);
            }
        }
        // Gives its place back, which takes the lock.
        drop(over);
        if let Some(tell) = telling {
            tell();
        }
        self.dispatch();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.lock().schedule.leave(&self.lane, self.seconds);
    }
}

/// Takes a job out of the queue when nobody waits for it any more.
struct Waiting {
    slot: Slot,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Place { shared, lane, .. } = &*self.slot.0;
        let job = shared.lock().schedule.remove(lane, self.number);
        drop(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn lane(number: u8) -> Lane {
        Lane::Peer(IpAddr::from([127, 0, 0, number]))
    }

    fn compute(threads: usize, max_queue: usize) -> Compute {
        Compute::new(threads, max_queue, Duration::from_secs(10)).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_pool_goes_on() {
        let compute = compute(1, 0);
        let slot = compute.admit(lane(1), 0.1, None).unwrap();
        let error = compute.admit(lane(1), 0.1, None).map(drop).unwrap_err();
        assert!(error.code == "busy" && error.retry_after.is_some());
        let error = compute.run_once::<(), _>(&slot, || panic!("on purpose")).await.map(drop).unwrap_err();
        assert_eq!(error.code, "internal");
        assert_eq!(compute.run_once(&slot, || 7).await.unwrap().value, 7);
        drop(slot);
        compute.admit(lane(1), 0.1, None).unwrap();
    }

    #[tokio::test]
    async fn a_slot_stays_taken_while_an_abandoned_job_runs() {
        let compute = compute(1, 0);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begun, started) = oneshot::channel();
        let slot = compute.admit(lane(1), 0.1, None).unwrap();
        let job = compute.run_once(&slot, move || {
            begun.send(()).unwrap();
            wait.recv().ok();
        });
        tokio::select! {
            _ = job => unreachable!("it waits"),
            started = started => started.unwrap(),
        }
        drop(slot);
        assert_eq!(compute.admit(lane(1), 0.1, None).map(drop).unwrap_err().code, "busy");
        go.send(()).unwrap();
        while compute.admit(lane(1), 0.1, None).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Runs shares that take until they are let go, and tells how many were begun.
    async fn begun(shares: &AtomicUsize, count: usize) {
        while shares.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn work_stops_between_shares_when_its_caller_goes_away() {
        let compute = compute(1, 4);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let shares = Arc::new(AtomicUsize::new(0));
        let counted = shares.clone();
        let slot = compute.admit(lane(1), 0.1, None).unwrap();
        let long = compute.run::<(), _>(&slot, move || {
            counted.fetch_add(1, Ordering::SeqCst);
            wait.recv().ok();
            None
        });
        tokio::select! {
            _ = long => unreachable!("it never ends"),
            () = async { begun(&shares, 1).await; go.send(()).unwrap(); begun(&shares, 2).await } => {}
        }
        drop(slot);
        go.send(()).unwrap();
        while compute.load().running + compute.load().waiting > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(shares.load(Ordering::SeqCst), 2);
        assert_eq!(compute.load().backlog, 0.0);
    }

    #[tokio::test]
    async fn queued_work_is_removed_with_its_caller_and_at_its_deadline() {
        let compute = compute(1, 4);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = compute.admit(lane(1), 0.1, None).unwrap();
        let mut running = Box::pin(compute.run_once(&first, move || wait.recv().ok()));
        let soon = Some(Instant::now() + Duration::from_millis(500));
        let second = compute.admit(lane(2), 0.1, None).unwrap();
        let third = compute.admit(lane(3), 0.01, soon).unwrap();
        tokio::select! {
            // In this order into the queue.
            biased;
            _ = &mut running => unreachable!("it waits"),
            _ = compute.run_once(&second, || unreachable!("it was given up")) => unreachable!("it is behind"),
            done = compute.run_once(&third, || ()) => assert_eq!(done.map(drop).unwrap_err().code, "deadline"),
        }
        assert_eq!(compute.load().waiting, 0);
        go.send(()).unwrap();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn shares_of_two_clients_take_turns() {
        let compute = compute(1, 8);
        let order = Arc::new(Mutex::new(Vec::new()));
        let work = |name: u8, shares: usize| {
            let (order, mut left) = (order.clone(), shares);
            move || {
                std::thread::sleep(Duration::from_millis(20));
                order.lock().unwrap().push(name);
                left -= 1;
                (left == 0).then_some(())
            }
        };
        let (long, short) = (compute.admit(lane(1), 1.0, None).unwrap(), compute.admit(lane(2), 0.1, None).unwrap());
        let (a, b) = tokio::join!(compute.run(&long, work(1, 10)), compute.run(&short, work(2, 1)));
        assert!(a.is_ok() && b.is_ok());
        let at = order.lock().unwrap().iter().position(|name| *name == 2).unwrap();
        assert!(at <= 2, "{:?}", order.lock().unwrap());
    }
}
