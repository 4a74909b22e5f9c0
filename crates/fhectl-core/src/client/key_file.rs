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
//! | the rest | the key's bits ([`ClientKey::write`](crate::circuit::ClientKey::write)), or what a [`Seal`] made of them |
//!
//! A seal covers all that stands before it.
//! [`ClientModel::write_key_file`](super::ClientModel::write_key_file) writes such a file,
//! [`ClientModel::read_key_file`](super::ClientModel::read_key_file) reads it.

use crate::bundle::{ModelId, check_name};
use crate::digest;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::Entropy;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"FHEs";
const VERSION: u16 = 2;
/// The end of the year 9999: what is later has no date to show.
const LATEST: u64 = 253_402_300_799;

/// The most bytes of a secret key's file: three keys of dimension 8192 take 3 KiB.
pub const MAX_BYTES: usize = 1 << 16;

/// What a key file says of its key to whoever may read the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFileHeader {
    pub model: ModelId,
    /// The model's name, as its bundle had it.
    pub name: String,
    pub circuit: String,
    /// Seconds since 1970.
    pub made: u64,
    /// Whether a passphrase is needed.
    pub sealed: bool,
    /// Drawn with the key: files that belong to it are named after it.
    pub serial: [u8; 8],
}

/// What keeps the bits of a key file from whoever reads the file, a passphrase say.
pub trait Seal {
    /// Seals a key's bits; what comes out opens only with the same `header`.
    ///
    /// # Errors
    /// Where sealing fails.
    fn seal(&self, header: &[u8], bits: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>>;

    /// Opens what [`Seal::seal`] made.
    ///
    /// # Errors
    /// `key_file_invalid` where it is none of that, `key_passphrase_wrong`.
    fn open(&self, header: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>>;
}

impl KeyFileHeader {
    /// The serial as it stands in names of files: 16 hexadecimal digits.
    pub fn serial_hex(&self) -> String {
        digest::to_hex(&self.serial)
    }

    /// The bytes that a key file begins with.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.model.0);
        bytes.extend_from_slice(&self.made.to_le_bytes());
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
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let cut = || Error::new(ErrorCode::KeyFileInvalid, "it does not begin as a key file");
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(cut)?;
        let version = u16::from_le_bytes(take(&mut rest).ok_or_else(cut)?);
        if version != VERSION {
            return Err(Error::new(ErrorCode::KeyFileVersion, format!("a key file of version {version}, want {VERSION}"))
                .hint("another release of fhectl made it; `fhectl keyring delete` removes it, and a new key is made at the next use"));
        }
        let model = ModelId(take(&mut rest).ok_or_else(cut)?);
        let made = u64::from_le_bytes(take(&mut rest).ok_or_else(cut)?);
        if made > LATEST {
            return Err(cut());
        }
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
        let header = KeyFileHeader {
            model: ModelId([7; 32]),
            name: "tree-spam".into(),
            circuit: "path-cost".into(),
            made: 1_700_000_000,
            sealed: true,
            serial: [1, 2, 3, 4, 5, 6, 7, 0xff],
        };
        assert_eq!(header.serial_hex(), "01020304050607ff");
        let bytes = header.to_bytes();
        let file = [&bytes[..], b"body"].concat();
        assert_eq!(KeyFileHeader::parse(&file).unwrap(), (header, &b"body"[..]));
        for end in 0..bytes.len() {
            assert_eq!(KeyFileHeader::parse(&bytes[..end]).unwrap_err().code, ErrorCode::KeyFileInvalid);
        }
        let with = |at: usize, value: u8| {
            let mut changed = file.clone();
            changed[at] = value;
            KeyFileHeader::parse(&changed).err().map(|error| error.code)
        };
        assert_eq!(with(0, b'f'), Some(ErrorCode::KeyFileInvalid));
        assert_eq!(with(4, 1), Some(ErrorCode::KeyFileVersion));
        assert_eq!(with(54, 2), Some(ErrorCode::KeyFileInvalid));
        // A name that would write on the terminal.
        assert_eq!(with(56, 0x1b), Some(ErrorCode::KeyFileInvalid));
        // 2^63 seconds are beyond any calendar.
        assert_eq!(with(45, 0xff), Some(ErrorCode::KeyFileInvalid));
    }
}
