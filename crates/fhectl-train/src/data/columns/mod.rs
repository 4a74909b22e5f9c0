//! Files of columns, Parquet and Arrow, as the rows of text that a CSV file would hold.
//!
//! Rows of text, so that a table gives the very same model whichever file it came in. Nothing here is trusted: sizes are
//! bounded before anything is allocated.

mod arrow;
mod arrow_batch;
mod arrow_schema;
mod flat;
mod parquet;
mod parquet_headers;
mod parquet_pages;
mod stored;
mod text;
mod thrift;

use super::shorten;
use ::csv::StringRecord;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashSet;

pub(super) use self::arrow::{is_arrow, is_arrow_file, open_file as open_arrow_file, open_stream as open_arrow_stream};
pub(super) use self::parquet::{is_parquet, open as open_parquet};
pub(super) use self::stored::Stored;

/// The most bytes that a group of rows takes, unpacked. It is the unit that is read at once.
const MAX_GROUP: u64 = 256 << 20;
/// The most bytes of one cell.
const MAX_CELL: usize = 16 << 20;
/// The most bytes of all cells, as of a file of text. Few bytes may stand for many long cells.
const MAX_TEXT: u64 = 4 << 30;
/// The most rows, and the most columns.
const MAX_ROWS: u64 = 1 << 27;
const MAX_COLUMNS: usize = 1 << 16;

/// Rows of text, one after the other.
pub(super) trait Rows: Send {
    /// Takes the next row, and whether there was one.
    ///
    /// # Errors
    /// `data_format` for damaged bytes, `data_too_large`.
    fn next(&mut self, row: &mut StringRecord) -> Result<bool>;
}

/// An open file of columns.
pub(super) struct Columns {
    pub names: Vec<String>,
    /// Of each column that cannot be read, what it holds.
    pub unreadable: Vec<Option<String>>,
    pub rows: Box<dyn Rows>,
}

impl Columns {
    /// Columns in the order of the file, but for the index of a pandas frame: it is stored last, where a table without
    /// a named target has its labels, and stands first in a CSV file.
    ///
    /// # Errors
    /// `csv_header` for names that are empty or there twice, `csv_empty` without columns, `data_too_large`.
    fn new(
        names: Vec<String>,
        unreadable: Vec<Option<String>>,
        pandas: Option<&str>,
        rows: Box<dyn Rows>,
    ) -> Result<Self> {
        // As of cells of text, what stands around them is nothing.
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        check_names(&names)?;
        let rows = Box::new(Bounded { rows, left: MAX_TEXT });
        let index: HashSet<String> = pandas.map(index_columns).unwrap_or_default();
        let is_index = |at: &usize| index.contains(&names[*at]) || names[*at].starts_with("__index_level_");
        let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(is_index);
        if order.is_empty() {
            return Ok(Self { names, unreadable, rows });
        }
        order.extend(rest);
        Ok(Self {
            names: order.iter().map(|at| names[*at].clone()).collect(),
            unreadable: order.iter().map(|at| unreadable[*at].clone()).collect(),
            rows: Box::new(Reordered { rows, order, row: StringRecord::new() }),
        })
    }
}

fn check_names(names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Err(Error::new(ErrorCode::CsvEmpty, "the file has no columns"));
    }
    if names.len() > MAX_COLUMNS {
        return Err(Error::new(ErrorCode::DataTooLarge, format!("{} columns, at most {MAX_COLUMNS}", names.len())));
    }
    let mut seen = HashSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Error::new(ErrorCode::CsvHeader, format!("column {} has no name", at + 1))
                .hint("name every column of the frame"));
        }
        if !seen.insert(name) {
            return Err(Error::new(ErrorCode::CsvHeader, format!("two columns are named `{}`", shorten(name)))
                .hint("rename one of them"));
        }
    }
    Ok(())
}

/// The columns that pandas' own note in the file says to be the frame's index.
fn index_columns(note: &str) -> HashSet<String> {
    let note: serde_json::Value = serde_json::from_str(note).unwrap_or_default();
    let columns = note["index_columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    // One that only counts is an object and not stored.
    columns.iter().filter_map(|column| column.as_str().map(str::to_owned)).collect()
}

/// Rows of so many bytes in all, with one for what would stand between two cells.
struct Bounded {
    rows: Box<dyn Rows>,
    left: u64,
}

impl Rows for Bounded {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        let more = self.rows.next(row)?;
        let left = self.left.checked_sub(row.as_slice().len() as u64 + row.len() as u64);
        self.left = left.ok_or_else(|| too_large(format!("more than {} GiB of cells", MAX_TEXT >> 30)))?;
        Ok(more)
    }
}

struct Reordered {
    rows: Box<dyn Rows>,
    order: Vec<usize>,
    row: StringRecord,
}

impl Rows for Reordered {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        let more = self.rows.next(&mut self.row)?;
        row.clear();
        if more {
            self.order.iter().for_each(|at| row.push_field(self.row.get(*at).unwrap_or_default()));
        }
        Ok(more)
    }
}

fn damaged(what: &str, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::DataFormat, format!("not a whole {what} file ({why})"))
        .hint("write or download the file again")
}

fn too_large(what: impl Into<String>) -> Error {
    Error::new(ErrorCode::DataTooLarge, what.into()).hint("give fewer rows, or leave out columns that no model takes")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
