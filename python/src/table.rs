//! Writing rows as a table that `create` reads.

use crate::columns::{Column, GivenColumn};
use crate::errors::exception;
use fhectl_core::error::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Write};
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
    let mut out = BufWriter::new(options.open(path).map_err(failed)?);
    let mut line = String::new();
    push_line(&mut line, names.iter().map(|name| Cell::Text(name)));
    out.write_all(line.as_bytes()).map_err(failed)?;
    for row in 0..columns.first().map_or(0, Column::len) {
        line.clear();
        push_line(
            &mut line,
            columns.iter().map(|column| match column {
                Column::Numbers(numbers) => Cell::Number(numbers.get(row).copied().unwrap_or(f64::NAN)),
                Column::Texts(texts) => Cell::Text(texts.get(row).map_or("", |text| text)),
            }),
        );
        out.write_all(line.as_bytes()).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

enum Cell<'a> {
    Number(f64),
    Text(&'a str),
}

fn push_line<'a>(line: &mut String, cells: impl Iterator<Item = Cell<'a>>) {
    use std::fmt::Write;
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            line.push(',');
        }
        match cell {
            Cell::Number(number) if number.is_nan() => {}
            // The shortest text that gives the same number again.
            Cell::Number(number) => _ = write!(line, "{number}"),
            Cell::Text(text)
                if text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') =>
            {
                _ = write!(line, "\"{}\"", text.replace('"', "\"\""));
            }
            Cell::Text(text) => line.push_str(text),
        }
    }
    line.push('\n');
}
