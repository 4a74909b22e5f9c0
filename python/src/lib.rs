//! The compiled module under the Python package `fhectl`: it hands numpy's arrays to the project's crates and their answers
//! back. What it does is theirs; its Python face is in `python/fhectl`.

mod client;
mod columns;
mod commands;
mod errors;
mod held_client;
mod jobs;
mod model;
mod predictions;
mod server;
mod table;

use pyo3::prelude::*;

#[pymodule]
fn _fhectl(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(commands::main, module)?)?;
    module.add_function(wrap_pyfunction!(commands::create, module)?)?;
    module.add_function(wrap_pyfunction!(table::write_table, module)?)?;
    module.add_class::<model::Model>()?;
    module.add_class::<client::Client>()?;
    module.add_class::<client::Request>()?;
    module.add_class::<held_client::HeldClient>()?;
    module.add_class::<server::Server>()
}
