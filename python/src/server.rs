//! A server in this process, as `fhectl serve` runs it.

use crate::errors::exception;
use fhectl::commands::embedded;
use fhectl_core::error::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use std::ffi::OsString;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// A server that runs until it is stopped.
#[pyclass(frozen, module = "fhectl._fhectl")]
pub struct Server {
    url: String,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

#[pymethods]
impl Server {
    /// Starts `fhectl serve` with these words behind it, and returns once it has its port.
    #[new]
    fn new(py: Python<'_>, words: Vec<OsString>) -> PyResult<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            embedded::serve(&words, |url| {
                _ = sender.send(url);
                async {
                    _ = stopped.await;
                }
            })
        });
        // Where the server ends before it has a port, its thread drops the sender.
        let receiver = Mutex::new(receiver);
        let url = py.detach(|| receiver.lock().unwrap_or_else(PoisonError::into_inner).recv());
        match url {
            Ok(url) => Ok(Self { url, running: Mutex::new(Some(Running { stop, thread })) }),
            Err(_) => Err(exception(py, &ended(thread).err().unwrap_or_else(fault))),
        }
    }

    /// Where it listens.
    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// Drains: what was accepted is answered. A second call does nothing.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, thread }) = running else { return Ok(()) };
        _ = stop.send(());
        py.detach(|| ended(thread)).map_err(|error| exception(py, &error))
    }
}

fn ended(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| Err(fault()))
}

fn fault() -> Error {
    Error::new(ErrorCode::Server, "the server ended before it began").hint("report it, with what was done before")
}
