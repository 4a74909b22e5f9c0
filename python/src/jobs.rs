//! Long calls: they work on a thread of their own, without the interpreter's lock, and Ctrl-C ends them.

use crate::errors::exception;
use fhectl_core::error::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How often Python is asked whether a signal came.
const SIGNALS: Duration = Duration::from_millis(50);

/// What a job says while it works: what kind of thing (`line`, `note`, `doing`, `rows`), and the thing.
type Said = (&'static str, String);

enum Event<T> {
    Said(Said),
    Done(Result<T>),
}

/// A job's way to say something, and to be stopped.
pub struct Reporter {
    say: Box<dyn Fn(Said) + Send>,
    stop: Arc<AtomicBool>,
}

impl Reporter {
    /// Says it; where nobody waits any more, the job ends here.
    pub fn say(&self, kind: &'static str, text: String) {
        if self.stop.load(Ordering::Relaxed) {
            // No panic that a person should see.
            resume_unwind(Box::new("stopped"));
        }
        (self.say)((kind, text));
    }

    /// So many more rows are done.
    ///
    /// # Errors
    /// Where nobody waits any more; nobody sees which.
    pub fn rows(&self, count: usize) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorCode::Internal, "stopped"));
        }
        (self.say)(("rows", count.to_string()));
        Ok(())
    }
}

/// Runs a job. `heard` is called with what it says, if it is not `None`.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    heard: Option<&Bound<'_, PyAny>>,
    job: impl FnOnce(Reporter) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let (sender, receiver) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let reporter = Reporter { say: says(sender.clone(), heard.is_some()), stop: Arc::clone(&stop) };
    thread::spawn(move || _ = sender.send(Event::Done(job(reporter))));
    // However this ends, the job is told so.
    let _stop = Stop(stop);
    let receiver = std::sync::Mutex::new(receiver);
    loop {
        let event = py.detach(|| match receiver.lock() {
            Ok(receiver) => receiver.recv_timeout(SIGNALS),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        });
        match event {
            Ok(Event::Done(result)) => return result.map_err(|error| exception(py, &error)),
            Ok(Event::Said(said)) => {
                if let Some(heard) = heard {
                    heard.call1(said)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                let fault = Error::new(ErrorCode::Internal, "a computation ended without a result")
                    .hint("report it, with what was done before");
                return Err(exception(py, &fault));
            }
        }
    }
}

fn says<T: Send + 'static>(sender: Sender<Event<T>>, wanted: bool) -> Box<dyn Fn(Said) + Send> {
    Box::new(move |said| {
        if wanted {
            _ = sender.send(Event::Said(said));
        }
    })
}

struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
