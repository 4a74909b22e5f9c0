//! Errors as Python exceptions: `fhectl.errors.exception` makes them of code, message and hint.

use fhectl_core::error::Error;
use pyo3::intern;
use pyo3::prelude::*;

/// The exception of an error, or what went wrong while it was made.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let made = || -> PyResult<Bound<'_, PyAny>> {
        let module = py.import(intern!(py, "fhectl.errors"))?;
        let make = module.getattr(intern!(py, "exception"))?;
        make.call1((error.code.as_str(), &error.message, error.hint.as_deref()))
    };
    made().map_or_else(|failed| failed, PyErr::from_value)
}
