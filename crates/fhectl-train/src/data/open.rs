//! Opens plain, gzip and zip files alike, told by their content, with a bound on what may come out of them.

use super::columns::{
    Columns, Stored, is_arrow, is_arrow_file, is_parquet, open_arrow_file, open_arrow_stream, open_parquet,
};
use super::shipped;
use fhectl_core::error::{Error, ErrorCode, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use zip::ZipArchive;

/// The most bytes read from one file, unpacked: a small gzip file must not fill the memory.
const LIMIT: u64 = 4 << 30;
/// The same of a zip archive, which is unpacked in memory.
const ZIP_LIMIT: u64 = 512 << 20;

/// A reader that fails, rather than ends, past its limit.
struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(got as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 GiB unpacked"))?;
        Ok(got)
    }
}

/// Opens `path`. What is inside decides how it is unpacked, whatever its name is.
///
/// # Errors
/// `data_missing` where there is no such file, `data_read` where it cannot be opened, `data_format` for a spreadsheet and
/// others that are no table, `data_too_large` for a zip archive of a larger file than is read.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    open_unless_foreign(path, |_| false)
}

/// What is in a file of a table.
pub(super) enum Content {
    Text(Box<dyn Read + Send>),
    Columns(Columns),
}

/// Opens a table, be it text, Parquet or Arrow, as its content says.
///
/// # Errors
/// Those of [`open`], and of opening a file of columns.
pub(super) fn open_table(path: &Path) -> Result<Content> {
    let mut reader = BufReader::with_capacity(1 << 16, open_unless_foreign(path, |h| is_parquet(h) || is_arrow(h))?);
    let head = match reader.fill_buf() {
        Ok(head) => head,
        Err(error) => return Err(read_error(path, &error)),
    };
    let columns = if is_parquet(head) || is_arrow_file(head) {
        let open = if is_parquet(head) { open_parquet } else { open_arrow_file };
        // Their descriptions stand at the end.
        let start = [head[0], head[1], head[2], head[3]];
        let plain = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|data| data.is_file()));
        let plain = plain.filter(|_| begins_with(path, &start));
        open(match plain {
            Some(file) => Stored::File(file),
            None => Stored::Memory(in_memory(path, reader)?.into()),
        })
    } else if is_arrow(head) {
        open_arrow_stream(Box::new(reader))
    } else {
        return Ok(Content::Text(Box::new(reader)));
    };
    columns.map(Content::Columns).map_err(|error| error.context(path.display()))
}

fn in_memory(path: &Path, source: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(ZIP_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| read_error(path, &error))?;
    if bytes.len() as u64 > ZIP_LIMIT {
        return Err(Error::new(ErrorCode::DataTooLarge, format!("{}: more than 512 MiB unpacked", path.display()))
            .hint("unpack it first"));
    }
    Ok(bytes)
}

/// [`open`], but for foreign content that is `known` to the caller.
fn open_unless_foreign(path: &Path, known: impl Fn(&[u8]) -> bool) -> Result<Box<dyn Read + Send>> {
    if let Some(bytes) = shipped::bytes(path) {
        return Ok(if is_gzip(bytes) { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) });
    }
    if path.is_dir() {
        return Err(Error::new(ErrorCode::DataMissing, format!("{}: is a folder, not a file", path.display()))
            .hint("name the table in it"));
    }
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorCode::DataMissing, format!("{}: no such file", path.display())),
        _ => Error::new(ErrorCode::DataRead, format!("{}: {error}", path.display())),
    };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
    let head = file.fill_buf().map_err(failed)?;
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(Cursor::new(unzipped(path)?)));
    }
    if !known(head)
        && let Some((what, hint)) = foreign(head)
    {
        return Err(Error::new(ErrorCode::DataFormat, format!("{}: this is {what}", path.display())).hint(hint));
    }
    Ok(if is_gzip(head) || has_gzip_name(path) {
        Box::new(Capped { inner: MultiGzDecoder::new(file), left: LIMIT })
    } else {
        Box::new(Capped { inner: file, left: LIMIT })
    })
}

/// What a file is that is no table of text, and what to do about it.
fn foreign(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let csv = "save it as CSV, in pandas with `frame.to_csv(\"rows.csv\", index=False)`";
    Some(match head {
        _ if is_parquet(head) => ("a Parquet file", csv),
        _ if is_arrow(head) => ("an Arrow file", csv),
        _ if head.starts_with(b"PARE") => ("a Parquet file that is encrypted", "write it without encryption"),
        _ if head.starts_with(b"FEA1") => (
            "a Feather file of the first version",
            "write it anew, in pandas with `frame.to_feather(\"rows.feather\")`",
        ),
        _ if head.starts_with(b"ORC") => ("an ORC file", "save it as Parquet or CSV"),
        _ if head.starts_with(b"Obj\x01") => ("an Avro file", "save it as Parquet or CSV"),
        _ if head.starts_with(b"\xd0\xcf\x11\xe0") => ("an old Excel workbook", "save the sheet as CSV"),
        _ if head.starts_with(b"SQLite format 3") => ("an SQLite database", "write the table to a CSV file"),
        _ if head.starts_with(b"\x89HDF") => ("an HDF5 file", csv),
        _ if head.starts_with(b"\x93NUMPY") => ("a NumPy array", csv),
        _ if head.starts_with(b"version https://git-lfs") => {
            ("a Git LFS pointer, not the file itself", "fetch the file with `git lfs pull`")
        }
        _ if head.starts_with(b"%PDF") => ("a PDF document", "save the sheet that it shows as CSV"),
        _ if head.starts_with(b"\x80\x04") || head.starts_with(b"\x80\x05") => ("a pickle of Python", csv),
        _ if ["<!doctype", "<html"].iter().any(|start| begins(head, start)) => {
            ("a web page", "something else than the file was downloaded: a page of a login or an error, say")
        }
        _ if head.starts_with(b"\xfd7zXZ") || head.starts_with(b"BZh") || head.starts_with(b"\x28\xb5\x2f\xfd") => {
            ("packed with xz, bzip2 or zstd", "unpack it, or pack it with gzip")
        }
        [b'{' | b'[', rest @ ..] if rest.contains(&b'"') && rest.contains(&b':') => ("JSON", csv),
        _ => return None,
    })
}

fn begins(head: &[u8], start: &str) -> bool {
    head.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// The one file of a zip archive.
fn unzipped(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let damaged = |error: zip::result::ZipError| {
        Error::new(ErrorCode::DataFormat, format!("{shown}: not a whole zip archive ({error})")).hint("pack it again")
    };
    let file = File::open(path).map_err(|error| Error::new(ErrorCode::DataRead, format!("{shown}: {error}")))?;
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    if archive.file_names().flatten().any(|name| name.starts_with("xl/")) {
        return Err(Error::new(ErrorCode::DataFormat, format!("{shown}: this is an Excel workbook"))
            .hint("save the sheet as CSV"));
    }
    let files: Vec<usize> = (0..archive.len())
        .filter(|index| {
            archive
                .name_for_index(*index)
                .is_some_and(|name| matches!(name, Ok(name) if !name.ends_with('/') && !name.starts_with("__MACOSX")))
        })
        .collect();
    let [only] = files[..] else {
        return Err(Error::new(ErrorCode::DataFormat, format!("{shown}: a zip archive of {} files", files.len()))
            .hint("unpack it and name the table"));
    };
    let mut bytes = Vec::new();
    let entry = archive.by_index(only).map_err(damaged)?;
    entry.take(ZIP_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| damaged(error.into()))?;
    if bytes.len() as u64 > ZIP_LIMIT {
        return Err(Error::new(ErrorCode::DataTooLarge, format!("{shown}: more than 512 MiB unpacked"))
            .hint("unpack it, or pack it with gzip"));
    }
    Ok(bytes)
}

/// Names what a failed read of `path` means to a person.
pub(super) fn read_error(path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, UnexpectedEof};
    let shown = path.display();
    match error.kind() {
        FileTooLarge => Error::new(ErrorCode::DataTooLarge, format!("{shown}: more than 4 GiB unpacked")),
        InvalidData | InvalidInput | UnexpectedEof if has_gzip_name(path) || begins_as_gzip(path) => {
            Error::new(ErrorCode::GzipCorrupt, format!("{shown}: not a whole gzip file ({error})"))
                .hint("download or pack the file again; `gzip -t` tells whether it is whole")
        }
        _ => Error::new(ErrorCode::DataRead, format!("{shown}: {error}")),
    }
}

fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b")
}

fn begins_as_gzip(path: &Path) -> bool {
    begins_with(path, b"\x1f\x8b")
}

fn begins_with<const N: usize>(path: &Path, start: &[u8; N]) -> bool {
    let mut head = [0; N];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *start
}

fn has_gzip_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_an_error_not_an_end() {
        let mut reader = Capped { inner: &[7u8; 10][..], left: 10 };
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 10);
        let mut reader = Capped { inner: &[7u8; 11][..], left: 10 };
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn missing_files_and_folders_are_named() {
        for path in ["/nowhere/x.csv", "/"] {
            assert_eq!(open(Path::new(path)).err().map(|e| e.code), Some(ErrorCode::DataMissing));
        }
    }
}
