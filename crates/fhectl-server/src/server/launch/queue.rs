//! Rows that wait for a device, and which of them the next launch takes.
//!
//! Each launch is of one model: that of the client that was served least. It is filled in turns, a share of it for the
//! client that was served least at that moment, so that a client with a thousand rows delays another's one row by a launch.

use crate::server::compute::refusal;
use crate::server::fair_queue::{FairQueue, FlowId, Limits};
use fhectl_core::error::Result;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many turns fill a launch at least, where more than one client has rows.
const TURNS: usize = 16;

/// A request whose rows are taken a piece at a time.
pub(super) trait Job: Clone {
    /// Only rows of one model go together.
    fn model(&self) -> usize;
    /// Rows that were not taken.
    fn left(&self) -> usize;
    /// Takes the next ones, `most` at most; none where nobody wants them any more.
    fn take(&self, most: usize) -> Option<Range<usize>>;
}

/// What launches of a model are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Rows a launch.
    pub rows: usize,
    /// What each row takes of the device's time.
    pub row_seconds: f64,
}

/// Rows of one request.
pub(super) type Piece<J> = (J, Range<usize>);

/// The requests that wait for one device.
pub(super) struct LaunchQueue<J> {
    /// How long the first row of a launch waits for others.
    gather: Duration,
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    jobs: FairQueue<J>,
    /// Rows that were not taken, of all jobs.
    rows: usize,
    /// Since when there have been some.
    since: Option<Instant>,
    /// Whether a launcher waits for more rows.
    gathering: bool,
    closed: bool,
}

/// The right to have rows computed; given back when it is dropped.
pub(super) struct LaunchPermit<J> {
    queue: Arc<LaunchQueue<J>>,
    flow: FlowId,
    seconds: f64,
}

impl<J: Job> LaunchQueue<J> {
    pub fn new(limits: Limits, gather: Duration) -> Self {
        let state = State { jobs: FairQueue::new(limits), rows: 0, since: None, gathering: false, closed: false };
        Self { gather, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // Nothing in it is half done between statements that can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit for `seconds` of the device's time at once or not at all. `left` is the time until the deadline.
    ///
    /// # Errors
    /// `busy`, `deadline`.
    pub fn admit(self: &Arc<Self>, flow: FlowId, seconds: f64, left: Option<Duration>) -> Result<LaunchPermit<J>> {
        let admitted = self.lock().jobs.admit(&flow, seconds, left.map(|left| left.as_secs_f64()));
        admitted.map_err(refusal)?;
        Ok(LaunchPermit { queue: self.clone(), flow, seconds })
    }

    /// Puts a job of this flow, which has a permit, at the end of its flow; it is taken out when what this returns is dropped.
    pub fn enqueue(self: &Arc<Self>, flow: &FlowId, job: J) -> Queued<J> {
        let mut state = self.lock();
        state.rows += job.left();
        state.since.get_or_insert_with(Instant::now);
        let number = state.jobs.enqueue(flow, job);
        drop(state);
        self.changed.notify_all();
        Queued { queue: self.clone(), flow: flow.clone(), number }
    }

    /// The rows of the next launch, once there are some. None at the end.
    pub fn take(&self, terms: &dyn Fn(usize) -> Terms) -> Option<Vec<Piece<J>>> {
        loop {
            let mut state = self.lock();
            while !state.closed && (state.rows == 0 || state.gathering) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state = self.gathered(state, terms);
            if state.closed {
                return None;
            }
            let (pieces, gone) = state.next_launch(terms);
            drop(state);
            // Their permits take the lock.
            drop(gone);
            if !pieces.is_empty() {
                return Some(pieces);
            }
        }
    }

    /// Waits until there are rows for a whole launch, or the first one has waited long enough.
    fn gathered<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<J>>,
        terms: &dyn Fn(usize) -> Terms,
    ) -> MutexGuard<'a, State<J>> {
        let Some(end) = state.since.map(|since| since + self.gather) else { return state };
        state.gathering = true;
        while !state.closed && !state.is_enough(terms) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.gathering = false;
        self.changed.notify_all();
        state
    }

    /// Lets launchers go.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.lock().jobs.waiting()
    }

    /// Predicted seconds until all that was accepted is done.
    pub fn backlog(&self) -> f64 {
        self.lock().jobs.backlog()
    }
}

impl<J: Job> State<J> {
    fn is_enough(&self, terms: &dyn Fn(usize) -> Terms) -> bool {
        self.jobs.peek().is_none_or(|job| self.rows >= terms(job.model()).rows)
    }

    /// Rows of one model, and jobs that were dropped on the way.
    fn next_launch(&mut self, terms: &dyn Fn(usize) -> Terms) -> (Vec<Piece<J>>, Vec<J>) {
        let (mut pieces, mut gone): (Vec<(u64, Piece<J>)>, Vec<J>) = (Vec::new(), Vec::new());
        let mut launch: Option<(usize, Terms)> = None;
        let mut taken = 0;
        while launch.is_none_or(|(_, terms)| taken < terms.rows) {
            let wanted = |job: &J| launch.is_none_or(|(model, _)| job.model() == model);
            let Some((flow, number, job)) = self.jobs.dequeue_of(wanted) else { break };
            let (model, terms) = launch.unwrap_or_else(|| (job.model(), terms(job.model())));
            let Some(range) = job.take((terms.rows / TURNS).max(1).min(terms.rows - taken)) else {
                self.rows -= job.left();
                gone.push(job);
                continue;
            };
            launch = Some((model, terms));
            self.rows -= range.len();
            taken += range.len();
            self.jobs.charge(&flow, range.len() as f64 * terms.row_seconds);
            if job.left() > 0 {
                self.jobs.requeue_front(&flow, number, job.clone());
            }
            match pieces.iter_mut().find(|(own, _)| *own == number) {
                // Whoever takes rows holds the lock: they follow those of the turn before.
                Some((_, (_, own))) => own.end = range.end,
                None => pieces.push((number, (job, range))),
            }
        }
        if self.rows == 0 {
            self.since = None;
        }
        (pieces.into_iter().map(|(_, piece)| piece).collect(), gone)
    }
}

impl<J> LaunchPermit<J> {
    /// Counts time beside that of rows as served to the flow.
    pub fn charge(&self, took: Duration) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.charge(&self.flow, took.as_secs_f64());
    }
}

impl<J> Drop for LaunchPermit<J> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.release(&self.flow, self.seconds);
    }
}

/// Takes a job out of the queue when nobody waits for it any more.
pub(super) struct Queued<J: Job> {
    queue: Arc<LaunchQueue<J>>,
    flow: FlowId,
    number: u64,
}

impl<J: Job> Drop for Queued<J> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let job = state.jobs.remove(&self.flow, self.number);
        if let Some(job) = &job {
            state.rows -= job.left();
        }
        if state.rows == 0 {
            state.since = None;
        }
        drop(state);
        // Its permit takes the lock.
        drop(job);
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
