//! Files of a keyring: private, read within bounds, written as a whole or not at all.

use fhectl_core::error::{Error, ErrorCode, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The file that processes take turns with. It is empty and stays.
const LOCK: &str = ".lock";

/// Makes the folder where there is none, readable by its owner only, and checks that nobody else can put files into it.
///
/// # Errors
/// `keys_unwritable`, or `key_file_permissions` where it is not the user's own or others may write to it.
pub fn folder(folder: &Path) -> Result<()> {
    if !folder.exists() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| unwritable(folder, &error))?;
    }
    check_folder(folder)
}

/// One process at a time changes a folder of keys: held until the returned file is dropped, or the process ends.
///
/// `None` on a file system without locks; there a new file still never takes another's place unseen.
///
/// # Errors
/// `keys_unwritable`.
pub fn lock(folder: &Path) -> Result<Option<File>> {
    let path = folder.join(LOCK);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| unwritable(&path, &error))?;
    match file.lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(unwritable(&path, &error)),
    }
}

/// The bytes of a secret file, `None` where there is none. It is opened once, and what was opened is checked.
///
/// # Errors
/// `key_file_permissions` where it is a symbolic link, another user's, or open to others; `key_file_invalid` where it
/// cannot be read or has more than `most` bytes.
pub fn read_secret(path: &Path, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(damaged(path, &error.to_string())),
        Ok(found) if found.is_symlink() => {
            return Err(not_private(path, "a symbolic link, and what it leads to may change".to_owned())
                .hint("put the key file itself into the folder; the folder may be a link"));
        }
        Ok(found) if !found.is_file() => return Err(damaged(path, "it is no file")),
        Ok(_) => {}
    }
    let file = open_no_link(path).map_err(|error| damaged(path, &error.to_string()))?;
    check_private(path, &file)?;
    read_bounded(path, file, most).map(Some)
}

/// The bytes of a file that is no secret, `None` where there is none.
///
/// # Errors
/// `key_file_invalid` where it cannot be read or has more than `most` bytes.
pub fn read(path: &Path, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match File::open(path) {
        Ok(file) => read_bounded(path, file, most).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(damaged(path, &error.to_string())),
    }
}

fn read_bounded(path: &Path, file: File, most: usize) -> Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata().map_err(|error| damaged(path, &error.to_string()))?.len();
    if length > most as u64 {
        return Err(damaged(path, &format!("{length} bytes, expected at most {most}")));
    }
    // Large enough from the start: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(length).read_to_end(&mut bytes).map_err(|error| damaged(path, &error.to_string()))?;
    Ok(bytes)
}

/// Writes a file of mode 0600 unless there is one. Returns whether this call made it.
///
/// # Errors
/// `keys_unwritable`.
pub fn create(path: &Path, bytes: &[u8]) -> Result<bool> {
    let write = || -> io::Result<bool> {
        match written(path, bytes)?.persist_noclobber(path) {
            Ok(_) => sync_folder(path).map(|()| true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    write().map_err(|error| unwritable(path, &error))
}

/// Writes a file of mode 0600 in the place of the one that is there: whoever reads finds the old or the new one, also
/// after a crash.
///
/// # Errors
/// `keys_unwritable`.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        written(path, bytes)?.persist(path).map_err(|error| error.error)?;
        sync_folder(path)
    };
    write().map_err(|error| unwritable(path, &error))
}

/// The bytes in a file beside `path`, on the disk. `tempfile` creates with mode 0600.
fn written(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(parent(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Deletes a file. Returns whether there was one.
///
/// # Errors
/// `keys_unwritable`.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// A file's name is on the disk once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn open_no_link(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    // A link or a pipe that was put there after the look is not followed, and not waited for.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    File::options().read(true).custom_flags(flags as i32).open(path)
}

#[cfg(not(unix))]
fn open_no_link(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata().map_err(|error| damaged(path, &error.to_string()))?;
    if !found.is_file() {
        return Err(damaged(path, "it is no file"));
    }
    check_owner(path, found.uid())?;
    if found.mode() & 0o077 != 0 {
        return Err(not_private(path, format!("open to others (mode {:o})", found.mode() & 0o777))
            .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

#[cfg(unix)]
fn check_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).map_err(|error| unwritable(path, &error))?;
    if !found.is_dir() {
        return Err(unwritable(path, &io::Error::from(ErrorKind::NotADirectory)));
    }
    check_owner(path, found.uid())?;
    if found.mode() & 0o022 != 0 {
        return Err(not_private(path, format!("writable by others (mode {:o})", found.mode() & 0o777))
            .hint(format!("chmod go-w {}, or name another folder with --keys", path.display())));
    }
    Ok(())
}

#[cfg(unix)]
fn check_owner(path: &Path, owner: u32) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if owner == user {
        return Ok(());
    }
    Err(not_private(path, format!("another user's (uid {owner}, this process has {user})"))
        .hint("use a folder of keys of your own: name one with --keys"))
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &File) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn check_folder(_: &Path) -> Result<()> {
    Ok(())
}

fn not_private(path: &Path, what: String) -> Error {
    Error::new(ErrorCode::KeyFilePermissions, format!("{} is {what}", path.display()))
}

pub fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorCode::KeysUnwritable, format!("{}: {error}", path.display()))
        .hint("keys need a folder that you can write to: name one with --keys")
}

pub fn damaged(path: &Path, what: &str) -> Error {
    Error::new(ErrorCode::KeyFileInvalid, format!("{}: {what}", path.display()))
        .hint("the file was left as it is; `fhectl keyring delete` removes it, and new keys are made at the next use")
}
