//! A device of a server: up, or lost and to be opened again.

use super::homes::Homes;
use super::queue::Terms;
use crate::device::{Device, Session};
use crate::server::device_metrics::DeviceMetrics;
use crate::server::estimate::Estimate;
use fhectl_core::circuit::Evaluator;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much faster than one core a device is taken to be before that was measured.
const FASTER: f64 = 64.0;
/// How long it is before a lost device is opened again, the first time and at most; each time twice as long, until it has
/// worked for as long as the longest.
const REOPEN_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Openings of a device that may hang; then it stays away: each keeps a thread, and what it was given.
const MOST_HANGS: usize = 3;

/// What all devices of a server have in common.
#[derive(Clone)]
pub(super) struct DeviceTerms {
    pub models: Arc<[Arc<Evaluator>]>,
    /// Threads for the host's share of launches.
    pub threads: usize,
    /// Bootstraps of a launch.
    pub bootstraps: usize,
    /// The longest that a call of a device may take.
    pub limit: Duration,
    pub homes: Arc<Homes>,
    pub metrics: Arc<DeviceMetrics>,
}

/// A device of a server.
pub(super) struct RunningDevice {
    device: Arc<dyn Device>,
    /// Its place among the server's devices.
    pub index: usize,
    pub terms: DeviceTerms,
    session: Mutex<Option<Arc<Session>>>,
    /// Seconds of a whole launch, by model.
    seconds: Vec<Estimate>,
    closed: AtomicBool,
    patience: Mutex<Patience>,
    hangs: AtomicUsize,
    /// Whether it computed any model when it was first opened.
    computed: bool,
}

/// How long a lost device is left alone.
struct Patience {
    wait: Duration,
    /// When it came up; none once its loss was counted.
    opened: Option<Instant>,
}

impl Patience {
    /// The device is up.
    fn is_opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// It is up no more, or did not come up: how long to wait now. One that fails again soon is waited for longer.
    fn next_wait(&mut self) -> Duration {
        let worked = self.opened.take().is_some_and(|opened| opened.elapsed() >= REOPEN_AFTER.1);
        let wait = if worked { REOPEN_AFTER.0 } else { self.wait };
        self.wait = (2 * wait).min(REOPEN_AFTER.1);
        wait
    }
}

impl RunningDevice {
    /// Opens a device.
    ///
    /// # Errors
    /// `device_unavailable`, `device_failed`, `threads`.
    pub fn open(device: Arc<dyn Device>, index: usize, terms: DeviceTerms) -> Result<Arc<Self>> {
        let session = Session::open(&device, &terms.models, terms.threads, terms.limit)?;
        let computed = session.computes_any(terms.models.len());
        if !computed {
            tracing::warn!(
                device = device.name(),
                "the device computes none of the models, or has no room for their keys"
            );
        }
        let seconds = terms.models.iter().enumerate().map(|(model, evaluator)| {
            let rows = terms.rows_a_launch(&session, model);
            Estimate::new(rows as f64 * evaluator.spec().row_seconds() / FASTER)
        });
        let seconds = seconds.collect();
        let session = Mutex::new(Some(Arc::new(session)));
        let patience = Mutex::new(Patience { wait: REOPEN_AFTER.0, opened: Some(Instant::now()) });
        let closed = AtomicBool::new(false);
        let own = Arc::new(Self {
            device,
            index,
            terms,
            session,
            seconds,
            closed,
            patience,
            hangs: AtomicUsize::new(0),
            computed,
        });
        own.terms.metrics.up(own.name(), true);
        Ok(own)
    }

    pub fn name(&self) -> &str {
        self.device.name()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, where it is up.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.slot().clone()
    }

    /// What launches of a model are.
    pub fn launch_terms(&self, model: usize) -> Terms {
        let rows = self.session().map_or(1, |session| self.terms.rows_a_launch(&session, model));
        Terms { rows, row_seconds: self.seconds[model].seconds() / rows as f64 }
    }

    /// What so many rows of a model are predicted to take.
    pub fn predicted(&self, model: usize, rows: usize) -> Duration {
        Duration::from_secs_f64((rows as f64 * self.launch_terms(model).row_seconds).min(1e6))
    }

    /// Takes in what a launch took. Small ones tell little of large ones, but those take as long at least.
    pub fn learn(&self, model: usize, rows: usize, took: Duration) {
        let (estimate, took) = (&self.seconds[model], took.as_secs_f64());
        if 2 * rows >= self.launch_terms(model).rows || took > estimate.seconds() {
            estimate.learn(took);
        }
    }

    /// Gives a device up: its keys and models are forgotten, and it is opened again in the background. Once for each time.
    pub fn lose(self: &Arc<Self>, session: &Arc<Session>, error: &Error) {
        let lost = self.slot().take_if(|own| Arc::ptr_eq(own, session));
        let Some(lost) = lost else { return };
        lost.lose();
        self.terms.homes.clear(self.index);
        self.terms.metrics.up(self.name(), false);
        tracing::error!(device = self.name(), code = error.code.as_str(), "a device was lost: {error}");
        let hung = lost.hung();
        drop(lost);
        if hung && self.hangs.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_HANGS {
            tracing::error!(
                device = self.name(),
                "the device hung {MOST_HANGS} times; it is not used again until a restart"
            );
            return;
        }
        self.reopen();
    }

    /// Tries to open it again until that works. An attempt that hangs is the last one: the driver is no better for another.
    fn reopen(self: &Arc<Self>) {
        let (device, terms, own) = (self.device.clone(), self.terms.clone(), Arc::downgrade(self));
        let first = self.patience().next_wait();
        let attempts = move || {
            let mut wait = first;
            loop {
                thread::sleep(wait);
                if own.upgrade().is_none_or(|own| own.closed.load(Ordering::Relaxed)) {
                    return;
                }
                let opened = Session::open(&device, &terms.models, terms.threads, terms.limit);
                let Some(own) = own.upgrade() else { return };
                // What another program took, or what a hang left, may leave no room for a key.
                let opened = opened.and_then(|session| {
                    if own.computed && !session.computes_any(own.terms.models.len()) {
                        return Err(Error::new(ErrorCode::DeviceFailed, "it has no room for a key of any model"));
                    }
                    Ok(session)
                });
                match opened {
                    Ok(session) => {
                        *own.slot() = Some(Arc::new(session));
                        own.patience().is_opened();
                        own.terms.metrics.up(own.name(), true);
                        tracing::info!(device = own.name(), "a device is back");
                        return;
                    }
                    Err(error) => {
                        wait = own.patience().next_wait();
                        let code = error.code.as_str();
                        tracing::warn!(
                            device = own.name(),
                            code,
                            "a device is not back: {error}; next try in {wait:?}"
                        );
                    }
                }
            }
        };
        if thread::Builder::new().name(format!("{}-open", self.name())).spawn(attempts).is_err() {
            tracing::error!(device = self.name(), "no thread to open the device again; it stays away");
        }
    }

    /// Opens it no more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl DeviceTerms {
    fn rows_a_launch(&self, session: &Session, model: usize) -> usize {
        session.model(model).map_or(1, |model| self.bootstraps / model.bootstraps.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_fails_again_soon_is_left_alone_for_longer() {
        let mut patience = Patience { wait: REOPEN_AFTER.0, opened: Some(Instant::now()) };
        let mut waits = Vec::new();
        for _ in 0..8 {
            waits.push(patience.next_wait().as_secs());
            patience.is_opened();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        // It has worked for a minute.
        patience.opened = Instant::now().checked_sub(REOPEN_AFTER.1);
        assert_eq!(patience.next_wait(), REOPEN_AFTER.0);
        assert_eq!(patience.next_wait(), 2 * REOPEN_AFTER.0, "it did not come up");
    }
}
