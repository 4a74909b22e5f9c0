//! Writing rows as a table that `create` reads.

use crate::columns::{Column, GivenColumn};
use crate::errors::exception;
use fhectl_core::error::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes a CSV file: `names` a column, then `columns`, each of numbers (NaN is an empty cell) or texts. Files are readable
/// by their owner only.
#[pyfunction]
pub fn write_table(py: Python<'_>, path: PathBuf, names: Vec<String>, columns: Vec<GivenColumn<'_>>) -> PyResult<()> {
    let columns: Vec<Column> = columns.into_iter().map(GivenColumn::copied).collect();
    py.detach(|| write(&path, &names, &columns)).map_err(|error| exception(py, &error))
}

fn write(path: &Path, names: &[String], columns: &[Column]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display()))
            .hint("rows go through a file in the temporary folder (TMPDIR): make room there")
    };
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = |error: csv::Error| failed(error.into());
    let mut out = csv::Writer::from_writer(options.open(path).map_err(failed)?);
    out.write_record(names).map_err(written)?;
    for row in 0..columns.first().map_or(0, Column::len) {
        out.write_record(columns.iter().map(|column| column.cell(row))).map_err(written)?;
    }
    out.flush().map_err(failed)
}

impl Column {
    /// A missing number is an empty cell, any other the shortest text that gives it again.
    fn cell(&self, row: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Numbers(numbers) => match numbers.get(row) {
                Some(number) if !number.is_nan() => Cow::Owned(number.to_string().into_bytes()),
                _ => Cow::Borrowed(b""),
            },
            Self::Texts(texts) => Cow::Borrowed(texts.get(row).map_or(b"", String::as_bytes)),
        }
    }
}
