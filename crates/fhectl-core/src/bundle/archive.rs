//! The zip container: a fixed list of small text entries.

use super::format::invalid;
use crate::error::Result;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The most entries an archive may list, and the most bytes one may inflate to.
const MAX_ENTRIES: usize = 16;
pub(super) const MAX_INFLATED: u64 = 16 << 20;

/// One text file of an archive.
pub(super) struct Entry {
    pub name: &'static str,
    pub text: String,
}

/// Writes entries in the order given, with no timestamps: the same entries give the same bytes.
pub(super) fn write(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, text) in entries {
        zip.start_file(*name, options).expect("a fixed name");
        zip.write_all(text.as_bytes()).expect("memory can be written to");
    }
    zip.finish().expect("memory can be written to").into_inner()
}

/// Reads exactly the entries named, in that order.
///
/// Nothing is ever extracted to disk; an archive with any other entry, a path that climbs out, too many entries or
/// one that inflates beyond 16 MiB is refused.
pub(super) fn read(bytes: &[u8], names: &[&'static str]) -> Result<Vec<Entry>> {
    let hint = "it is not a bundle made by `fhectl create`, or it was damaged on the way";
    let mut zip = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| invalid(format!("not a readable zip archive ({error})")).hint(hint))?;
    if zip.len() > MAX_ENTRIES {
        return Err(invalid(format!("{} entries, at most {MAX_ENTRIES}", zip.len())).hint(hint));
    }
    for index in 0..zip.len() {
        let name = zip
            .name_for_index(index)
            .transpose()
            .map_err(|error| invalid(format!("entry {index}: {error}")).hint(hint))?
            .unwrap_or_default();
        if name.contains("..") || name.starts_with('/') || name.contains('\\') {
            return Err(invalid(format!("entry `{}` climbs out of the archive", name.escape_default()))
                .hint("do not use this file: it was made to write outside its folder"));
        }
        if !names.contains(&name.as_ref()) {
            return Err(invalid(format!("unexpected entry `{}`", name.escape_default())).hint(hint));
        }
    }
    names.iter().map(|name| read_entry(&mut zip, name, hint)).collect()
}

fn read_entry(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &'static str, hint: &str) -> Result<Entry> {
    let file = zip.by_name(name).map_err(|error| invalid(format!("entry `{name}`: {error}")).hint(hint))?;
    // The size that the archive states is not trusted: reading stops one byte beyond the limit.
    let mut text = String::new();
    let read = file.take(MAX_INFLATED + 1).read_to_string(&mut text);
    if text.len() as u64 > MAX_INFLATED {
        return Err(invalid(format!("entry `{name}` inflates beyond {} MiB", MAX_INFLATED >> 20))
            .hint("do not use this file: it was made to fill the memory of whoever reads it"));
    }
    read.map_err(|error| invalid(format!("entry `{name}`: {error}")).hint(hint))?;
    Ok(Entry { name, text })
}
