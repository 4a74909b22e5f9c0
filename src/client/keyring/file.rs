//! The file of a secret key.
//!
//! Integers are little-endian:
//!
//! | bytes | |
//! |---|---|
//! | 4 | `FHEs` |
//! | 2 | version, 2 |
//! | 32 | the model's id |
//! | 8 | when the key was made, in seconds since 1970 |
//! | 8 | the key's serial, drawn at random: names the files that belong to it |
//! | 1 | 0: the key's bits as they are, 1: sealed under a passphrase |
//! | 1 + n | the model's name, after its length |
//! | 1 + n | the circuit, after its length |
//! | the rest | the key's bits ([`fhectl_core::circuit::ClientKey::write`]), or what [`super::Passphrase`] made of them |
//!
//! A seal covers all that stands before it.

use fhectl_core::bundle::{ClientBundle, ModelId, check_name};
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::Entropy;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAGIC: &[u8; 4] = b"FHEs";
const VERSION: u16 = 2;
/// The end of the year 9999: what is later has no date to show.
const LATEST: u64 = 253_402_300_799;

/// What a key file says of its key to whoever may read the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub model: ModelId,
    /// The model's name, as its bundle had it.
    pub name: String,
    pub circuit: String,
    /// Whole seconds.
    pub made: SystemTime,
    /// Whether a passphrase is needed.
    pub sealed: bool,
    pub(super) serial: [u8; 8],
}

impl Header {
    /// For a key that is made now.
    pub(super) fn new(bundle: &ClientBundle, sealed: bool, entropy: &mut dyn Entropy) -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut serial = [0; 8];
        serial.copy_from_slice(&entropy.seed().0[..8]);
        Self {
            model: bundle.id,
            name: bundle.spec.name.clone(),
            circuit: bundle.spec.circuit.kind().to_string(),
            made: UNIX_EPOCH + Duration::from_secs(seconds),
            sealed,
            serial,
        }
    }

    /// How long ago it was made; nothing where the clock was set back since.
    pub fn age(&self) -> Duration {
        self.made.elapsed().unwrap_or_default()
    }

    /// The serial as it stands in names of files.
    pub(super) fn serial(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let made = self.made.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.model.0);
        bytes.extend_from_slice(&made.to_le_bytes());
        bytes.extend_from_slice(&self.serial);
        bytes.push(u8::from(self.sealed));
        for text in [&self.name, &self.circuit] {
            bytes.push(text.len() as u8);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// The header of a file, and what stands after it.
    ///
    /// # Errors
    /// `key_file_version` for the file of another release, `key_file_invalid` for what is none.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let cut = || Error::user("key_file_invalid", "it does not begin as a key file");
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(cut)?;
        let version = u16::from_le_bytes(take(&mut rest).ok_or_else(cut)?);
        if version != VERSION {
            return Err(Error::user("key_file_version", format!("a key file of version {version}, want {VERSION}"))
                .hint("another release of fhectl made it; `fhectl keyring delete` removes it, and a new key is made at the next use"));
        }
        let model = ModelId(take(&mut rest).ok_or_else(cut)?);
        let seconds = u64::from_le_bytes(take(&mut rest).ok_or_else(cut)?);
        if seconds > LATEST {
            return Err(cut());
        }
        let made = UNIX_EPOCH + Duration::from_secs(seconds);
        let serial = take(&mut rest).ok_or_else(cut)?;
        let sealed = match take(&mut rest).ok_or_else(cut)? {
            [0] => false,
            [1] => true,
            _ => return Err(cut()),
        };
        let name = text(&mut rest).ok_or_else(cut)?;
        let circuit = text(&mut rest).ok_or_else(cut)?;
        // Both are shown on a terminal.
        check_name(&name).and_then(|()| check_name(&circuit)).map_err(|_| cut())?;
        Ok((Self { model, name, circuit, made, sealed, serial }, rest))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (own, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*own)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let [length] = take(rest)?;
    let (own, after) = rest.split_at_checked(usize::from(length))?;
    *rest = after;
    String::from_utf8(own.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_nothing_else_is() {
        let header = Header {
            model: ModelId([7; 32]),
            name: "tree-spam".into(),
            circuit: "path-cost".into(),
            made: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            sealed: true,
            serial: [1, 2, 3, 4, 5, 6, 7, 0xff],
        };
        assert_eq!(header.serial(), "01020304050607ff");
        let bytes = header.bytes();
        let file = [&bytes[..], b"body"].concat();
        assert_eq!(Header::parse(&file).unwrap(), (header, &b"body"[..]));
        for end in 0..bytes.len() {
            assert_eq!(Header::parse(&bytes[..end]).unwrap_err().code, "key_file_invalid");
        }
        let with = |at: usize, value: u8| {
            let mut changed = file.clone();
            changed[at] = value;
            Header::parse(&changed).err().map(|error| error.code)
        };
        assert_eq!(with(0, b'f'), Some("key_file_invalid"));
        assert_eq!(with(4, 1), Some("key_file_version"));
        assert_eq!(with(54, 2), Some("key_file_invalid"));
        // A name that would write on the terminal.
        assert_eq!(with(56, 0x1b), Some("key_file_invalid"));
        // 2^63 seconds are beyond any calendar.
        assert_eq!(with(45, 0xff), Some("key_file_invalid"));
    }
}
