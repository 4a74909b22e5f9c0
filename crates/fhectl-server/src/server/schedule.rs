//! Who computes next, and who has to come back later: a fair queue over clients, in seconds of computing.
//!
//! Every client has a line of its own; the line that was served least goes first (start-time fair queueing: Goyal, Vin,
//! Cheng 1996), so a client with a thousand requests delays another's one request by a share of work, not by a
//! thousand. Plain data behind one lock; `compute` runs what comes out.

use crate::store::{Owner, Upload};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Seconds of work after which a client's turn is over: a batch is computed in shares of about this length.
pub(super) const SHARE: f64 = 0.25;
/// Lines of clients that wait for nothing, kept so that nobody gains by leaving and coming back.
const REMEMBERED: usize = 4096;

/// Whose work it is: a token's where a server has tokens, else a key's, else (a model without keys) an address's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    Token(Owner),
    Key(Upload),
    Peer(IpAddr),
}

impl Lane {
    /// The lane of work on one key.
    pub fn of_key(owner: &Owner, key: impl Into<Upload>) -> Self {
        if *owner == Owner::anyone() { Self::Key(key.into()) } else { Self::Token(owner.clone()) }
    }
}

/// What may be taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub threads: usize,
    /// Requests accepted and not yet answered, those computing included.
    pub places: usize,
    /// The longest predicted wait, in seconds, that a request is accepted with.
    pub max_wait: f64,
}

/// Why a request is not accepted, with the seconds that it would have waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Refused {
    Full(f64),
    /// It could not be done by its deadline.
    Late(f64),
}

/// Accepted requests of all clients. `J` is what runs.
pub(super) struct Schedule<J> {
    bounds: Bounds,
    lines: HashMap<Lane, Line<J>>,
    /// The service of the line that was served last: where a new line begins.
    clock: f64,
    accepted: usize,
    waiting: usize,
    next: u64,
}

struct Line<J> {
    jobs: VecDeque<(u64, J)>,
    /// Seconds of computing, counted from the schedule's clock at its first request.
    served: f64,
    accepted: usize,
    /// Predicted seconds of what was accepted and not yet answered.
    backlog: f64,
}

impl<J> Schedule<J> {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, lines: HashMap::new(), clock: 0.0, accepted: 0, waiting: 0, next: 0 }
    }

    /// Jobs that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Predicted seconds until all that was accepted is done.
    pub fn backlog(&self) -> f64 {
        self.lines.values().map(|line| line.backlog).sum::<f64>() / self.bounds.threads as f64
    }

    /// Predicted seconds that a new request of this client waits: for its own earlier ones, and for as much of every
    /// other client's.
    fn wait(&self, lane: &Lane) -> f64 {
        let own = self.lines.get(lane).map_or(0.0, |line| line.backlog);
        let others = self.lines.iter().filter(|(other, _)| *other != lane);
        let before: f64 = others.map(|(_, line)| line.backlog.min(own + SHARE)).sum();
        (own + before) / self.bounds.threads as f64
    }

    /// Accepts a request of predicted `seconds`, which counts until [`Schedule::leave`]. `left` are the seconds until
    /// its deadline.
    ///
    /// One client may have as many places as are free: alone, half of all; and there is always one for a newcomer.
    ///
    /// # Errors
    /// Why not.
    pub fn enter(&mut self, lane: &Lane, seconds: f64, left: Option<f64>) -> Result<(), Refused> {
        let idle = self.accepted < self.bounds.threads;
        let wait = if idle { 0.0 } else { self.wait(lane) };
        let free = self.bounds.places.saturating_sub(self.accepted);
        let own = self.lines.get(lane).map_or(0, |line| line.accepted);
        if !idle && (free == 0 || own > free || wait > self.bounds.max_wait) {
            return Err(Refused::Full(wait));
        }
        if left.is_some_and(|left| wait + seconds > left) {
            return Err(Refused::Late(wait));
        }
        self.forget();
        let clock = self.clock;
        let new = || Line { jobs: VecDeque::new(), served: clock, accepted: 0, backlog: 0.0 };
        let line = self.lines.entry(lane.clone()).or_insert_with(new);
        // A line that was away saves up no right to be served first.
        if line.accepted == 0 {
            line.served = line.served.max(clock);
        }
        line.accepted += 1;
        line.backlog += seconds;
        self.accepted += 1;
        Ok(())
    }

    /// The counterpart of [`Schedule::enter`].
    pub fn leave(&mut self, lane: &Lane, seconds: f64) {
        let Some(line) = self.lines.get_mut(lane) else { return };
        line.accepted -= 1;
        // Sums of floats do not come back to zero by themselves.
        line.backlog = if line.accepted == 0 { 0.0 } else { (line.backlog - seconds).max(0.0) };
        self.accepted -= 1;
    }

    /// Puts a job of an accepted request at the end of its client's line; returns its number.
    pub fn push(&mut self, lane: &Lane, job: J) -> u64 {
        let number = self.next;
        self.next += 1;
        if let Some(line) = self.lines.get_mut(lane) {
            line.jobs.push_back((number, job));
            self.waiting += 1;
        }
        number
    }

    /// Puts a job back to the front of its client's line after a share of its work.
    pub fn push_back(&mut self, lane: &Lane, number: u64, job: J) {
        if let Some(line) = self.lines.get_mut(lane) {
            line.jobs.push_front((number, job));
            self.waiting += 1;
        }
    }

    /// The job that is next.
    pub fn take(&mut self) -> Option<(Lane, u64, J)> {
        let first = |line: &Line<J>| line.jobs.front().map(|(number, _)| (line.served, *number));
        let (_, lane) = self
            .lines
            .iter()
            .filter_map(|(lane, line)| Some((first(line)?, lane)))
            .min_by(|((a, i), _), ((b, j), _)| a.total_cmp(b).then(i.cmp(j)))?;
        let lane = lane.clone();
        let line = self.lines.get_mut(&lane)?;
        let (number, job) = line.jobs.pop_front()?;
        self.waiting -= 1;
        self.clock = self.clock.max(line.served);
        Some((lane, number, job))
    }

    /// Counts computing as service of a client.
    pub fn charge(&mut self, lane: &Lane, seconds: f64) {
        if let Some(line) = self.lines.get_mut(lane) {
            line.served += seconds;
        }
    }

    /// Takes a job out that need not run any more.
    pub fn remove(&mut self, lane: &Lane, number: u64) -> Option<J> {
        let line = self.lines.get_mut(lane)?;
        let at = line.jobs.iter().position(|(own, _)| *own == number)?;
        self.waiting -= 1;
        line.jobs.remove(at).map(|(_, job)| job)
    }

    /// Drops lines that wait for nothing: all where nobody computes, those that were served least where they are many.
    fn forget(&mut self) {
        if self.accepted == 0 {
            self.lines.clear();
            self.clock = 0.0;
        } else if self.lines.len() > self.accepted + REMEMBERED {
            self.lines.retain(|_, line| line.accepted > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(number: u8) -> Lane {
        Lane::Peer(IpAddr::from([127, 0, 0, number]))
    }

    fn schedule(threads: usize, places: usize, max_wait: f64) -> Schedule<u32> {
        Schedule::new(Bounds { threads, places, max_wait })
    }

    #[test]
    fn a_busy_client_does_not_starve_another() {
        let mut schedule = schedule(1, 1000, 1e9);
        for job in 0..100 {
            schedule.enter(&lane(1), 1.0, None).unwrap();
            schedule.push(&lane(1), job);
        }
        let (busy, ..) = schedule.take().unwrap();
        schedule.charge(&busy, 1.0);
        schedule.enter(&lane(2), 1.0, None).unwrap();
        schedule.push(&lane(2), 100);
        let order: Vec<u32> = (0..3)
            .map(|_| {
                let (lane, _, job) = schedule.take().unwrap();
                schedule.charge(&lane, 1.0);
                job
            })
            .collect();
        assert_eq!(order, [100, 1, 2]);
    }

    #[test]
    fn service_is_shared_by_seconds_not_by_requests() {
        let mut schedule = schedule(1, 1000, 1e9);
        for job in 0..60 {
            for client in [1, 2] {
                schedule.enter(&lane(client), 1.0, None).unwrap();
                schedule.push(&lane(client), job);
            }
        }
        let mut served = [0.0; 3];
        for _ in 0..44 {
            let (own, ..) = schedule.take().unwrap();
            let (client, seconds) = if own == lane(1) { (1, 0.1) } else { (2, 1.0) };
            schedule.charge(&own, seconds);
            served[client] += seconds;
        }
        assert!((served[1] - served[2]).abs() <= 1.01, "{served:?}");
    }

    #[test]
    fn places_and_seconds_are_bounded_and_a_newcomer_finds_room() {
        let mut by_count = schedule(1, 21, 1e9);
        let mut accepted = 0;
        while by_count.enter(&lane(1), 1e-6, None).is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, 11);
        by_count.enter(&lane(2), 1e-6, None).unwrap();
        let mut by_time = schedule(2, 1000, 10.0);
        let mut accepted = 0;
        while by_time.enter(&lane(1), 1.0, None).is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, 21);
        assert!(matches!(by_time.enter(&lane(1), 1.0, None), Err(Refused::Full(wait)) if wait > 10.0));
        by_time.enter(&lane(2), 1.0, None).unwrap();
        assert!(matches!(by_time.enter(&lane(1), 1.0, None), Err(Refused::Full(_))));
        for _ in 0..accepted {
            by_time.leave(&lane(1), 1.0);
        }
        by_time.leave(&lane(2), 1.0);
        assert_eq!(by_time.backlog(), 0.0);
        by_time.enter(&lane(3), 1.0, None).unwrap();
        assert_eq!(by_time.lines.len(), 1);
    }

    #[test]
    fn what_cannot_be_done_in_time_is_not_begun() {
        let mut schedule = schedule(1, 1000, 1e9);
        assert_eq!(schedule.enter(&lane(1), 3.0, Some(2.0)), Err(Refused::Late(0.0)));
        schedule.enter(&lane(1), 3.0, Some(4.0)).unwrap();
        assert_eq!(schedule.enter(&lane(1), 1.0, Some(3.5)), Err(Refused::Late(3.0)));
        schedule.enter(&lane(2), 1.0, Some(3.5)).unwrap();
    }

    #[test]
    fn what_is_taken_out_does_not_run() {
        let mut schedule = schedule(1, 10, 1.0);
        schedule.enter(&lane(1), 0.1, None).unwrap();
        let first = schedule.push(&lane(1), 1);
        schedule.push(&lane(1), 2);
        assert_eq!(schedule.remove(&lane(1), first), Some(1));
        assert_eq!(schedule.remove(&lane(1), first), None);
        assert_eq!(schedule.waiting(), 1);
        assert_eq!(schedule.take().map(|(_, _, job)| job), Some(2));
        assert!(schedule.take().is_none());
    }
}
