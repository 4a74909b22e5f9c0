//! The pages of a Parquet file, which are looked at before the reader of Parquet allocates what they ask for.

use super::parquet_headers::{PageSizes, page_sizes};
use super::stored::Stored;
use super::{damaged, too_large};
use fhectl_core::error::{Error, ErrorCode, Result};
use flate2::read::MultiGzDecoder;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::ColumnDescriptor;
use std::io::{Read, Write};

/// The most bytes of one page, unpacked; writers aim at one of 1 MiB.
const MAX_PAGE: u64 = 128 << 20;
/// What a value of a dictionary takes in memory beside its bytes.
const VALUE: u64 = 48;
/// A page's header may hold the least and greatest of its values.
const HEADERS: [u64; 2] = [4 << 10, 1 << 20];

/// How many bytes reading a column's part of a group of rows takes in memory.
///
/// # Errors
/// `data_format` for sizes that cannot be, and for a way of packing that is not read; `data_too_large`.
pub(super) fn check_chunk(stored: &Stored, chunk: &ColumnChunkMetaData, column: &ColumnDescriptor) -> Result<u64> {
    match chunk.compression() {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4
        | Compression::LZ4_RAW
        | Compression::ZSTD(_) => {}
        other => {
            let name = format!("{other:?}").split('(').next().unwrap_or_default().to_lowercase();
            return Err(Error::new(ErrorCode::DataFormat, format!("this Parquet file is packed with {name}"))
                .hint("write it with compression=\"zstd\" or \"snappy\""));
        }
    }
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let range = u64::try_from(start).ok().zip(u64::try_from(chunk.compressed_size()).ok());
    let (mut at, length) = range.ok_or_else(|| damaged("Parquet", "a column of a negative size"))?;
    let end = at.checked_add(length).filter(|end| *end <= stored.len());
    let end = end.ok_or_else(|| damaged("Parquet", "a column beyond the end of the file"))?;
    let (mut dictionaries, mut largest) = (0, 0);
    while at < end {
        let read = |most: u64| {
            let bytes = stored.get_bytes(at, most.min(end - at) as usize).ok()?;
            page_sizes(&bytes)
        };
        let sizes = HEADERS.into_iter().find_map(read).ok_or_else(|| damaged("Parquet", "the header of a page"))?;
        let most = sizes.unpacked.max(sizes.packed);
        if most > MAX_PAGE {
            return Err(too_large(format!("a page of {} MiB", most >> 20)));
        }
        check_unpacked(stored, chunk.compression(), at + sizes.header, &sizes)?;
        if sizes.is_dictionary {
            if sizes.values > sizes.unpacked / width(column) {
                return Err(damaged("Parquet", "a dictionary of more values than bytes"));
            }
            dictionaries += sizes.unpacked + VALUE * sizes.values;
        } else {
            largest = largest.max(sizes.unpacked + sizes.packed);
        }
        at = (at + sizes.header).saturating_add(sizes.packed);
    }
    // A page is there packed and unpacked.
    Ok(dictionaries + largest)
}

/// Refuses a page that becomes longer than it says, where the reader of Parquet would unpack it to its end.
fn check_unpacked(stored: &Stored, packing: Compression, at: u64, sizes: &PageSizes) -> Result<()> {
    if sizes.is_plain || !matches!(packing, Compression::GZIP(_) | Compression::LZ4) {
        return Ok(());
    }
    let bytes =
        stored.bytes(at, sizes.packed).ok_or_else(|| damaged("Parquet", "a page beyond the end of the file"))?;
    let Some(bytes) = usize::try_from(sizes.levels).ok().and_then(|levels| bytes.get(levels..)) else { return Ok(()) };
    let reader: Box<dyn Read + '_> = match packing {
        Compression::LZ4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes)),
        _ => Box::new(MultiGzDecoder::new(bytes)),
    };
    // What cannot be unpacked is told by the reader of Parquet, which comes no further.
    let mut left = Counted(0);
    let _ = std::io::copy(&mut reader.take(sizes.unpacked + 1), &mut left);
    if left.0 > sizes.unpacked { Err(damaged("Parquet", "a page longer than it says")) } else { Ok(()) }
}

/// How many bytes were written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The fewest bytes of a value in a dictionary.
fn width(column: &ColumnDescriptor) -> u64 {
    match column.physical_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(column.type_length()).unwrap_or(1).max(1),
    }
}

/// Pages whose lists of lengths are no longer than there are values.
pub(super) struct CheckedPages {
    pub inner: Box<dyn PageReader>,
    /// Whether a value may be missing, for which the page then has levels.
    pub optional: bool,
}

impl Iterator for CheckedPages {
    type Item = parquet::errors::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> parquet::errors::Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if let Some(page) = &page {
            check_page(page, self.optional).map_err(ParquetError::General)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        self.inner.skip_next_page()
    }
}

fn check_page(page: &Page, optional: bool) -> std::result::Result<(), String> {
    let short = || "a page that ends early".to_owned();
    let (bytes, encoding, values) = match page {
        Page::DataPage { buf, encoding, num_values, def_level_encoding, .. } => {
            let mut bytes = &buf[..];
            if optional && *def_level_encoding == Encoding::RLE {
                let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
                bytes = rest.get(u32::from_le_bytes(*length) as usize..).ok_or_else(short)?;
            } else if optional {
                return Err(format!("levels in the encoding {def_level_encoding:?}"));
            }
            (bytes, *encoding, *num_values)
        }
        Page::DataPageV2 { buf, encoding, num_values, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
            let bytes = usize::try_from(levels).ok().and_then(|levels| buf.get(levels..)).ok_or_else(short)?;
            (bytes, *encoding, *num_values)
        }
        Page::DictionaryPage { .. } => return Ok(()),
    };
    match encoding {
        // Its values are made of each other: a few bytes make gigabytes.
        Encoding::DELTA_BYTE_ARRAY => {
            Err("text in the encoding DELTA_BYTE_ARRAY; write the file with another one".to_owned())
        }
        Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BINARY_PACKED => {
            // Values of a block, parts of a block, and how many values there are.
            let mut numbers = bytes.split_inclusive(|byte| *byte < 128).take(3).map(varint);
            let (block, parts) = (numbers.next().flatten(), numbers.next().flatten());
            let count = numbers.next().flatten().ok_or_else(short)?;
            let fits = block.is_some_and(|block| block <= 1 << 20) && parts.is_some_and(|parts| parts <= 1 << 10);
            if fits && count <= u64::from(values) { Ok(()) } else { Err("more lengths than values".to_owned()) }
        }
        _ => Ok(()),
    }
}

fn varint(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 9 || bytes.last()? >> 7 == 1 {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 127)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn pages_that_become_longer_than_they_say_are_refused() {
        let content = vec![0; 1 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&content).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(&content).unwrap();
        for (packing, packed) in
            [(Compression::GZIP(Default::default()), gzip.finish().unwrap()), (Compression::LZ4, lz4.finish().unwrap())]
        {
            let bytes = [&[9; 6][..], &packed].concat();
            let sizes = PageSizes { packed: bytes.len() as u64, levels: 6, ..PageSizes::default() };
            let stored = Stored::Memory(Bytes::from(bytes));
            let check = |sizes| check_unpacked(&stored, packing, 0, &sizes);
            check(PageSizes { unpacked: 1 << 20, ..sizes }).unwrap();
            check(PageSizes { is_plain: true, ..sizes }).unwrap();
            for unpacked in [0, 1000, (1 << 20) - 1] {
                assert_eq!(check(PageSizes { unpacked, ..sizes }).unwrap_err().code, ErrorCode::DataFormat);
            }
        }
    }
}
