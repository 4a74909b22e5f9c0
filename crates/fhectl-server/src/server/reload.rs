//! Files that are read again when they change, without a restart.

use arc_swap::ArcSwap;
use fhectl_core::digest::{Sha256, sha256};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest file that is read: a million hashed tokens.
const LONGEST: u64 = 80 << 20;

/// Something that was read from files, and is again when they change.
pub(super) struct Reloading<T> {
    what: &'static str,
    current: ArcSwap<T>,
    files: Vec<PathBuf>,
    /// SHA-256 of the contents that were looked at last, good or not: what is wrong is said once.
    seen: Mutex<Option<[u8; 32]>>,
    read: fn(&[Vec<u8>]) -> Result<T>,
}

impl<T> Reloading<T> {
    /// `first` was read from `files`; `read` reads their contents again.
    pub fn new(what: &'static str, first: T, files: Vec<PathBuf>, read: fn(&[Vec<u8>]) -> Result<T>) -> Self {
        Self { what, current: ArcSwap::from_pointee(first), files, seen: Mutex::new(None), read }
    }

    pub fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Reads the files where their contents are others than last time. What cannot be read changes nothing: a file
    /// may be half written, and a server without tokens would be open.
    pub fn refresh(&self) {
        if self.files.is_empty() {
            return;
        }
        let contents = self.files.iter().map(|path| read(path)).collect::<Result<Vec<_>>>();
        let mut hasher = Sha256::new();
        match &contents {
            Ok(contents) => contents.iter().for_each(|bytes| hasher.update(sha256(bytes))),
            Err(error) => hasher.update(error.message.as_bytes()),
        }
        let digest = hasher.finish();
        let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).replace(digest);
        if before == Some(digest) {
            return;
        }
        match contents.and_then(|contents| (self.read)(&contents)) {
            Ok(value) => {
                self.current.store(Arc::new(value));
                if before.is_some() {
                    tracing::info!(what = self.what, "read again");
                }
            }
            Err(error) => {
                tracing::warn!(
                    what = self.what,
                    code = error.code.as_str(),
                    error = error.message,
                    "cannot be read; what was read before stays in force"
                );
            }
        }
    }
}

/// A file's bytes, where they are not too many.
fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |what: String| Error::new(ErrorCode::FileUnreadable, format!("{}: {what}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LONGEST { Err(failed(format!("more than {LONGEST} bytes"))) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen_and_damage_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        let parse = |contents: &[Vec<u8>]| {
            let text = String::from_utf8_lossy(&contents[0]).into_owned();
            text.parse::<u32>().map_err(|_| Error::new(ErrorCode::FileUnreadable, "not a number"))
        };
        std::fs::write(&path, "1").unwrap();
        let number = Reloading::new("number", 1, vec![path.clone()], parse);
        for (text, expected) in [("1", 1), ("2", 2), ("", 2), ("x", 2), ("3", 3)] {
            std::fs::write(&path, text).unwrap();
            number.refresh();
            assert_eq!(*number.current(), expected, "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        number.refresh();
        assert_eq!(*number.current(), 3);
        std::fs::write(&path, "4").unwrap();
        number.refresh();
        assert_eq!(*number.current(), 4);
    }
}
