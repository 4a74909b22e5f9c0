//! Files of columns as their writers make them, and damaged ones.

use super::super::{Source, TableOptions, column_names};
use super::*;
use std::io::Cursor;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tables").join(name)
}

const FILES: [&str; 15] = [
    "snappy.parquet",
    "zstd.parquet",
    "gzip-v2.parquet",
    "lz4-pages.parquet",
    "encodings.parquet",
    "int96.parquet",
    "named-index.parquet",
    "polars.parquet",
    "lz4.feather",
    "zstd.feather",
    "plain.feather",
    "large.arrows",
    "views.arrow",
    "polars.arrow",
    "not-flat.feather",
];

fn dated() -> TableOptions {
    TableOptions { dates: vec!["day".into(), "moment".into()], ..TableOptions::default() }
}

#[test]
fn every_writer_s_file_is_the_same_table() {
    let options = dated();
    let read = |name: &str| {
        let path = fixture(name);
        let spec = path.to_str().unwrap().to_owned();
        let mut data = Source::new(&spec, std::path::Path::new("/nowhere"), &options).load().unwrap();
        data.name.clear();
        data
    };
    let wanted = read("table.csv");
    assert_eq!((wanted.len(), wanted.features.len(), wanted.classes.len()), (90, 13, 2));
    for name in FILES.iter().filter(|name| !name.starts_with("not-")) {
        let got = read(name);
        assert_eq!(got.features, wanted.features, "{name}");
        assert_eq!(got.input, wanted.input, "{name}");
        assert_eq!(got.digest(), wanted.digest(), "{name}");
    }
}

#[test]
fn the_index_of_a_frame_stands_first() {
    let names = |name: &str| column_names(&fixture(name), &TableOptions::default()).unwrap();
    assert_eq!(names("not-ordered.parquet"), ["__index_level_0__", "whole", "label"]);
    assert_eq!(names("named-index.parquet")[0], "age");
}

#[test]
fn columns_that_hold_no_values_are_named_where_they_are_used() {
    for file in ["not-flat.parquet", "not-flat.feather"] {
        let path = fixture(file);
        let spec = path.to_str().unwrap();
        let load = |drop: &[&str]| {
            let drop = drop.iter().map(|name| (*name).to_owned()).collect();
            let options = TableOptions { drop, ..TableOptions::default() };
            Source::new(spec, std::path::Path::new("/nowhere"), &options).load()
        };
        for (drop, column) in [(&[][..], "tags"), (&["tags"], "record"), (&["tags", "record"], "raw")] {
            let error = load(drop).unwrap_err();
            assert_eq!(error.code, ErrorCode::CsvColumns);
            assert!(error.message.contains(&format!("column `{column}` holds")), "{error:?}");
            assert!(error.hint.unwrap().contains(&format!("--drop {column}")));
        }
        let data = load(&["tags", "record", "raw"]).unwrap();
        assert_eq!((data.features.clone(), data.rows[9][0], data.len()), (vec!["a".to_owned()], 9.0, 30));
    }
    let error = column_names(&fixture("not-brotli.parquet"), &TableOptions::default());
    let error = error.and_then(|_| read_all(std::fs::read(fixture("not-brotli.parquet")).unwrap())).unwrap_err();
    assert!(error.message.contains("packed with brotli") && error.hint.unwrap().contains("zstd"), "{}", error.message);
}

/// Endless rows of one cell.
struct Endless(String);

impl Rows for Endless {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        row.clear();
        row.push_field(&self.0);
        Ok(true)
    }
}

#[test]
fn long_cells_again_and_again_have_an_end() {
    let cell = "x".repeat(MAX_CELL);
    let mut columns = Columns::new(vec!["a".into()], vec![None], None, Box::new(Endless(cell))).unwrap();
    let (mut row, mut rows) = (StringRecord::new(), 0);
    let error = loop {
        match columns.rows.next(&mut row) {
            Ok(more) => assert!(more && rows < 1000),
            Err(error) => break error,
        }
        rows += 1;
    };
    assert_eq!((error.code, rows), (ErrorCode::DataTooLarge, 255));
}

#[test]
fn rows_that_are_not_in_the_file_are_no_missing_values() {
    // Three rows, of which its description makes four.
    let bytes = std::fs::read(fixture("not-whole.parquet")).unwrap();
    let error = read_all(bytes).unwrap_err();
    assert!(error.message.contains("too few values"), "{}", error.message);
}

/// A Parquet file without rows, of this description.
fn described(footer: &[u8]) -> Vec<u8> {
    [b"PAR1", footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn descriptions_that_another_reader_takes_otherwise_are_refused() {
    // A schema of a hundred thousand records in each other, in what is a text here and a version to the reader of Parquet.
    let record = [0x35, 2, 0x18, 1, b'g', 0x15, 2, 0];
    let column = [0x15, 2, 0x25, 2, 0x18, 1, b'x', 0];
    let deep = [&[0x19, 0xfc, 0xa1, 0x8d, 6][..], &record.repeat(100_000), &column].concat();
    let length = [deep.len() as u8 | 128, (deep.len() >> 7) as u8 | 128, (deep.len() >> 14) as u8];
    let hidden = [&[0x18][..], &length, &deep, &[0x19, 0x1c, 0x48, 1, b'r', 0, 0]].concat();
    // A record of two thousand million parts.
    let parts = [0x15, 2, 0x19, 0x2c, 0x48, 1, b'r', 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0];
    let parts = [&parts[..], &column, &[0x16, 2, 0x19, 0x0c, 0]].concat();
    for footer in [hidden, parts] {
        assert_eq!(read_all(described(&footer)).unwrap_err().code, ErrorCode::DataFormat);
    }
}

/// The number of rows that can be read.
fn read_all(bytes: Vec<u8>) -> Result<usize> {
    let mut columns = match &bytes {
        _ if is_parquet(&bytes) => open_parquet(Stored::Memory(bytes.into()))?,
        _ if is_arrow_file(&bytes) => open_arrow_file(Stored::Memory(bytes.into()))?,
        _ => open_arrow_stream(Box::new(Cursor::new(bytes)))?,
    };
    let (mut row, mut rows) = (StringRecord::new(), 0);
    while columns.rows.next(&mut row)? {
        assert_eq!(row.len(), columns.names.len());
        rows += 1;
        // A damaged count of rows without values may be long.
        if rows == 100_000 {
            break;
        }
    }
    Ok(rows)
}

/// As many damaged files as `FHECTL_DAMAGED` says, a few thousand otherwise.
#[test]
fn damaged_files_are_refused_or_read() {
    let count: u64 = std::env::var("FHECTL_DAMAGED").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below.max(1)
    };
    let (mut refused, mut all) = (0, 0);
    for name in FILES {
        let whole = std::fs::read(fixture(name)).unwrap();
        assert!(read_all(whole.clone()).is_ok());
        for _ in 0..count {
            let mut bytes = whole.clone();
            match random(4) {
                0 => bytes.truncate(random(whole.len())),
                1 => {
                    let (from, to, len) = (random(whole.len()), random(whole.len()), random(64));
                    let len = len.min(whole.len() - from).min(whole.len() - to);
                    bytes.copy_within(from..from + len, to);
                }
                _ => {
                    // Most of what can go wrong is in the description, at the end of Parquet files.
                    for _ in 0..=random(4) {
                        let at = if random(2) == 0 {
                            whole.len() - 1 - random(whole.len() / 3)
                        } else {
                            random(whole.len())
                        };
                        bytes[at] = [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ 1 << random(8), random(256) as u8][random(7)];
                    }
                }
            }
            // What tells the kinds of files apart is looked at before.
            let end = whole.len().min(8).min(bytes.len());
            bytes[..end].copy_from_slice(&whole[..end]);
            all += 1;
            if let Err(error) = read_all(bytes) {
                refused += 1;
                let known = [ErrorCode::DataFormat, ErrorCode::DataTooLarge, ErrorCode::CsvHeader, ErrorCode::CsvEmpty];
                assert!(known.contains(&error.code), "{name}: {error:?}");
            }
        }
    }
    assert!(refused > all / 4, "{refused} of {all}");
}
