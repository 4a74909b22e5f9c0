//! Patience with the store: no operation takes for ever, and one that is down is not asked by everyone.

use super::KeyStore;
use fhectl_core::error::{Error, Result};
use object_store::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest that an operation may take, besides a second for every MiB that it moves.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The same for asking whether a key that is in memory is still there: an answer is at hand without it.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(2);
/// The slowest that content may move, in bytes a second.
const SLOWEST: u64 = 1 << 20;
/// How long a store that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a store can be reached. One that could not is asked by one request a pause, and the others fail at once:
/// were each to wait, they would fill the queue before those whose keys are in memory.
#[derive(Debug)]
pub(super) struct Reach {
    /// A store over a network: its failures are taken for the network's.
    remote: bool,
    /// `None` while it answers, else when it may be asked again.
    again: Mutex<Option<Instant>>,
}

/// An operation under way; one that is dropped without an outcome lets the next one try.
struct Trial<'a> {
    reach: &'a Reach,
    undecided: bool,
}

impl Reach {
    pub fn new(remote: bool) -> Self {
        Self { remote, again: Mutex::new(None) }
    }

    pub fn is_up(&self) -> bool {
        self.again().is_none()
    }

    fn again(&self) -> MutexGuard<'_, Option<Instant>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` where the store is to be left alone.
    fn enter(&self, patience: Duration) -> Option<Trial<'_>> {
        let mut again = self.again();
        let undecided = match *again {
            None => false,
            Some(at) if at > Instant::now() => return None,
            Some(_) => {
                *again = Some(Instant::now() + patience);
                true
            }
        };
        Some(Trial { reach: self, undecided })
    }
}

impl Trial<'_> {
    /// Records the outcome; tells whether it is news.
    fn ended(mut self, up: bool) -> bool {
        self.undecided = false;
        let again = if up { None } else { Some(Instant::now() + PAUSE) };
        std::mem::replace(&mut *self.reach.again(), again).is_none() != up
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.undecided {
            *self.reach.again() = Some(Instant::now());
        }
    }
}

/// How long an operation may take that moves so many bytes.
pub(super) fn patience_for(bytes: usize) -> Duration {
    PATIENCE + Duration::from_secs(bytes as u64 / SLOWEST)
}

impl KeyStore {
    /// Runs one operation of the store within `patience`. Absent objects and those that are there already are no
    /// failures of the store, and left to the caller.
    ///
    /// # Errors
    /// `store_unavailable` where the store does not answer or says that it cannot now, `store_failed` where it refuses.
    pub(super) async fn ask<T>(
        &self,
        doing: &str,
        at: &Path,
        patience: Duration,
        operation: impl Future<Output = object_store::Result<T>>,
    ) -> Result<object_store::Result<T>> {
        let Some(trial) = self.reach.enter(patience) else {
            return Err(unavailable(doing));
        };
        let outcome = tokio::time::timeout(patience, operation).await;
        use object_store::Error as E;
        match outcome {
            Ok(outcome @ (Ok(_) | Err(E::NotFound { .. } | E::AlreadyExists { .. } | E::Precondition { .. }))) => {
                if trial.ended(true) {
                    tracing::info!("the key store answers again");
                }
                Ok(outcome)
            }
            Ok(Err(error @ (E::PermissionDenied { .. } | E::Unauthenticated { .. }))) => {
                trial.ended(true);
                tracing::error!(%at, %error, "key store: {doing} was refused");
                Err(Error::fault("store_failed", format!("the key store refused {doing}"))
                    .hint("the operator finds the cause in the server's log"))
            }
            // One over a network is reported when it goes down, not by all who find it so.
            failed => {
                let (error, down) = match failed {
                    Ok(Err(error)) => (error.to_string(), self.reach.remote),
                    _ => (format!("no answer within {} s", patience.as_secs()), true),
                };
                if trial.ended(!down) || !down {
                    tracing::error!(%at, error, "key store: {doing} failed");
                } else {
                    tracing::debug!(%at, error, "key store: {doing} failed");
                }
                Err(unavailable(doing))
            }
        }
    }

    /// [`KeyStore::ask`], where an absent object is `None`.
    pub(super) async fn ask_for<T>(
        &self,
        doing: &str,
        at: &Path,
        patience: Duration,
        operation: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>> {
        match self.ask(doing, at, patience, operation).await? {
            Ok(value) => Ok(Some(value)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => {
                tracing::error!(%at, %error, "key store: {doing} failed");
                Err(unavailable(doing))
            }
        }
    }
}

/// What a store says may hold paths and hosts of the operator's, so it goes to the log only.
fn unavailable(doing: &str) -> Error {
    Error::fault("store_unavailable", format!("the key store cannot be reached for {doing}"))
        .hint("try again after a short wait; if it stays, the operator finds the cause in the server's log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_down_is_asked_by_one_at_a_time() {
        let reach = Reach::new(true);
        assert!(!reach.enter(PATIENCE).unwrap().ended(true));
        assert!(reach.enter(PATIENCE).unwrap().ended(false), "that it went down is news");
        assert!(!reach.is_up() && reach.enter(PATIENCE).is_none());
        *reach.again() = Some(Instant::now());
        let trial = reach.enter(PATIENCE).unwrap();
        assert!(reach.enter(PATIENCE).is_none());
        // Whoever asked went away: the next may.
        drop(trial);
        let trial = reach.enter(PATIENCE).unwrap();
        assert!(reach.enter(PATIENCE).is_none());
        assert!(trial.ended(true));
        assert!(reach.is_up() && reach.enter(PATIENCE).is_some());
    }
}
