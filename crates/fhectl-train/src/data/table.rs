//! A table as checked rows of text: what every reader of one here shares.

use super::columns::Rows;
use super::decode::{NotText, Utf8Reader};
use super::dialect::{Dialect, HEAD, is_decimal, recognise, width_of_rows};
use super::header::checked_header;
use super::open::{Content, open, open_table, read_error};
use super::row_limit::{LimitedRows, RowBudget, RowTooLong};
use super::table_options::TableOptions;
use super::{list, shorten};
use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{is_missing, number_hint};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

type Text = Box<dyn Read + Send>;

/// An open table whose columns' names were read.
pub(super) struct Table {
    path: PathBuf,
    pub(super) headers: Vec<String>,
    /// Of columns that cannot be read, what they hold; empty where all can.
    unreadable: Vec<Option<String>>,
    options: TableOptions,
    source: Source,
}

enum Source {
    Text {
        dialect: Dialect,
        reader: Reader<LimitedRows<Text>>,
        budget: RowBudget,
        /// The first row, where it is data.
        first: Option<StringRecord>,
    },
    Columns(Box<dyn Rows>),
}

/// A data row's number as a person counts: from 1, without the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(usize);

impl Table {
    /// Opens `path`, recognises how it is written where `options` do not say it, and checks its header.
    ///
    /// # Errors
    /// Those of opening; `csv_empty`, `csv_encoding`, and `csv_header` for names that are missing or appear twice, and for
    /// a first row that looks like data.
    pub(super) fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        let content = match open_table(path)? {
            Content::Text(text) => text,
            Content::Columns(columns) => {
                return Ok(Self {
                    path: path.to_owned(),
                    headers: columns.names,
                    unreadable: columns.unreadable,
                    options: options.clone(),
                    source: Source::Columns(columns.rows),
                });
            }
        };
        let (head, rest) = head(path, content, options)?;
        let text = String::from_utf8_lossy(&head);
        let dialect = recognise(&text, options);
        let widest = width_of_rows(&text[dialect.skip..], dialect.separator);
        drop(text);
        let skipped = head.len() - head[dialect.skip..].len();
        let source: Text = Box::new(Cursor::new(head).chain(rest));
        let mut source = source;
        std::io::copy(&mut source.by_ref().take(skipped as u64), &mut std::io::sink())
            .map_err(|error| read_error(path, &error))?;
        let (source, budget) = LimitedRows::new(source);
        // Rows of another length are found by `for_each`, which can say where they are.
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.separator)
            .trim(Trim::All)
            .from_reader(source);
        let mut record = StringRecord::new();
        reader.read_record(&mut record).map_err(|error| format_error(path, error))?;
        // As of rows: separators at the end of the line begin no column.
        let named = record.len() - record.iter().rev().take_while(|cell| cell.is_empty()).count();
        record.truncate(named.max(1));
        check_title(path, &record, widest)?;
        let headers = checked_header(path, &record, options.no_header)?;
        let first = options.no_header.then_some(record);
        let source = Source::Text { dialect, reader, budget, first };
        Ok(Self { path: path.to_owned(), headers, unreadable: Vec::new(), options: options.clone(), source })
    }

    /// Refuses a column that is asked for and holds what cannot be read.
    ///
    /// # Errors
    /// `csv_columns`.
    pub(super) fn check_readable(&self, columns: impl IntoIterator<Item = usize>) -> Result<()> {
        for column in columns {
            if let Some(Some(what)) = self.unreadable.get(column) {
                let name = shorten(&self.headers[column]);
                let message = format!("{}: column `{name}` holds {what}", self.path.display());
                return Err(Error::new(ErrorCode::CsvColumns, message)
                    .hint(format!("leave it out with --drop {name}, or make columns of numbers or text of it")));
            }
        }
        Ok(())
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
        loop {
            let more = match &mut self.source {
                Source::Text { first, reader, budget, .. } => match first.take() {
                    Some(first) => {
                        record = first;
                        true
                    }
                    None => {
                        budget.renew();
                        reader.read_record(&mut record).map_err(|error| format_error(&self.path, error))?
                    }
                },
                Source::Columns(rows) => rows.next(&mut record).map_err(|error| error.context(self.path.display()))?,
            };
            if !more {
                return Ok(row);
            }
            row += 1;
            self.visit(Place(row), &mut record, &mut visit).map_err(|error| match &self.source {
                Source::Text { reader, dialect, .. } => {
                    let end = reader.position().byte() + dialect.skip as u64;
                    let line = line_at(&self.path, &self.options, end);
                    let line = line.map_or(String::new(), |line| format!(", line {line}"));
                    error.context(format!("{}{line}", self.path.display()))
                }
                Source::Columns(_) => error.context(self.path.display()),
            })?;
        }
    }

    fn visit(
        &self,
        place: Place,
        record: &mut StringRecord,
        visit: &mut impl FnMut(Place, &StringRecord) -> Result<()>,
    ) -> Result<()> {
        if let Source::Text { dialect, .. } = &self.source {
            // A separator at a line's end begins a cell that nobody meant.
            if record.len() > self.headers.len() && record.iter().skip(self.headers.len()).all(str::is_empty) {
                record.truncate(self.headers.len());
            }
            if record.len() != self.headers.len() {
                return Err(ragged(place, record, self.headers.len(), dialect.separator));
            }
            if dialect.decimal_comma {
                *record = with_points(record);
            }
        }
        visit(place, record)
    }
}

/// The error of a row of another length than the header.
fn ragged(place: Place, record: &StringRecord, wanted: usize, separator: u8) -> Error {
    let what = format!("{} cells, the header has {wanted}", record.len());
    let hint = if record.iter().any(|cell| cell.contains('\n')) {
        "one of its cells goes over several lines: is a quote opened and not closed?"
    } else if record.iter().any(|cell| cell.starts_with('"')) {
        "a quote is one only where the cell begins with it: take away the space before it"
    } else if record.len() < wanted {
        "every row needs as many cells as the header, be they empty"
    } else if separator == b',' {
        "quote cells that contain commas"
    } else {
        "quote cells that contain the separator, or say it with --separator"
    };
    place.error(ErrorCode::CsvRagged, what).hint(hint)
}

/// The first bytes of a file as UTF-8, and what comes after them.
fn head(path: &Path, content: Text, options: &TableOptions) -> Result<(Vec<u8>, Text)> {
    let mut text: Text = Box::new(Utf8Reader::new(content, options.encoding));
    let mut head = Vec::new();
    // In pieces: a reader that fails in the middle has told what comes before.
    let mut buffer = [0; 1 << 12];
    while head.len() < HEAD {
        let got = match text.read(&mut buffer) {
            Ok(got) => got,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData && is_no_text(&error) => {
                return Err(not_text(path, &head));
            }
            Err(error) => return Err(read_error(path, &error)),
        };
        if got == 0 {
            break;
        }
        head.extend_from_slice(&buffer[..got]);
    }
    Ok((head, text))
}

/// Refuses a first line that stands above the names of the columns.
fn check_title(path: &Path, first: &StringRecord, width_of_rows: usize) -> Result<()> {
    if width_of_rows > 1 && first.iter().all(str::is_empty) {
        let message = format!("{}: the first row, which should name the columns, is blank", path.display());
        return Err(Error::new(ErrorCode::CsvHeader, message)
            .hint("delete it where the names are below it, else write the columns' names there"));
    }
    if first.len() == 1 && width_of_rows > 1 {
        let message = format!(
            "{}: the first line, `{}`, has one cell and those below have {width_of_rows}",
            path.display(),
            shorten(&first[0])
        );
        return Err(
            Error::new(ErrorCode::CsvHeader, message).hint("delete what stands above the line that names the columns")
        );
    }
    Ok(())
}

/// A row whose numbers have decimal points instead of commas.
fn with_points(record: &StringRecord) -> StringRecord {
    let cell = |cell: &str| if is_decimal(cell, ',') { cell.replacen(',', ".", 1) } else { cell.to_owned() };
    record.iter().map(cell).collect()
}

/// The line of the file that ends at or holds byte `end`. The CSV reader's own count is off after blank
/// lines and before the second half of a CRLF, so the file is read once more.
fn line_at(path: &Path, options: &TableOptions, end: u64) -> Option<usize> {
    let mut head = Utf8Reader::new(open(path).ok()?, options.encoding).take(end);
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
            _ if is_missing(text) => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}` is missing"))
                .hint("fill it in or drop the row; this model has no rule for missing values")),
            Ok(_) => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}`: `{}` is not a finite number", shorten(text)))
                .hint("replace it by a finite number or drop the row")),
            Err(_) => Err(self
                .error(ErrorCode::CsvCell, format!("column `{name}`: `{}` is not a number", shorten(text)))
                .hint(
                    number_hint(text)
                        .unwrap_or("every column that the model takes must be numeric; is it the right column?"),
                )),
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
        ErrorKind::Io(error) if is_no_text(&error) => not_text(path, &[]),
        ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<RowTooLong>()) => {
            Error::new(ErrorCode::DataTooLarge, format!("{shown}: more than 16 MiB in one row"))
                .hint("is a quote opened and not closed, or are there no line ends?")
        }
        ErrorKind::Io(error) => read_error(path, &error),
        other => Error::new(ErrorCode::CsvFormat, format!("{shown}: {other:?}")),
    }
}

fn is_no_text(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NotText>())
}

/// The file is not text of its encoding, after what was read of it.
fn not_text(path: &Path, before: &[u8]) -> Error {
    let line = match before {
        [] => String::new(),
        _ => format!(", line {}", before.iter().filter(|byte| **byte == b'\n').count() + 1),
    };
    Error::new(ErrorCode::CsvEncoding, format!("{}{line}: not UTF-8 text", path.display()))
        .hint("say how it is written with --encoding (windows-1252 for most of Excel's files), or save it as UTF-8")
}
