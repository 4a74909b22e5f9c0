//! A CSV file as checked rows of text: what every CSV reader here shares.

use super::inflate::{open, read_error};
use super::{list, shorten};
use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// An open CSV file whose header was read.
pub(super) struct Table {
    path: PathBuf,
    pub(super) headers: Vec<String>,
    reader: Reader<Box<dyn Read + Send>>,
}

/// A data row's number as a person counts: from 1, without the header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize);

impl Table {
    /// Opens `path` (`.csv` or `.csv.gz`) and checks its header.
    ///
    /// # Errors
    /// `data_missing`, `data_read`, `gzip_corrupt`, `csv_empty`, `csv_encoding`, and `csv_header` for
    /// names that are missing or appear twice.
    pub(super) fn open(path: &Path) -> Result<Self> {
        // Rows of another length are found by `for_each`, which can say where they are.
        let mut reader = ReaderBuilder::new().has_headers(true).flexible(true).trim(Trim::All).from_reader(open(path)?);
        let headers: Vec<String> =
            reader.headers().map_err(|error| format_error(path, error))?.iter().map(str::to_owned).collect();
        let shown = path.display();
        if headers.is_empty() {
            return Err(Error::new(ErrorCode::CsvEmpty, format!("{shown}: the file is empty"))
                .hint("a CSV file starts with a header row that names its columns"));
        }
        if headers.len() == 1 && headers[0].contains([';', '\t']) {
            return Err(Error::new(
                ErrorCode::CsvHeader,
                format!("{shown}: the header has one column: `{}`", shorten(&headers[0])),
            )
            .hint("columns must be separated by commas"));
        }
        let mut seen = HashSet::new();
        for (index, header) in headers.iter().enumerate() {
            if header.is_empty() {
                return Err(Error::new(ErrorCode::CsvHeader, format!("{shown}: column {} has no name", index + 1))
                    .hint("the first row must name every column"));
            }
            if !seen.insert(header) {
                return Err(Error::new(
                    ErrorCode::CsvHeader,
                    format!("{shown}: two columns are named `{}`", shorten(header)),
                )
                .hint("rename one of them"));
            }
        }
        Ok(Self { path: path.to_owned(), headers, reader })
    }

    /// The index of the column `name`, or of the last column for `None`.
    ///
    /// # Errors
    /// `csv_target` listing the columns there are.
    pub(super) fn target(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else { return Ok(self.headers.len() - 1) };
        self.headers.iter().position(|header| header == name).ok_or_else(|| {
            Error::new(ErrorCode::CsvTarget, format!("{}: no column is named `{}`", self.path.display(), shorten(name)))
                .hint(format!("its columns are {}", list(&self.headers)))
        })
    }

    /// Calls `visit` for every data row and returns how many there were. Errors are told with the file
    /// and the line.
    ///
    /// # Errors
    /// `csv_ragged` for a row of another length than the header, read errors, and those of `visit`.
    pub(super) fn for_each(mut self, mut visit: impl FnMut(Place, &StringRecord) -> Result<()>) -> Result<usize> {
        let mut record = StringRecord::new();
        let mut row = 0;
        while self.reader.read_record(&mut record).map_err(|error| format_error(&self.path, error))? {
            row += 1;
            let visited = if record.len() == self.headers.len() {
                visit(Place(row), &record)
            } else {
                let what = format!("{} cells, the header has {}", record.len(), self.headers.len());
                Err(Place(row).error(ErrorCode::CsvRagged, what).hint("quote cells that contain commas"))
            };
            visited.map_err(|error| {
                let end = self.reader.position().byte();
                let line = line_at(&self.path, end).map_or(String::new(), |line| format!(", line {line}"));
                error.context(format!("{}{line}", self.path.display()))
            })?;
        }
        Ok(row)
    }
}

/// The line of the file that ends at or holds byte `end`. The CSV reader's own count is off after blank
/// lines and before the second half of a CRLF, so the file is read once more.
fn line_at(path: &Path, end: u64) -> Option<usize> {
    let mut head = open(path).ok()?.take(end);
    let (mut lines, mut last, mut buffer) = (0, b'\n', [0; 1 << 16]);
    loop {
        let got = head.read(&mut buffer).ok()?;
        let Some(byte) = buffer[..got].last() else { break };
        last = *byte;
        lines += buffer[..got].iter().filter(|byte| **byte == b'\n').count();
    }
    Some(lines + usize::from(last != b'\n'))
}

impl Place {
    /// An error in this row.
    pub(super) fn error(self, code: ErrorCode, message: impl AsRef<str>) -> Error {
        Error::new(code, format!("row {}: {}", self.0, message.as_ref()))
    }

    /// The finite number in a cell.
    ///
    /// # Errors
    /// `csv_cell` with the row, the column and the text.
    pub(super) fn number(self, column: &str, text: &str) -> Result<f64> {
        let name = shorten(column);
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ if text.is_empty() => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}` is missing"))
                .hint("fill missing values or drop the row; there is no imputation")),
            Ok(_) => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}`: `{}` is not a finite number", shorten(text)))
                .hint("replace it by a finite number or drop the row")),
            Err(_) => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}`: `{}` is not a number", shorten(text)))
                .hint("every column but the target must be numeric; encode texts as numbers first")),
        }
    }
}

impl Place {
    /// The number to predict in the target's cell.
    ///
    /// # Errors
    /// `csv_cell` with the row, the column and the text.
    pub(super) fn target_number(self, target: &str, text: &str) -> Result<f64> {
        self.number(target, text).map_err(|error| match text {
            "" => error.hint("every row needs the number to predict; drop those without"),
            _ => error.hint("the target of a regression is a finite number; for classes choose a classifier"),
        })
    }
}

fn format_error(path: &Path, error: ::csv::Error) -> Error {
    let shown = path.display();
    match error.into_kind() {
        ErrorKind::Io(error) => read_error(path, &error),
        ErrorKind::Utf8 { pos, .. } => {
            let line = pos.map_or(String::new(), |pos| format!(", line {}", pos.line()));
            Error::new(ErrorCode::CsvEncoding, format!("{shown}{line}: not UTF-8 text")).hint("save the file as UTF-8")
        }
        other => Error::new(ErrorCode::CsvFormat, format!("{shown}: {other:?}")),
    }
}
