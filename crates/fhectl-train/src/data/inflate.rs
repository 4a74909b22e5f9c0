//! Opens plain and gzip files alike, with a bound on what may come out of them.

use super::shipped;
use fhectl_core::error::{Error, ErrorCode, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The most bytes read from one file, unpacked: a small gzip file must not fill the memory.
const LIMIT: u64 = 4 << 30;

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

/// Opens `path`, unpacking it where its name ends in `.gz`.
///
/// # Errors
/// `data_missing` where there is no such file, `data_read` where it cannot be opened.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    if let Some(bytes) = shipped::bytes(path) {
        return Ok(if is_gzip(path) { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) });
    }
    if path.is_dir() {
        return Err(Error::new(ErrorCode::DataMissing, format!("{}: is a folder, not a file", path.display())));
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorCode::DataMissing, format!("{}: no such file", path.display())),
        _ => Error::new(ErrorCode::DataRead, format!("{}: {error}", path.display())),
    })?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if is_gzip(path) {
        Box::new(Capped { inner: MultiGzDecoder::new(file), left: LIMIT })
    } else {
        Box::new(Capped { inner: file, left: LIMIT })
    })
}

/// Names what a failed read of `path` means to a person.
pub(super) fn read_error(path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, UnexpectedEof};
    let shown = path.display();
    match error.kind() {
        FileTooLarge => Error::new(ErrorCode::DataTooLarge, format!("{shown}: more than 4 GiB unpacked")),
        InvalidData | InvalidInput | UnexpectedEof if is_gzip(path) => {
            Error::new(ErrorCode::GzipCorrupt, format!("{shown}: not a whole gzip file ({error})"))
                .hint("download or pack the file again; `gzip -t` tells whether it is whole")
        }
        _ => Error::new(ErrorCode::DataRead, format!("{shown}: {error}")),
    }
}

fn is_gzip(path: &Path) -> bool {
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
