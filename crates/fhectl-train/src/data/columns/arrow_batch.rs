//! The buffers of Arrow's columns, and the cells in them.

use super::arrow_schema::{Field, Kind};
use super::flat::{Table, Vector};
use super::{MAX_CELL, MAX_GROUP, MAX_ROWS, damaged, text, too_large};
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

/// The lists that columns of categories refer to, by their number.
pub(super) type Dictionaries = HashMap<i64, Arc<Entries>>;

/// The entries of such a list, in the parts that they came in.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    parts: Vec<Column>,
    /// Of each part how many entries there are up to its end.
    ends: Vec<usize>,
}

impl Entries {
    pub fn add(&mut self, part: Column) {
        self.ends.push(self.ends.last().map_or(0, |end| *end).saturating_add(part.len));
        self.parts.push(part);
    }

    /// The entry of that number.
    pub fn cell(&self, index: usize) -> Result<String> {
        let part = self.ends.partition_point(|end| *end <= index);
        let before = part.checked_sub(1).map_or(0, |part| self.ends[part]);
        let part = self.parts.get(part).ok_or_else(|| damaged("Arrow", "a category that is not in its list"))?;
        part.cell(index - before)
    }
}

/// The values of a column in one batch of rows.
#[derive(Debug, Clone)]
pub(super) struct Column {
    kind: Kind,
    pub len: usize,
    /// A bit for each row that has a value; all have where there is none.
    valid: Bytes,
    /// Buffers after that one.
    buffers: Vec<Bytes>,
}

impl Column {
    /// The cell of `row`; nothing where it has no value.
    pub fn cell(&self, row: usize) -> Result<String> {
        if !self.valid.is_empty() && !bit(&self.valid, row)? {
            return Ok(String::new());
        }
        let bytes = |width: usize| {
            let buffer = self.buffers.first().and_then(|buffer| buffer.get(row * width..(row + 1) * width));
            buffer.ok_or_else(short)
        };
        Ok(match self.kind {
            Kind::Null | Kind::Other(_) => String::new(),
            Kind::Bool => text::boolean(bit(self.buffers.first().ok_or_else(short)?, row)?).to_owned(),
            Kind::Int(width, true) => signed(bytes(width)?).to_string(),
            Kind::Int(width, false) => unsigned(bytes(width)?).to_string(),
            Kind::Half => text::float16(unsigned(bytes(2)?) as u16),
            Kind::Float => text::float32(f32::from_bits(unsigned(bytes(4)?) as u32)),
            Kind::Double => text::float(f64::from_bits(unsigned(bytes(8)?))),
            Kind::Decimal(width, scale) => {
                let highest_first: Vec<u8> = bytes(width)?.iter().rev().copied().collect();
                text::decimal(&highest_first, scale)
            }
            Kind::Date(width, per_day) => text::date(signed(bytes(width)?).div_euclid(per_day)),
            Kind::Moment(per_second) => text::moment(signed(bytes(8)?), per_second),
            Kind::Time(width, per_second) => text::time(signed(bytes(width)?), per_second),
            Kind::Text(width) => {
                let offset = |at: usize| {
                    let bytes = self.buffers.first()?.get(at * width..(at + 1) * width)?;
                    usize::try_from(signed(bytes)).ok()
                };
                let range = offset(row).zip(offset(row + 1)).ok_or_else(short)?;
                text_of(self.buffers.get(1).and_then(|buffer| buffer.get(range.0..range.1)))?
            }
            Kind::TextView => {
                let view = bytes(16)?;
                let number = |at: usize| unsigned(&view[at..at + 4]) as usize;
                match number(0) {
                    length @ 0..=12 => text_of(view.get(4..4 + length))?,
                    length => {
                        let buffer = self.buffers.get(number(8) + 1);
                        text_of(buffer.and_then(|buffer| buffer.get(number(12)..number(12) + length)))?
                    }
                }
            }
        })
    }

    /// The same in memory of its own.
    pub fn apart(self) -> Self {
        let own = |buffer: Bytes| Bytes::copy_from_slice(&buffer);
        Self { valid: own(self.valid), buffers: self.buffers.into_iter().map(own).collect(), ..self }
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> u64 {
        self.valid.len() as u64 + self.buffers.iter().map(|buffer| buffer.len() as u64).sum::<u64>()
    }

    /// The whole number of `row`, where there is one.
    pub fn index(&self, row: usize) -> Result<Option<usize>> {
        let Kind::Int(width, is_signed) = self.kind else { return Ok(None) };
        if !self.valid.is_empty() && !bit(&self.valid, row)? {
            return Ok(None);
        }
        let bytes = self.buffers.first().and_then(|buffer| buffer.get(row * width..(row + 1) * width));
        let bytes = bytes.ok_or_else(short)?;
        let index = if is_signed { usize::try_from(signed(bytes)).ok() } else { usize::try_from(unsigned(bytes)).ok() };
        index.map(Some).ok_or_else(|| damaged("Arrow", "a category of a negative number"))
    }
}

fn short() -> Error {
    damaged("Arrow", "a column ends early")
}

fn bit(bytes: &[u8], at: usize) -> Result<bool> {
    bytes.get(at / 8).map(|byte| byte >> (at % 8) & 1 == 1).ok_or_else(short)
}

/// A number whose lowest byte is the first, of 8 bytes at most.
fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len() as u32;
    ((unsigned(bytes) << unused) as i64) >> unused
}

fn text_of(bytes: Option<&[u8]>) -> Result<String> {
    let bytes = bytes.ok_or_else(short)?;
    if bytes.len() > MAX_CELL {
        return Err(too_large(format!("a cell of {} MiB", bytes.len() >> 20)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("Arrow", "text that is not UTF-8"))?;
    Ok(text.to_owned())
}

/// A batch of rows as its message describes it.
pub(super) struct Batch<'a> {
    body: &'a Bytes,
    pub len: usize,
    nodes: Option<Vector<'a>>,
    buffers: Option<Vector<'a>>,
    counts: Option<Vector<'a>>,
    codec: Option<u8>,
    node: usize,
    buffer: usize,
    count: usize,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<'a> Batch<'a> {
    /// # Errors
    /// `data_format`, `data_too_large`.
    pub fn new(table: Table<'a>, body: &'a Bytes) -> Result<Self> {
        let len = table.long(0, 0);
        let len = u64::try_from(len).map_err(|_| damaged("Arrow", "a negative number of rows"))?;
        if len > MAX_ROWS {
            return Err(too_large(format!("more than {MAX_ROWS} rows")));
        }
        Ok(Self {
            body,
            len: len as usize,
            nodes: table.vector(1, 16),
            buffers: table.vector(2, 16),
            counts: table.vector(4, 8),
            codec: table.table(3).map(|packing| packing.byte(0, 0)),
            node: 0,
            buffer: 0,
            count: 0,
            left: MAX_GROUP,
        })
    }

    /// The next column; `None` for one that no model takes, which is passed over.
    ///
    /// # Errors
    /// `data_format`, `data_too_large`.
    pub fn column(&mut self, field: &Field) -> Result<Option<Column>> {
        let kind = field.dictionary.map_or(field.kind, |(_, index)| index);
        let nodes = self.nodes.ok_or_else(|| damaged("Arrow", "a batch without columns"))?;
        let len = nodes.long(self.node, 0).ok_or_else(|| damaged("Arrow", "a batch of too few columns"))?;
        self.node += 1;
        let variadic = match field.variadic {
            true => {
                self.count += 1;
                let count = self.counts.and_then(|counts| counts.long(self.count - 1, 0));
                count.and_then(|count| usize::try_from(count).ok()).ok_or_else(short)?
            }
            false => 0,
        };
        let total = field.buffers.checked_add(variadic).ok_or_else(short)?;
        if matches!(kind, Kind::Other(_)) {
            self.buffer = self.buffer.checked_add(total).ok_or_else(short)?;
            field.children.iter().try_for_each(|child| self.column(child).map(|_| ()))?;
            return Ok(None);
        }
        let len = usize::try_from(len).ok().filter(|len| *len as u64 <= MAX_ROWS).ok_or_else(short)?;
        if self.buffers.map_or(0, |buffers| buffers.len) < self.buffer.saturating_add(total) {
            return Err(short());
        }
        let mut buffers: Vec<Bytes> = (0..total).map(|_| self.take()).collect::<Result<_>>()?;
        let valid = if buffers.is_empty() { Bytes::new() } else { buffers.remove(0) };
        // What it takes to look at the last row tells that there is enough for all.
        let enough = kind.width().is_none_or(|width| {
            buffers.first().is_some_and(|buffer| len.checked_mul(width).is_some_and(|bytes| bytes <= buffer.len()))
        });
        if !enough {
            return Err(short());
        }
        Ok(Some(Column { kind, len, valid, buffers }))
    }

    /// The next buffer, unpacked.
    fn take(&mut self) -> Result<Bytes> {
        let list = self.buffers.ok_or_else(short)?;
        let number = |offset| list.long(self.buffer, offset).and_then(|number| usize::try_from(number).ok());
        let (start, len) = number(0).zip(number(8)).ok_or_else(short)?;
        let end = start.checked_add(len).filter(|end| *end <= self.body.len()).ok_or_else(short)?;
        self.buffer += 1;
        let bytes = self.body.slice(start..end);
        let Some(codec) = self.codec else { return Ok(bytes) };
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let (size, packed) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
        let size = i64::from_le_bytes(*size);
        if size == -1 {
            return Ok(bytes.slice(8..));
        }
        let size = u64::try_from(size).map_err(|_| short())?;
        self.left = self.left.checked_sub(size).ok_or_else(|| {
            too_large(format!("a batch of more than {} MiB", MAX_GROUP >> 20))
                .hint("write it in smaller batches, in pandas with to_feather(..., chunksize=10000)")
        })?;
        unpack(codec, packed, size)
    }
}

fn unpack(codec: u8, packed: &[u8], size: u64) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = match codec {
        0 => lz4_flex::frame::FrameDecoder::new(packed).take(size + 1).read_to_end(&mut bytes),
        1 => zstd::stream::read::Decoder::with_buffer(packed).and_then(|mut reader| {
            // Windows are no larger than what is unpacked may be.
            reader.window_log_max(27)?;
            reader.take(size + 1).read_to_end(&mut bytes)
        }),
        _ => {
            return Err(Error::new(ErrorCode::DataFormat, "this Arrow file is packed in an unknown way")
                .hint("write it with compression=\"zstd\" or \"lz4\""));
        }
    };
    read.map_err(|error| damaged("Arrow", error))?;
    if bytes.len() as u64 != size {
        return Err(damaged("Arrow", "a buffer of another size"));
    }
    Ok(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[i8]) -> Column {
        let buffer = Bytes::from(values.iter().map(|value| *value as u8).collect::<Vec<u8>>());
        Column { kind: Kind::Int(1, true), len: values.len(), valid: Bytes::new(), buffers: vec![buffer] }
    }

    #[test]
    fn entries_are_found_in_their_part() {
        let mut entries = Entries::default();
        assert!(entries.cell(0).is_err());
        for part in [&[1, 2][..], &[], &[], &[3], &[4, 5]] {
            entries.add(column(part));
        }
        let found: Vec<String> = (0..5).map(|index| entries.cell(index).unwrap()).collect();
        assert_eq!(found, ["1", "2", "3", "4", "5"]);
        assert!(entries.cell(5).is_err() && entries.cell(usize::MAX).is_err());
    }

    #[test]
    fn what_is_kept_of_a_batch_is_no_more_than_its_column() {
        let body = Bytes::from(vec![7; 1 << 20]);
        let column = Column { buffers: vec![body.slice(..3)], ..column(&[7, 7, 7]) };
        let apart = column.apart();
        assert!(body.is_unique(), "the batch is still held");
        assert_eq!((apart.bytes(), apart.cell(2).unwrap().as_str()), (3, "7"));
    }
}
