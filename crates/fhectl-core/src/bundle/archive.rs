//! The zip container: a fixed list of small text entries.
//!
//! Clients only read, with a parser that has no dependencies and an inflater: a browser loads both. Writing is for those who
//! make and serve models.

use super::format::invalid;
use super::strangers;
use crate::error::{Error, Result};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive, ZipVerification};

/// The most entries an archive may list, and the most bytes one may inflate to.
const MAX_ENTRIES: usize = 16;
pub(super) const MAX_INFLATED: usize = 16 << 20;

/// One text file of an archive.
pub(super) struct Entry {
    pub name: &'static str,
    pub text: String,
}

/// Where an entry stands, and how it is compressed.
type Found = (ZipArchiveEntryWayfinder, CompressionMethod);

/// Reads exactly the entries named, in that order.
///
/// Nothing is ever extracted to disk; an archive with any other entry, an encrypted one, a path that climbs out, too many
/// entries, one that inflates beyond 16 MiB, or anything after the archive's end is refused.
pub(super) fn read(bytes: &[u8], names: &[&'static str]) -> Result<Vec<Entry>> {
    let unreadable = |error: rawzip::Error| match strangers::by_start(bytes) {
        Some(known) => invalid(format!("it is {}", known.what)).hint(known.hint),
        None => damaged(format!("not a readable zip archive ({error})")),
    };
    let archive = ZipArchive::from_slice(bytes).map_err(unreadable)?;
    let count = archive.entries_hint();
    if count > MAX_ENTRIES as u64 {
        return Err(damaged(format!("{count} entries, at most {MAX_ENTRIES}")));
    }
    if archive.end_offset() != bytes.len() as u64 {
        return Err(damaged(format!("{} bytes after its end", bytes.len() as u64 - archive.end_offset())));
    }
    let mut found: Vec<Option<Found>> = vec![None; names.len()];
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(unreadable)? {
        let name = String::from_utf8_lossy(entry.file_path().as_bytes());
        if name.contains("..") || name.starts_with('/') || name.contains('\\') {
            return Err(invalid(format!("entry `{}` climbs out of the archive", name.escape_default()))
                .hint("do not use this file: it was made to write outside its folder"));
        }
        if CONCRETE_ML.contains(&name.as_ref()) {
            return Err(invalid(format!(
                "this is a deployment of Concrete ML (its entry `{name}`), not one of fhectl"
            ))
            .hint(
                "import the model that it was made of: `fhectl create import model.onnx`, of the fitted \
                       scikit-learn model through skl2onnx or of the torch network through torch.onnx.export",
            ));
        }
        let Some(index) = names.iter().position(|known| *known == name) else {
            let what = format!("unexpected entry `{}`", name.escape_default());
            return Err(match strangers::by_entry(&name) {
                Some(known) => invalid(format!("{what}: it is {}", known.what)).hint(known.hint),
                None => damaged(what),
            });
        };
        if entry.flags().is_encrypted() || entry.flags().has_strong_encryption() {
            return Err(damaged(format!("entry `{name}` is encrypted")));
        }
        if found[index].replace((entry.wayfinder(), entry.compression_method())).is_some() {
            return Err(damaged(format!("two entries `{name}`")));
        }
    }
    let read = |(&name, found): (&&'static str, Option<Found>)| {
        let found = found.ok_or_else(|| damaged(format!("entry `{name}`: there is none")))?;
        read_entry(&archive, found, name).map(|text| Entry { name, text })
    };
    let entries = names.iter().zip(found).map(read).collect::<Result<Vec<_>>>()?;
    // One of each name was found: an archive that says otherwise is read in another way by other tools.
    if count != names.len() as u64 {
        return Err(damaged(format!("{count} entries by its own count, {} in its list", names.len())));
    }
    Ok(entries)
}

fn read_entry(archive: &ZipSliceArchive<&[u8]>, (place, method): Found, name: &str) -> Result<String> {
    let wrong = |what: &dyn std::fmt::Display| damaged(format!("entry `{name}`: {what}"));
    let entry = archive.get_entry(place).map_err(|error| wrong(&error))?;
    // The size that the archive states is not trusted: inflating stops one byte beyond the limit.
    let bytes = match method {
        CompressionMethod::STORE => entry.data().to_vec(),
        CompressionMethod::DEFLATE => match decompress_to_vec_with_limit(entry.data(), MAX_INFLATED + 1) {
            Ok(bytes) => bytes,
            Err(error) if error.status == TINFLStatus::HasMoreOutput => return Err(bomb(name)),
            Err(error) => return Err(wrong(&error)),
        },
        _ => return Err(wrong(&"compressed in a way that no bundle is")),
    };
    if bytes.len() > MAX_INFLATED {
        return Err(bomb(name));
    }
    let found = ZipVerification { crc: crc32(&bytes), uncompressed_size: bytes.len() as u64 };
    entry.claim_verifier().valid(found).map_err(|error| wrong(&error))?;
    String::from_utf8(bytes).map_err(|_| wrong(&"not UTF-8 text"))
}

/// The checksum of zip archives, four bits at a time. rawzip's own is faster, and has a table of 16 KiB, which would be a tenth of
/// what a browser loads.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let (mut table, mut index) = ([0; 16], 0);
        while index < 16 {
            let (mut sum, mut bit) = (index as u32, 0);
            while bit < 4 {
                sum = (sum >> 1) ^ (0xedb8_8320 * (sum & 1));
                bit += 1;
            }
            table[index] = sum;
            index += 1;
        }
        table
    };
    let step = |sum: u32, four: u32| (sum >> 4) ^ TABLE[((sum ^ four) & 15) as usize];
    !bytes.iter().fold(!0, |sum, byte| step(step(sum, u32::from(*byte)), u32::from(byte >> 4)))
}

fn bomb(name: &str) -> Error {
    invalid(format!("entry `{name}` inflates beyond {} MiB", MAX_INFLATED >> 20))
        .hint("do not use this file: it was made to fill the memory of whoever reads it")
}

/// What zip archives of Concrete ML hold, which people take for the same kind of file.
const CONCRETE_ML: [&str; 6] = [
    "circuit.mlir",
    "client.specs.json",
    "serialized_processing.json",
    "configuration.json",
    "composition_rules.json",
    "is_simulated",
];

fn damaged(what: String) -> Error {
    invalid(what).hint("it is not a bundle made by `fhectl create`, or it was damaged on the way")
}

/// Writes entries in the order given, with no timestamps: the same entries give the same bytes.
#[cfg(feature = "evaluate")]
pub(super) fn write(entries: &[(&str, &str)]) -> Vec<u8> {
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, DateTime, ZipWriter};
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, text) in entries {
        zip.start_file(*name, options).expect("a fixed name");
        zip.write_all(text.as_bytes()).expect("memory can be written to");
    }
    zip.finish().expect("memory can be written to").into_inner()
}
