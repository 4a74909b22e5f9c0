//! Arrow's files (Feather) and streams: messages, one after the other, each with a body.

use super::arrow_batch::{Batch, Column, Dictionaries, Entries};
use super::arrow_schema::{Field, Kind, Schema};
use super::flat::Table;
use super::stored::Stored;
use super::{Columns, MAX_GROUP, MAX_ROWS, Rows, damaged, too_large};
use ::csv::StringRecord;
use bytes::Bytes;
use fhectl_core::error::{Error, Result};
use parquet::file::reader::Length;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

/// The most bytes of a message that describes a batch.
const MAX_MESSAGE: u64 = 64 << 20;
/// What a part of a dictionary takes in memory beside its bytes.
const ENTRIES: u64 = 256;
/// What stands for the length of a message since version 0.15.
const CONTINUES: [u8; 4] = [0xff; 4];

type Source = Box<dyn Read + Send>;

/// Whether a file begins as Arrow's files and streams do.
pub(in super::super) fn is_arrow(head: &[u8]) -> bool {
    is_arrow_file(head) || (head.starts_with(&CONTINUES) && head.len() >= 12 && head[7] == 0)
}

fn failed(error: std::io::Error) -> Error {
    damaged("Arrow", error)
}

/// Whether what begins so has its table of contents at the end, and is no stream.
pub(in super::super) fn is_arrow_file(head: &[u8]) -> bool {
    head.starts_with(b"ARROW1")
}

/// Opens an Arrow stream.
///
/// # Errors
/// `data_format` for damaged bytes, `data_too_large`, those of [`Columns`].
pub(in super::super) fn open_stream(mut source: Source) -> Result<Columns> {
    let (head, _) = next_of_stream(&mut source)?.ok_or_else(|| damaged("Arrow", "it has no schema"))?;
    let schema = message(&head).filter(|message| message.0 == 1).map(|message| message.1);
    let schema = Schema::read(schema.ok_or_else(|| damaged("Arrow", "it does not begin with a schema"))?)?;
    open(schema, Messages::Stream(source))
}

/// Opens an Arrow file.
///
/// # Errors
/// `data_format` for damaged bytes, `data_too_large`, those of [`Columns`].
pub(in super::super) fn open_file(stored: Stored) -> Result<Columns> {
    let short = || damaged("Arrow", "it ends early");
    let end = stored.len().checked_sub(10).ok_or_else(short)?;
    let tail = stored.bytes(end, 10).ok_or_else(short)?;
    if !tail.ends_with(b"ARROW1") {
        return Err(short());
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > MAX_MESSAGE {
        return Err(damaged("Arrow", format!("a table of contents of {} MiB", length >> 20)));
    }
    let contents = end.checked_sub(length).and_then(|start| stored.bytes(start, length)).ok_or_else(short)?;
    let contents = Table::root(&contents).ok_or_else(short)?;
    let schema = Schema::read(contents.table(1).ok_or_else(|| damaged("Arrow", "it has no schema"))?)?;
    // Dictionaries first, wherever they are: what refers to them follows.
    let blocks = [2, 3].into_iter().filter_map(|field| contents.vector(field, 24)).flat_map(|blocks| {
        (0..blocks.len)
            .map(move |at| Some([blocks.long(at, 0)?, blocks.long(at, 8)? & 0xffff_ffff, blocks.long(at, 16)?]))
    });
    let blocks = blocks.map(|block| block.map(|block| block.map(|number| u64::try_from(number).unwrap_or(u64::MAX))));
    let blocks: Option<VecDeque<[u64; 3]>> = blocks.collect();
    let unread = stored.len();
    open(schema, Messages::File { stored, blocks: blocks.ok_or_else(short)?, unread })
}

fn open(schema: Schema, source: Messages) -> Result<Columns> {
    let names = schema.fields.iter().map(|field| field.name.clone()).collect();
    let unreadable = schema.fields.iter().map(|field| match field.kind {
        Kind::Other(what) => Some(what.to_owned()),
        _ => None,
    });
    let unreadable = unreadable.collect();
    let rows = ArrowRows {
        source,
        fields: schema.fields,
        dictionaries: Dictionaries::new(),
        held: 0,
        batch: Vec::new(),
        at: 0,
        len: 0,
        seen: 0,
    };
    Columns::new(names, unreadable, schema.pandas.as_deref(), Box::new(rows))
}

/// Where messages come from.
enum Messages {
    Stream(Source),
    /// Where each begins, and the bytes of its description and its body.
    File {
        stored: Stored,
        blocks: VecDeque<[u64; 3]>,
        /// Bytes that are in none of the messages so far. Messages that lie over each other would make a small file
        /// endless.
        unread: u64,
    },
}

impl Messages {
    /// The next message and its body; `None` at the end.
    fn next(&mut self) -> Result<Option<(Vec<u8>, Bytes)>> {
        let (stored, blocks, unread) = match self {
            Self::Stream(source) => return next_of_stream(source),
            Self::File { stored, blocks, unread } => (stored, blocks, unread),
        };
        let Some([start, head, body]) = blocks.pop_front() else { return Ok(None) };
        check_sizes(head, body)?;
        let left = unread.checked_sub(head + body);
        *unread = left.ok_or_else(|| damaged("Arrow", "its batches have more bytes than the file"))?;
        let bytes =
            start.checked_add(head).and_then(|end| Some((stored.bytes(start, head)?, stored.bytes(end, body)?)));
        let (head, body) = bytes.ok_or_else(|| damaged("Arrow", "a batch beyond the end of the file"))?;
        let prefix = if head.starts_with(&CONTINUES) { 8 } else { 4 };
        let head = head.get(prefix..).ok_or_else(|| damaged("Arrow", "a batch without a description"))?;
        Ok(Some((head.to_vec(), body)))
    }
}

fn check_sizes(head: u64, body: u64) -> Result<()> {
    if head > MAX_MESSAGE {
        return Err(damaged("Arrow", format!("a message of {} MiB", head >> 20)));
    }
    if body > MAX_GROUP {
        return Err(too_large(format!("a batch of {} MiB", body >> 20))
            .hint("write it in smaller batches, in pandas with to_feather(..., chunksize=10000)"));
    }
    Ok(())
}

/// The next message of a stream and its body; `None` at the end.
fn next_of_stream(source: &mut Source) -> Result<Option<(Vec<u8>, Bytes)>> {
    let mut length = [0; 4];
    // Some writers end without a word.
    if let Err(error) = source.read_exact(&mut length) {
        return if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(failed(error)) };
    }
    if length == CONTINUES {
        source.read_exact(&mut length).map_err(failed)?;
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length == 0 {
        return Ok(None);
    }
    check_sizes(length, 0)?;
    let head = exactly(source, length)?;
    let body = Table::root(&head).map_or(-1, |message| message.long(3, 0));
    let body = u64::try_from(body).map_err(|_| damaged("Arrow", "a message of no length"))?;
    check_sizes(length, body)?;
    Ok(Some((head, Bytes::from(exactly(source, body)?))))
}

/// So many bytes; no more memory is taken than there are.
fn exactly(source: &mut Source, length: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(length).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 != length {
        return Err(damaged("Arrow", "it ends in the middle of a batch"));
    }
    Ok(bytes)
}

/// The kind of a message and what it holds.
fn message(head: &[u8]) -> Option<(u8, Table<'_>)> {
    let message = Table::root(head)?;
    Some((message.byte(1, 0), message.table(2)?))
}

/// A column of the current batch.
enum Values {
    Plain(Column),
    /// Numbers of entries, and the entries.
    Indexed(Column, Arc<Entries>),
}

struct ArrowRows {
    source: Messages,
    fields: Vec<Field>,
    dictionaries: Dictionaries,
    /// Bytes of all dictionaries.
    held: u64,
    batch: Vec<Option<Values>>,
    at: usize,
    len: usize,
    seen: u64,
}

impl Rows for ArrowRows {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        while self.at == self.len {
            if !self.next_batch()? {
                return Ok(false);
            }
        }
        row.clear();
        for values in &self.batch {
            match values {
                Some(Values::Plain(column)) => row.push_field(column.cell(self.at)?.trim()),
                Some(Values::Indexed(column, entries)) => row.push_field(entry(column, entries, self.at)?.trim()),
                None => row.push_field(""),
            }
        }
        self.at += 1;
        Ok(true)
    }
}

fn entry(column: &Column, entries: &Entries, row: usize) -> Result<String> {
    match column.index(row)? {
        Some(index) => entries.cell(index),
        None => Ok(String::new()),
    }
}

impl ArrowRows {
    /// Reads to the next batch of rows; whether there was one.
    fn next_batch(&mut self) -> Result<bool> {
        // What was read is not held beside what follows.
        self.batch.clear();
        loop {
            let Some((head, body)) = self.source.next()? else { return Ok(false) };
            match message(&head) {
                Some((2, dictionary)) => self.add_dictionary(dictionary, &body)?,
                Some((3, batch)) => {
                    self.read_batch(batch, &body)?;
                    return Ok(true);
                }
                _ => return Err(damaged("Arrow", "a message of an unknown kind")),
            }
        }
    }

    fn read_batch(&mut self, table: Table<'_>, body: &Bytes) -> Result<()> {
        let mut batch = Batch::new(table, body)?;
        self.seen += batch.len as u64;
        if self.seen > MAX_ROWS {
            return Err(too_large(format!("more than {MAX_ROWS} rows")));
        }
        for field in &self.fields {
            let Some(column) = batch.column(field)? else {
                self.batch.push(None);
                continue;
            };
            if column.len != batch.len {
                return Err(damaged("Arrow", "a column of another length"));
            }
            self.batch.push(match field.dictionary {
                _ if matches!(field.kind, Kind::Other(_)) => None,
                None => Some(Values::Plain(column)),
                Some((id, _)) => Some(Values::Indexed(column, self.dictionaries.get(&id).cloned().unwrap_or_default())),
            });
        }
        (self.at, self.len) = (0, batch.len);
        Ok(())
    }

    /// Takes the entries of a dictionary, or more of them.
    fn add_dictionary(&mut self, table: Table<'_>, body: &Bytes) -> Result<()> {
        let id = table.long(0, 0);
        let is_of = |field: &&Field| field.dictionary.is_some_and(|(number, _)| number == id);
        // Those within columns that no model takes are passed over.
        let Some(field) = self.fields.iter().find(is_of).filter(|field| !matches!(field.kind, Kind::Other(_))) else {
            return Ok(());
        };
        let plain = Field { dictionary: None, variadic: field.kind == Kind::TextView, ..field.clone() };
        let buffers = match field.kind {
            Kind::Text(_) => 3,
            Kind::Null => 0,
            _ => 2,
        };
        let plain = Field { buffers, ..plain };
        let data = table.table(1).ok_or_else(|| damaged("Arrow", "a dictionary without entries"))?;
        let mut batch = Batch::new(data, body)?;
        let Some(column) = batch.column(&plain)? else { return Ok(()) };
        // The entries alone are kept: what else its message holds is not.
        let column = column.apart();
        self.held += column.bytes() + ENTRIES;
        if self.held > MAX_GROUP {
            return Err(too_large(format!("dictionaries of more than {} MiB", MAX_GROUP >> 20)));
        }
        let is_delta = table.byte(2, 0) != 0;
        let mut entries = self.dictionaries.remove(&id).filter(|_| is_delta).unwrap_or_default();
        Arc::make_mut(&mut entries).add(column);
        self.dictionaries.insert(id, entries);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_lie_over_each_other_end() {
        let stored = Stored::Memory(Bytes::from(vec![0; 64]));
        let blocks = VecDeque::from(vec![[0, 16, 16]; 1000]);
        let mut messages = Messages::File { stored, blocks, unread: 64 };
        assert!(messages.next().unwrap().is_some() && messages.next().unwrap().is_some());
        assert!(messages.next().unwrap_err().message.contains("more bytes than the file"));
    }
}
