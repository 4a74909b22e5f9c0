//! A circuit breaker: a store that is down is asked by one request at a time, and the others fail at once. Were each to
//! wait for it, they would fill the queue before those whose keys are in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a store that failed is left alone.
const OPEN_FOR: Duration = Duration::from_secs(1);

/// Whether a store can be reached.
#[derive(Debug)]
pub(super) struct CircuitBreaker(Mutex<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It answers: everyone may ask.
    Closed,
    /// It failed: nobody may ask before `until`, and then one.
    Open { until: Instant },
    /// One asks. Where nothing is heard of that attempt by `until`, another may.
    HalfOpen { until: Instant },
}

/// An operation under way. One that probes a store that was down, and is dropped without an outcome, lets the next one
/// try.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    breaker: &'a CircuitBreaker,
    probes: bool,
}

impl CircuitBreaker {
    pub fn new() -> Self {
        Self(Mutex::new(State::Closed))
    }

    pub fn is_closed(&self) -> bool {
        *self.state() == State::Closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation that takes `timeout` at most; `None` where the store is to be left alone.
    pub fn attempt(&self, timeout: Duration) -> Option<Attempt<'_>> {
        let (mut state, now) = (self.state(), Instant::now());
        let probes = match *state {
            State::Closed => false,
            State::Open { until } | State::HalfOpen { until } if now < until => return None,
            State::Open { .. } | State::HalfOpen { .. } => {
                *state = State::HalfOpen { until: now + timeout };
                true
            }
        };
        Some(Attempt { breaker: self, probes })
    }
}

impl Attempt<'_> {
    /// The store answered; tells whether it did not before.
    pub fn succeeded(self) -> bool {
        self.ended(State::Closed) != State::Closed
    }

    /// The store did not answer; tells whether it did before.
    pub fn failed(self) -> bool {
        self.ended(State::Open { until: Instant::now() + OPEN_FOR }) == State::Closed
    }

    /// The state before.
    fn ended(mut self, now: State) -> State {
        self.probes = false;
        std::mem::replace(&mut *self.breaker.state(), now)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.probes {
            *self.breaker.state() = State::Open { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_down_is_asked_by_one_at_a_time() {
        let breaker = CircuitBreaker::new();
        assert!(!breaker.attempt(TIMEOUT).unwrap().succeeded());
        assert!(breaker.attempt(TIMEOUT).unwrap().failed(), "that it went down is news");
        assert!(!breaker.is_closed() && breaker.attempt(TIMEOUT).is_none());
        advance(OPEN_FOR).await;
        let probe = breaker.attempt(TIMEOUT).unwrap();
        assert!(breaker.attempt(TIMEOUT).is_none());
        // Whoever asked went away: the next may.
        drop(probe);
        let probe = breaker.attempt(TIMEOUT).unwrap();
        assert!(breaker.attempt(TIMEOUT).is_none());
        assert!(!probe.failed(), "it was down before");
        advance(OPEN_FOR).await;
        assert!(breaker.attempt(TIMEOUT).unwrap().succeeded());
        assert!(breaker.is_closed() && breaker.attempt(TIMEOUT).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_of_which_nothing_is_heard_does_not_bar_the_next() {
        let breaker = CircuitBreaker::new();
        breaker.attempt(TIMEOUT).unwrap().failed();
        advance(OPEN_FOR).await;
        let _lost = breaker.attempt(TIMEOUT).unwrap();
        advance(TIMEOUT - Duration::from_millis(1)).await;
        assert!(breaker.attempt(TIMEOUT).is_none());
        advance(Duration::from_millis(1)).await;
        assert!(breaker.attempt(TIMEOUT).is_some());
    }
}
