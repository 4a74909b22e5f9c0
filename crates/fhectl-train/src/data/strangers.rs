//! Files that people take for a table of ours: told by name, with what to do.

use fhectl_core::error::{Error, ErrorCode};
use std::path::Path;

/// First bytes, what the file is, and what to do.
const STARTS: &[(&[u8], &str, &str)] = &[
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file",
        "`git lfs pull` fetches the file that it stands for",
    ),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel", SHEET),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV: sqlite3 -header -csv FILE 'SELECT * FROM ...'"),
    (b"\x93NUMPY", "an array of NumPy", "write it with a header: pandas.DataFrame(array).to_csv(...)"),
    (b"\x80\x04", "a pickle of Python", PANDAS),
    (b"\x80\x05", "a pickle of Python", PANDAS),
    (b"PAR1", "a Parquet file", PANDAS),
    (b"%PDF", "a PDF document", SHEET),
    (b"<!DOCTYPE", "a web page", PAGE),
    (b"<!doctype", "a web page", PAGE),
    (b"<html", "a web page", PAGE),
];

const SHEET: &str = "save the sheet as CSV (UTF-8), with the columns' names in the first row";
const PANDAS: &str = "write it as CSV: pandas reads it, and DataFrame.to_csv(FILE, index=False) writes it";
const PAGE: &str = "something else than the file was downloaded: a page of a login or an error, say; open it to see";

/// What is wrong with a file that begins so, where it is known to be no table.
pub(super) fn refuse(path: &Path, start: &[u8]) -> Option<Error> {
    let (what, hint) = match STARTS.iter().find(|(first, ..)| start.starts_with(first)) {
        Some((_, what, hint)) => (*what, *hint),
        None if start.starts_with(b"PK\x03\x04") && contains(start, b"[Content_Types].xml") => ("an Excel workbook", SHEET),
        None if start.starts_with(b"PK\x03\x04") && contains(start, b"client.specs.json") => {
            ("a deployment of Concrete ML", "--data takes rows; see `fhectl create import` for models")
        }
        None if start.starts_with(b"PK\x03\x04") => ("a zip archive", "unpack it and name the table that is in it"),
        None => return None,
    };
    Some(Error::new(ErrorCode::CsvFormat, format!("{}: it is {what}", path.display())).hint(hint))
}

fn contains(start: &[u8], text: &[u8]) -> bool {
    start.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_told_by_name() {
        let told = |start: &[u8]| refuse(Path::new("rows.csv"), start).map(|error| error.message);
        let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
        assert!(told(lfs).unwrap().starts_with("rows.csv: it is a Git LFS pointer"));
        assert!(told(b"PK\x03\x04....[Content_Types].xml").unwrap().contains("Excel"));
        assert!(told(b"PK\x03\x04....rows.csv").unwrap().contains("zip archive"));
        for table in [&b"a,b\n1,2\n"[..], b"", b"PK,b\n1,2\n", b"version,b\n1,2\n", b"\x1f\x8b\x08", b"\xef\xbb\xbfa,b\n"] {
            assert_eq!(told(table), None, "{table:?}");
        }
    }
}
