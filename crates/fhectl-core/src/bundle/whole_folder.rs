//! A folder of files that is there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder in the making that nobody wrote to for so long was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Puts a folder with these files in the place of what is there. Until all are written, the old folder stays as it is; then
/// the two change places. Other files of the old one come along.
///
/// # Errors
/// Those of the file system, with the path.
pub(super) fn put(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), (PathBuf, io::Error)> {
    // Of a link, what it leads to is replaced.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    fs::create_dir_all(parent).map_err(at(parent))?;
    let beside = |what: &str| parent.join(format!(".{name}.{}.{what}", std::process::id()));
    let (new, old) = (beside("new"), beside("old"));
    let placed = write_all(&new, files).and_then(|()| {
        if !folder.is_dir() {
            return fs::rename(&new, &folder).map_err(at(&folder));
        }
        let old = swap(&folder, &new, old, exchange).map_err(at(&folder))?;
        clear(&old, files, Some(&folder)).map_err(at(&old))
    });
    if placed.is_err() {
        let _ = clear(&new, files, None);
    }
    for abandoned in abandoned(parent, &name) {
        let _ = clear(&abandoned, files, None);
    }
    placed
}

fn at(path: &Path) -> impl Fn(io::Error) -> (PathBuf, io::Error) {
    move |error| (path.to_owned(), error)
}

fn write_all(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), (PathBuf, io::Error)> {
    match fs::create_dir(folder) {
        // Of an earlier process with this number.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => created.map_err(at(folder))?,
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(at(&path))?;
    }
    Ok(())
}

/// Has two folders change places, and says where the old one is now.
fn swap(folder: &Path, new: &Path, old: PathBuf, exchange: fn(&Path, &Path) -> io::Result<()>) -> io::Result<PathBuf> {
    if exchange(folder, new).is_ok() {
        return Ok(new.to_owned());
    }
    // Where that is not to be had at one stroke, nothing is there for a moment.
    fs::rename(folder, &old)?;
    if let Err(error) = fs::rename(new, folder) {
        fs::rename(&old, folder)?;
        return Err(error);
    }
    Ok(old)
}

#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Removes a folder with these files. What else is in it moves to `heir`; without one the folder stays, with that.
fn clear(folder: &Path, files: &[(&str, &[u8])], heir: Option<&Path>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if files.iter().any(|(file, _)| name == *file) {
            fs::remove_file(entry.path())?;
        } else if let Some(heir) = heir {
            fs::rename(entry.path(), heir.join(name))?;
        }
    }
    fs::remove_dir(folder)
}

/// What processes that were killed left beside a folder of this name.
fn abandoned(parent: &Path, name: &str) -> Vec<PathBuf> {
    let is_ours = |file: &str| {
        let number =
            file.strip_prefix('.').and_then(|file| file.strip_prefix(name)).and_then(|file| file.strip_prefix('.'));
        let number = number.and_then(|file| file.strip_suffix(".new").or_else(|| file.strip_suffix(".old")));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_old = |entry: &fs::DirEntry| {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > ABANDONED))
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| is_ours(&entry.file_name().to_string_lossy()) && is_old(entry))
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests have clocks and threads")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    fn content(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let read = |entry: fs::DirEntry| {
            let text =
                if entry.path().is_dir() { "a folder".into() } else { fs::read_to_string(entry.path()).unwrap() };
            (entry.file_name().into_string().unwrap(), text)
        };
        entries.map(read).collect()
    }

    fn of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole_and_keeps_what_is_not_ours() {
        let all = tempfile::tempdir().unwrap();
        let folder = all.path().join("below/m");
        put(&folder, &[("a", b"1"), ("b", b"1")]).unwrap();
        assert_eq!(content(&folder), of(&[("a", "1"), ("b", "1")]));
        fs::write(folder.join("notes"), "of a person").unwrap();
        put(&folder, &[("a", b"2"), ("b", b"2")]).unwrap();
        assert_eq!(content(&folder), of(&[("a", "2"), ("b", "2"), ("notes", "of a person")]));
        assert_eq!(content(&all.path().join("below")), of(&[("m", "a folder")]));
        // What cannot be written leaves the old one as it was, and nothing beside it.
        put(&folder, &[("a", b"3"), ("no/such/folder", b"3")]).unwrap_err();
        assert_eq!(content(&folder), of(&[("a", "2"), ("b", "2"), ("notes", "of a person")]));
        assert_eq!(content(&all.path().join("below")), of(&[("m", "a folder")]));
        // Nor is a file taken for a folder.
        fs::write(all.path().join("file"), "of a person").unwrap();
        put(&all.path().join("file"), &[("a", b"1")]).unwrap_err();
        assert_eq!(fs::read_to_string(all.path().join("file")).unwrap(), "of a person");
    }

    #[test]
    fn without_an_exchange_folders_change_places_too() {
        let all = tempfile::tempdir().unwrap();
        let [folder, new, old] = ["m", ".m.1.new", ".m.1.old"].map(|name| all.path().join(name));
        write_all(&folder, &[("a", b"1")]).unwrap();
        write_all(&new, &[("a", b"2")]).unwrap();
        let unsupported = |_: &Path, _: &Path| Err(io::ErrorKind::Unsupported.into());
        let left = swap(&folder, &new, old, unsupported).unwrap();
        assert_eq!((content(&folder), content(&left)), (of(&[("a", "2")]), of(&[("a", "1")])));
        clear(&left, &[("a", b"")], Some(&folder)).unwrap();
        assert_eq!(content(all.path()), of(&[("m", "a folder")]));
        assert_eq!(content(&folder), of(&[("a", "2")]));
    }

    #[test]
    fn what_killed_processes_left_is_removed_in_time() {
        let all = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for (name, is_old) in [(".m.7.new", true), (".m.8.new", false), (".m.x.new", true), (".mm.7.new", true)] {
            write_all(&all.path().join(name), &[("a", b"half")]).unwrap();
            if is_old {
                File::open(all.path().join(name)).unwrap().set_modified(long_ago).unwrap();
            }
        }
        put(&all.path().join("m"), &[("a", b"1"), ("b", b"1")]).unwrap();
        let left: Vec<String> = content(all.path()).into_keys().collect();
        assert_eq!(left, [".m.8.new", ".m.x.new", ".mm.7.new", "m"]);
    }

    /// Whoever reads meanwhile finds one of the two, and all of it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_reader_never_finds_nothing() {
        let all = tempfile::tempdir().unwrap();
        let folder = all.path().join("m");
        put(&folder, &[("a", b"0")]).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..200 {
                    put(&folder, &[("a", round.to_string().as_bytes())]).unwrap();
                }
            });
            while !writer.is_finished() {
                // Opened just before it was swapped out, it may be gone; the next look finds the new one.
                let found = (0..3).find_map(|_| fs::read_to_string(folder.join("a")).ok());
                assert!(found.is_some_and(|text| !text.is_empty()));
            }
        });
    }
}
