//! The command line, and `create` as a function.

use crate::jobs;
use fhectl::commands::{embedded, run_line};
use fhectl::report::fail;
use fhectl::report::listener::Told;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs the command line `words` (the first is the program's name) and returns its exit code. Help, and words that it does
/// not take, end the process.
#[pyfunction]
pub fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| match run_line(&words) {
        Ok(()) => 0,
        Err(error) => fail(&error),
    })
}

/// `fhectl create` with these words behind it: returns the folder that it made. `heard(kind, text)` is told what it says:
/// `line`, `note` or `doing`.
#[pyfunction]
#[pyo3(signature = (words, heard=None))]
pub fn create(py: Python<'_>, words: Vec<OsString>, heard: Option<&Bound<'_, PyAny>>) -> PyResult<PathBuf> {
    jobs::run(py, heard, move |reporter| {
        let listener = Box::new(move |told| match told {
            Told::Line(text) => reporter.say("line", text),
            Told::Note(text) => reporter.say("note", text),
            Told::Doing(text) => reporter.say("doing", text),
        });
        embedded::create(&words, listener)
    })
}
