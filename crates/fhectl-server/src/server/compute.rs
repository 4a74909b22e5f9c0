//! The computing pool, and who may use it.

use super::fair_queue::{FairQueue, FlowId, Limits, Refused};
use fhectl_core::error::{Error, ErrorCode, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// One pool for all that computes. Never used from an async thread but through [`ComputePool::run`].
pub(super) struct ComputePool(Arc<Shared>);

/// How large a pool is, and what it takes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolLimits {
    pub threads: usize,
    /// Requests that may wait for a thread.
    pub max_queue: usize,
    /// The longest predicted wait that one is accepted with.
    pub max_backlog: Duration,
    /// The longest that a request may wait and compute.
    pub max_time: Option<Duration>,
}

struct Shared {
    pool: ThreadPool,
    limits: PoolLimits,
    queue: Mutex<Queue>,
}

struct Queue {
    jobs: FairQueue<Job>,
    running: usize,
}

/// A quantum of work after another, until one is the last: then what completes the job, once its permit is given back.
type Work = Box<dyn FnMut() -> Option<Completion> + Send>;
type Completion = Box<dyn FnOnce() + Send>;

struct Job {
    work: Work,
    /// Jobs hold their permit too: a client that goes away frees nothing that still runs.
    _permit: Permit,
}

/// The right to run jobs, one after the other; given back when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Permit(Arc<Admission>);

struct Admission {
    shared: Arc<Shared>,
    flow: FlowId,
    seconds: f64,
    deadline: Option<Instant>,
}

/// What a job gave.
pub(super) struct Done<T> {
    pub value: T,
    /// Seconds on the pool, over all quanta.
    pub took: Duration,
}

/// How busy the pool is.
pub(super) struct Load {
    pub waiting: usize,
    pub running: usize,
    /// Predicted seconds until all that was accepted is done.
    pub backlog: f64,
}

impl ComputePool {
    /// # Errors
    /// `threads` where the system gives none.
    pub fn new(limits: PoolLimits) -> Result<Self> {
        let threads = limits.threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("compute-{index}"))
            .build()
            .map_err(|error| Error::new(ErrorCode::Threads, format!("{threads} computing threads: {error}")))?;
        let permits = threads.saturating_add(limits.max_queue);
        let jobs = FairQueue::new(Limits { threads, permits, max_wait: limits.max_backlog.as_secs_f64() });
        let queue = Mutex::new(Queue { jobs, running: 0 });
        Ok(Self(Arc::new(Shared { pool, limits: PoolLimits { threads, ..limits }, queue })))
    }

    /// Takes a permit for work of predicted `seconds` at once or not at all. It must be done within `timeout`, where
    /// the client gave one, and within the pool's own bound.
    ///
    /// # Errors
    /// `busy`, or `deadline` where it could not be done in time.
    pub fn admit(&self, flow: FlowId, seconds: f64, timeout: Option<Duration>) -> Result<Permit> {
        let allowed = self.0.limits.max_time.into_iter().chain(timeout).min();
        let deadline = allowed.and_then(|allowed| Instant::now().checked_add(allowed));
        let left = deadline.and(allowed).map(|left| left.as_secs_f64());
        let admitted = self.0.lock().jobs.admit(&flow, seconds, left);
        admitted.map_err(refusal)?;
        Ok(Permit(Arc::new(Admission { shared: self.0.clone(), flow, seconds, deadline })))
    }

    /// Runs work on the pool, quantum by quantum, until one gives a value; between quanta other clients have their
    /// turn. Work whose caller goes away, or whose deadline passes, is taken out of the queue and goes no further.
    ///
    /// # Errors
    /// `internal` where the work panicked, `deadline`.
    pub async fn run<T, F>(&self, permit: &Permit, mut work: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnMut() -> Option<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let (mut sender, mut took) = (Some(sender), Duration::ZERO);
        let work = move || {
            if sender.as_ref().is_none_or(oneshot::Sender::is_closed) {
                return Some(Box::new(|| ()) as Completion);
            }
            let began = std::time::Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(&mut work));
            took += began.elapsed();
            // No value and no panic: there is more to do.
            let outcome = outcome.transpose()?.map(|value| Done { value, took });
            let sender = sender.take();
            Some(Box::new(move || drop(sender.map(|sender| sender.send(outcome)))) as Completion)
        };
        let _queued = self.0.enqueue(permit, Box::new(work));
        match permit.in_time(receiver).await? {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) | Err(_) => Err(Error::new(ErrorCode::Internal, "computing failed unexpectedly")
                .hint("this is a fault of fhectl's; please report it with what the server's log says")),
        }
    }

    /// As [`ComputePool::run`], for work that is one quantum.
    ///
    /// # Errors
    /// As [`ComputePool::run`].
    pub async fn run_once<T, F>(&self, permit: &Permit, work: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let mut work = Some(work);
        self.run(permit, move || work.take().map(|work| work())).await
    }

    pub fn load(&self) -> Load {
        let queue = self.0.lock();
        Load { waiting: queue.jobs.waiting(), running: queue.running, backlog: queue.jobs.backlog() }
    }
}

impl Permit {
    /// How long is left until what it was given for must be done.
    pub fn left(&self) -> Option<Duration> {
        self.0.deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// What `work` gives, until the permit's deadline.
    ///
    /// # Errors
    /// `deadline`.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let Some(end) = self.0.deadline else { return Ok(work.await) };
        let outcome = tokio::time::timeout_at(end, work).await;
        outcome.map_err(|_| late("its time was over before it was computed").retry_after(Duration::from_secs(1)))
    }
}

/// What a client is told whose request a queue does not take.
pub(super) fn refusal(refused: Refused) -> Error {
    let (error, wait) = match refused {
        // No figures but whole seconds of waiting: what a model takes tells how large it is.
        Refused::Full(wait) => {
            let error = Error::new(ErrorCode::Busy, "the server computes as much as it can");
            (error.hint("try again after a short wait"), wait)
        }
        Refused::Late(wait) => (late("waiting and computing would take longer"), wait),
    };
    error.retry_after(Duration::from_secs_f64(wait.clamp(1.0, 60.0)))
}

fn late(what: &str) -> Error {
    Error::new(ErrorCode::Deadline, format!("the request cannot be answered by its deadline: {what}")).hint(
        "allow more time in x-fhectl-deadline-ms, send a smaller batch, or try again when the server has less to do",
    )
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing in the queue is half done between statements that can panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(self: &Arc<Self>, permit: &Permit, work: Work) -> Queued {
        let job = Job { work, _permit: permit.clone() };
        let number = self.lock().jobs.enqueue(&permit.0.flow, job);
        self.dispatch();
        Queued { permit: permit.clone(), number }
    }

    /// Hands jobs to the pool, no more at once than it has threads: what is in the pool cannot be overtaken.
    fn dispatch(self: &Arc<Self>) {
        loop {
            let next = {
                let mut queue = self.lock();
                if queue.running >= self.limits.threads {
                    return;
                }
                let Some(next) = queue.jobs.dequeue() else { return };
                queue.running += 1;
                next
            };
            let own = self.clone();
            self.pool.spawn(move || own.step(next));
        }
    }

    /// One quantum of a job. The next one is spawned rather than called: this may run inside another job's wait.
    fn step(self: Arc<Self>, (flow, number, mut job): (FlowId, u64, Job)) {
        let began = std::time::Instant::now();
        let completion = (job.work)();
        let mut over = None;
        {
            let mut queue = self.lock();
            queue.running -= 1;
            queue.jobs.charge(&flow, began.elapsed().as_secs_f64());
            if completion.is_some() {
                over = Some(job);
            } else {
                queue.jobs.requeue_front(&flow, number, job);
            }
        }
        // Gives its permit back, which takes the lock.
        drop(over);
        if let Some(complete) = completion {
            complete();
        }
        self.dispatch();
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.lock().jobs.release(&self.flow, self.seconds);
    }
}

/// Takes a job out of the queue when nobody waits for it any more.
struct Queued {
    permit: Permit,
    number: u64,
}

impl Drop for Queued {
    fn drop(&mut self) {
        let Admission { shared, flow, .. } = &*self.permit.0;
        let job = shared.lock().jobs.remove(flow, self.number);
        drop(job);
    }
}

#[cfg(test)]
#[path = "compute_tests.rs"]
mod tests;
