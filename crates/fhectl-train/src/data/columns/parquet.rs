//! Parquet.

use super::parquet_headers::schema_depth;
use super::parquet_pages::{CheckedPages, check_chunk};
use super::stored::Stored;
use super::{Columns, MAX_CELL, MAX_GROUP, MAX_ROWS, Rows, damaged, text, too_large};
use ::csv::StringRecord;
use fhectl_core::error::{Error, Result};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{DataType, Int96};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader, SerializedPageReader};
use parquet::schema::types::ColumnDescriptor;
use std::sync::Arc;

/// The most bytes that describe a file, and the most structures in each other.
const MAX_FOOTER: u64 = 8 << 20;
const MAX_DEPTH: usize = 64;
/// Rows that are read at once, and cells, where there are many columns.
const BATCH: usize = 1024;
const BATCH_CELLS: usize = 1 << 18;
/// The most bytes of text in so many rows.
const MAX_BATCH: usize = 128 << 20;

/// Whether a file begins as a Parquet file does.
pub(in super::super) fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
}

fn broken(error: ParquetError) -> Error {
    damaged("Parquet", error)
}

/// Opens a Parquet file.
///
/// # Errors
/// `data_format` for a damaged file, or one packed in a way that is not read; `data_too_large`; those of [`Columns`].
pub(in super::super) fn open(stored: Stored) -> Result<Columns> {
    contained(|| open_checked(stored))
}

/// What comes of reading bytes that may be damaged: at some of them the reader of Parquet panics, with a slice out of
/// bounds for one.
fn contained<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(damaged("Parquet", "its reader fails on it")))
}

fn open_checked(stored: Stored) -> Result<Columns> {
    check_footer(&stored)?;
    let stored = Arc::new(stored);
    let reader = SerializedFileReader::new(Shared(stored.clone())).map_err(broken)?;
    let metadata = reader.metadata().file_metadata();
    let schema = metadata.schema_descr();
    let (mut names, mut unreadable, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    let mut leaf = 0;
    for (root, field) in schema.root_schema().get_fields().iter().enumerate() {
        let first = leaf;
        while leaf < schema.num_columns() && schema.get_column_root_idx(leaf) == root {
            leaf += 1;
        }
        let info = field.get_basic_info();
        let nested = field.is_group() || !info.has_repetition() || info.repetition() == Repetition::REPEATED;
        let kind = match nested {
            true => Err("lists or records".to_owned()),
            false if leaf != first + 1 => return Err(damaged("Parquet", "its columns do not match its schema")),
            false => kind(&schema.column(first)),
        };
        names.push(field.name().to_owned());
        unreadable.push(kind.as_ref().err().cloned());
        columns.push(kind.ok().map(|kind| (first, kind)));
    }
    let pandas = metadata.key_value_metadata().into_iter().flatten().find(|pair| pair.key == "pandas");
    let pandas = pandas.and_then(|pair| pair.value.clone());
    let rows = ParquetRows {
        unread: stored.len(),
        stored,
        reader,
        columns,
        group: 0,
        seen: 0,
        left: 0,
        open: Vec::new(),
        batch: Vec::new(),
        at: 0,
        size: 0,
    };
    Columns::new(names, unreadable, pandas.as_deref(), Box::new(rows))
}

/// Refuses a description that would take too much memory or stack to read.
fn check_footer(stored: &Stored) -> Result<()> {
    let short = || damaged("Parquet", "it ends early");
    let end = stored.len().checked_sub(8).ok_or_else(short)?;
    let tail = stored.get_bytes(end, 8).map_err(broken)?;
    if !tail.ends_with(b"PAR1") {
        return Err(short());
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > MAX_FOOTER {
        return Err(too_large(format!("a description of {} MiB", length >> 20)));
    }
    let start = end.checked_sub(length).ok_or_else(short)?;
    let footer = stored.get_bytes(start, length as usize).map_err(broken)?;
    match schema_depth(&footer) {
        Some(depth) if depth <= MAX_DEPTH => Ok(()),
        Some(_) => Err(too_large(format!("columns of records more than {MAX_DEPTH} deep"))),
        None => Err(damaged("Parquet", "its description")),
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// What its physical type says.
    Plain,
    Unsigned,
    Half,
    Decimal(i32),
    Date,
    Moment(i64),
    Time(i64),
    Text,
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    }
}

fn kind(column: &ColumnDescriptor) -> std::result::Result<Kind, String> {
    let logical = column.logical_type_ref();
    let (physical, converted) = (column.physical_type(), column.converted_type());
    let whole = matches!(physical, Type::INT32 | Type::INT64);
    let bytes = matches!(physical, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
    Ok(match (logical, converted) {
        (Some(LogicalType::Decimal(decimal)), _) if whole || bytes => Kind::Decimal(decimal.scale),
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) if physical == Type::INT32 => Kind::Date,
        (Some(LogicalType::Timestamp(stamp)), _) if whole => Kind::Moment(per_second(stamp.unit)),
        (Some(LogicalType::Time(time)), _) if whole => Kind::Time(per_second(time.unit)),
        (Some(LogicalType::Integer(int)), _) if whole && !int.is_signed => Kind::Unsigned,
        (Some(LogicalType::Float16), _) if physical == Type::FIXED_LEN_BYTE_ARRAY => Kind::Half,
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
        | (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
            if bytes =>
        {
            Kind::Text
        }
        (None, ConvertedType::DECIMAL) if whole || bytes => Kind::Decimal(column.type_scale()),
        (None, ConvertedType::TIMESTAMP_MILLIS) if whole => Kind::Moment(1000),
        (None, ConvertedType::TIMESTAMP_MICROS) if whole => Kind::Moment(1_000_000),
        (None, ConvertedType::TIME_MILLIS) if whole => Kind::Time(1000),
        (None, ConvertedType::TIME_MICROS) if whole => Kind::Time(1_000_000),
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64)
            if whole =>
        {
            Kind::Unsigned
        }
        _ if physical == Type::INT96 => Kind::Moment(1_000_000_000),
        _ if bytes => return Err("bytes that are no text".to_owned()),
        _ => Kind::Plain,
    })
}

/// The cells of one column in a batch, one after the other.
#[derive(Debug, Default)]
struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    fn get(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }
}

struct ParquetRows {
    /// Bytes that no column was found in yet. Columns that lie over each other would make a small file endless.
    unread: u64,
    stored: Arc<Stored>,
    reader: SerializedFileReader<Shared>,
    /// Of each column that can be read, its place among the file's and what it holds.
    columns: Vec<Option<(usize, Kind)>>,
    /// The group of rows that is read next, and how many rows there were before and are left in the current one.
    group: usize,
    seen: u64,
    left: usize,
    open: Vec<Option<ColumnReader>>,
    batch: Vec<Option<Cells>>,
    at: usize,
    size: usize,
}

/// One file for several readers.
struct Shared(Arc<Stored>);

impl Length for Shared {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Shared {
    type T = <Stored as ChunkReader>::T;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        self.0.get_bytes(start, length)
    }
}

impl Rows for ParquetRows {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        while self.at == self.size {
            if self.left == 0 && !contained(|| self.next_group())? {
                return Ok(false);
            }
            contained(|| self.next_batch())?;
        }
        row.clear();
        for cells in &self.batch {
            row.push_field(cells.as_ref().map_or("", |cells| cells.get(self.at).trim()));
        }
        self.at += 1;
        Ok(true)
    }
}

impl ParquetRows {
    /// Opens the next group of rows, if there is one.
    fn next_group(&mut self) -> Result<bool> {
        if self.group >= self.reader.metadata().num_row_groups() {
            return Ok(false);
        }
        let group = self.reader.metadata().row_group(self.group);
        self.group += 1;
        let rows = u64::try_from(group.num_rows()).map_err(|_| damaged("Parquet", "a negative number of rows"))?;
        self.seen = self.seen.saturating_add(rows);
        if self.seen > MAX_ROWS {
            return Err(too_large(format!("more than {MAX_ROWS} rows")));
        }
        (self.at, self.size, self.left) = (0, 0, rows as usize);
        self.open.clear();
        if rows == 0 {
            return Ok(true);
        }
        let mut held = 0;
        for column in &self.columns {
            let Some((leaf, _)) = column else {
                self.open.push(None);
                continue;
            };
            let chunk = group.columns().get(*leaf).ok_or_else(|| damaged("Parquet", "a column is missing"))?;
            let descriptor = chunk.column_descr_ptr();
            let left = u64::try_from(chunk.compressed_size()).ok().and_then(|size| self.unread.checked_sub(size));
            self.unread = left.ok_or_else(|| damaged("Parquet", "its columns have more bytes than the file"))?;
            held += check_chunk(&self.stored, chunk, &descriptor)?;
            if held > MAX_GROUP {
                return Err(too_large(format!("a group of rows of more than {} MiB", MAX_GROUP >> 20))
                    .hint("write the file with smaller row groups, in pandas with row_group_size=10000"));
            }
            let pages = SerializedPageReader::new(self.stored.clone(), chunk, rows as usize, None).map_err(broken)?;
            let optional = descriptor.max_def_level() > 0;
            let pages = CheckedPages { inner: Box::new(pages), optional };
            self.open.push(Some(get_column_reader(descriptor, Box::new(pages))));
        }
        Ok(true)
    }

    fn next_batch(&mut self) -> Result<()> {
        let rows = self.left.min(BATCH).min((BATCH_CELLS / self.columns.len().max(1)).max(1));
        (self.at, self.size) = (0, rows);
        self.left -= rows;
        self.batch.clear();
        let mut bytes = 0;
        for (column, reader) in self.columns.iter().zip(&mut self.open) {
            let cells = match (column, reader) {
                (Some((_, kind)), Some(reader)) => Some(read(reader, *kind, rows)?),
                _ => None,
            };
            bytes += cells.as_ref().map_or(0, |cells| cells.text.len());
            if bytes > MAX_BATCH {
                return Err(too_large(format!("more than {} MiB of text in {rows} rows", MAX_BATCH >> 20)));
            }
            self.batch.push(cells);
        }
        Ok(())
    }
}

/// The next `rows` cells of a column.
fn read(reader: &mut ColumnReader, kind: Kind, rows: usize) -> Result<Cells> {
    let int = |value: i64, bits: u32| match kind {
        Kind::Unsigned if bits == 32 => (value as i32 as u32).to_string(),
        Kind::Unsigned => (value as u64).to_string(),
        Kind::Decimal(scale) => text::decimal(&value.to_be_bytes(), scale),
        Kind::Date => text::date(value),
        Kind::Moment(per_second) => text::moment(value, per_second),
        Kind::Time(per_second) => text::time(value, per_second),
        _ => value.to_string(),
    };
    match reader {
        ColumnReader::BoolColumnReader(reader) => cells(reader, rows, |value| Ok(text::boolean(*value).to_owned())),
        ColumnReader::Int32ColumnReader(reader) => cells(reader, rows, |value| Ok(int(i64::from(*value), 32))),
        ColumnReader::Int64ColumnReader(reader) => cells(reader, rows, |value| Ok(int(*value, 64))),
        ColumnReader::Int96ColumnReader(reader) => cells(reader, rows, |value| Ok(old_moment(value))),
        ColumnReader::FloatColumnReader(reader) => cells(reader, rows, |value| Ok(text::float32(*value))),
        ColumnReader::DoubleColumnReader(reader) => cells(reader, rows, |value| Ok(text::float(*value))),
        ColumnReader::ByteArrayColumnReader(reader) => cells(reader, rows, |value| of_bytes(value.data(), kind)),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            cells(reader, rows, |value| of_bytes(value.data(), kind))
        }
    }
}

/// A moment as old writers have it: nanoseconds of a day, and the day's Julian number.
fn old_moment(value: &Int96) -> String {
    let [low, high, day] = [value.data()[0], value.data()[1], value.data()[2]].map(i64::from);
    let nanoseconds = (high << 32 | low).rem_euclid(86_400_000_000_000);
    match nanoseconds {
        0 => text::date(day - 2_440_588),
        _ => format!("{} {}", text::date(day - 2_440_588), text::time(nanoseconds, 1_000_000_000)),
    }
}

fn of_bytes(bytes: &[u8], kind: Kind) -> Result<String> {
    match kind {
        Kind::Decimal(scale) if bytes.len() <= 32 => Ok(text::decimal(bytes, scale)),
        Kind::Half => Ok(text::float16(u16::from_le_bytes(
            bytes.try_into().map_err(|_| damaged("Parquet", "a number of another size"))?,
        ))),
        Kind::Text if bytes.len() > MAX_CELL => Err(too_large(format!("a cell of {} MiB", bytes.len() >> 20))),
        Kind::Text => String::from_utf8(bytes.to_vec()).map_err(|_| damaged("Parquet", "text that is not UTF-8")),
        _ => Err(damaged("Parquet", "bytes where there is no text")),
    }
}

fn cells<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    spell: impl Fn(&T::T) -> Result<String>,
) -> Result<Cells> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (read, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values).map_err(broken)?;
    let few = || damaged("Parquet", "a column has too few values");
    // What is not there is no missing value.
    if read != rows {
        return Err(few());
    }
    let mut values = values.iter();
    let mut cells = Cells::default();
    for row in 0..rows {
        let there = levels.is_empty() || levels.get(row).is_some_and(|level| *level > 0);
        if there {
            cells.text.push_str(&spell(values.next().ok_or_else(few)?)?);
        }
        if cells.text.len() > MAX_BATCH {
            return Err(too_large(format!("more than {} MiB of text in {rows} rows", MAX_BATCH >> 20)));
        }
        cells.ends.push(cells.text.len());
    }
    Ok(cells)
}
