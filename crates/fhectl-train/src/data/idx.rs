//! IDX files, the format of MNIST: a header of sizes, then bytes.

use super::open::{open, read_error};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::io::{self, Read};
use std::path::Path;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
/// The most bytes of data a file's header may announce.
const MAX_BYTES: u64 = 1 << 31;

/// Images of one byte a pixel, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    pub count: usize,
    pub height: usize,
    pub width: usize,
    /// `count * height * width` bytes.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of images (`idx3-ubyte`, plain or `.gz`).
///
/// # Errors
/// `idx_format` for another magic number, sizes that are zero or too large, truncated data or bytes
/// after the end; read errors.
pub fn read_images(path: &Path) -> Result<Images> {
    let (dims, pixels) = read(path, IMAGES)?;
    let [count, height, width] = dims[..] else { unreachable!("the magic number fixes three dimensions") };
    Ok(Images { count, height, width, pixels })
}

/// Reads an IDX file of labels (`idx1-ubyte`, plain or `.gz`).
///
/// # Errors
/// As for [`read_images`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>> {
    read(path, LABELS).map(|(_, labels)| labels)
}

/// The dimensions and the bytes of an unsigned-byte IDX file whose magic number is `magic`.
fn read(path: &Path, magic: u32) -> Result<(Vec<usize>, Vec<u8>)> {
    let mut reader = open(path)?;
    let mut word = || -> Result<u32> {
        let mut bytes = [0; 4];
        match reader.read_exact(&mut bytes) {
            Ok(()) => Ok(u32::from_be_bytes(bytes)),
            // A plain file that ends early and a gzip stream that was cut both end up here.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(format_error(path, "ends within its header"))
            }
            Err(error) => Err(read_error(path, &error)),
        }
    };
    let found = word()?;
    if found != magic {
        return Err(format_error(path, format!("magic number {found:#010x}, want {magic:#010x}")));
    }
    // The magic number's last byte counts the dimensions.
    let dims = (0..magic & 0xff).map(|_| word().map(u64::from)).collect::<Result<Vec<u64>>>()?;
    let size = dims.iter().try_fold(1u64, |size, dim| size.checked_mul(*dim)).filter(|s| (1..=MAX_BYTES).contains(s));
    let Some(size) = size else {
        return Err(format_error(path, format!("dimensions {dims:?}: nothing, or more than {MAX_BYTES} bytes")));
    };
    let mut bytes = Vec::new();
    reader.take(size + 1).read_to_end(&mut bytes).map_err(|error| read_error(path, &error))?;
    if (bytes.len() as u64) < size {
        return Err(format_error(path, format!("{} bytes of data, the header announces {size}", bytes.len())));
    }
    if bytes.len() as u64 > size {
        return Err(format_error(path, format!("bytes follow the {size} that the header announces")));
    }
    Ok((dims.into_iter().map(|dim| dim as usize).collect(), bytes))
}

pub(super) fn format_error(path: &Path, what: impl AsRef<str>) -> Error {
    Error::new(ErrorCode::IdxFormat, format!("{}: {}", path.display(), what.as_ref()))
        .hint("the file is damaged or of another kind; fetch it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Images> {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("images");
        std::fs::write(&path, bytes).unwrap();
        read_images(&path)
    }

    fn header(count: u32, height: u32, width: u32) -> Vec<u8> {
        [IMAGES, count, height, width].iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn images_are_read() {
        let bytes = [header(2, 1, 2), vec![1, 2, 3, 4]].concat();
        assert_eq!(parse(&bytes).unwrap(), Images { count: 2, height: 1, width: 2, pixels: vec![1, 2, 3, 4] });
    }

    #[test]
    fn damage_is_named() {
        let huge = header(u32::MAX, u32::MAX, u32::MAX);
        let magic = [LABELS.to_be_bytes().to_vec(), vec![0, 0, 0, 1, 7]].concat();
        for (bytes, part) in [
            (vec![0, 0], "within its header"),
            (header(1, 1, 1)[..10].to_vec(), "within its header"),
            (magic, "magic number 0x00000801"),
            (huge, "more than"),
            (header(0, 1, 1), "nothing"),
            ([header(1, 2, 2), vec![1, 2, 3]].concat(), "3 bytes of data"),
            ([header(1, 1, 2), vec![1, 2, 3]].concat(), "bytes follow"),
        ] {
            let error = parse(&bytes).unwrap_err();
            assert_eq!(error.code, ErrorCode::IdxFormat);
            assert!(error.message.contains(part), "{error}");
        }
    }
}
