//! The binary formats. Every one begins with a magic word, a version and the model's id, so that what belongs to
//! another model or another release is told apart from what was damaged.

use crate::bundle::ModelId;
use crate::circuit::CircuitSpec;
use crate::error::{Error, Result};

/// The version of all formats here.
pub const VERSION: u16 = 1;
/// Bytes before an evaluation key's body: magic, version, model id.
pub const KEY_HEADER: usize = 4 + 2 + 32;
/// Bytes before the items of a batch: magic, version, model id, count, length of each.
pub const BATCH_HEADER: usize = KEY_HEADER + 4 + 4;
/// The most items a batch may hold.
pub const MAX_BATCH: usize = 1024;

/// The most bytes of inputs or of answers that one batch may hold, so that a small request cannot ask for a huge reply.
const MAX_BATCH_BYTES: usize = 64 << 20;

/// The most items of a batch for this circuit.
pub fn most_items(circuit: &CircuitSpec) -> usize {
    let each = circuit.request_bytes().max(circuit.response_bytes()).max(1);
    (MAX_BATCH_BYTES / each).clamp(1, MAX_BATCH)
}

/// What a framed message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// An evaluation key.
    Key,
    /// Encrypted inputs.
    Inputs,
    /// Encrypted answers.
    Answers,
}

impl Frame {
    const fn magic(self) -> [u8; 4] {
        match self {
            Self::Key => *b"FHEk",
            Self::Inputs => *b"FHEq",
            Self::Answers => *b"FHEa",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Key => "an evaluation key",
            Self::Inputs => "a batch of encrypted inputs",
            Self::Answers => "a batch of encrypted answers",
        }
    }

    /// Stable codes of the refusals: not ours, of another version, of another model, of the wrong length.
    const fn invalid(self) -> &'static str {
        match self {
            Self::Key => "key_invalid",
            Self::Inputs | Self::Answers => "ciphertext_invalid",
        }
    }

    fn header(self, model: &ModelId) -> Vec<u8> {
        let mut out = Vec::with_capacity(BATCH_HEADER);
        out.extend_from_slice(&self.magic());
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&model.0);
        out
    }

    /// Checks magic, version and model, and returns what follows.
    fn open<'a>(self, model: &ModelId, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let error = |code, message: String| Error::user(code, message);
        let Some((header, rest)) = bytes.split_at_checked(KEY_HEADER) else {
            return Err(error(self.invalid(), format!("{} bytes are too few for {}", bytes.len(), self.name()))
                .hint("it was truncated on the way; send it again"));
        };
        if header[..4] != self.magic() {
            return Err(error(self.invalid(), format!("this is not {}", self.name()))
                .hint("it was damaged on the way, or something else was sent"));
        }
        let version = u16::from_le_bytes([header[4], header[5]]);
        if version != VERSION {
            return Err(error(
                "format_version",
                format!("{} in format {version}, this side reads format {VERSION}", self.name()),
            )
            .hint("use the same fhectl release on both sides"));
        }
        if header[6..] != model.0 {
            return Err(error("wrong_model", format!("{} made for another model", self.name()))
                .hint("client.zip and server are of different models; fetch client.zip from this server"));
        }
        Ok(rest)
    }
}

/// Puts an evaluation key's body under its header.
pub fn write_key(model: &ModelId, body: &[u8]) -> Vec<u8> {
    let mut out = Frame::Key.header(model);
    out.extend_from_slice(body);
    out
}

/// The body of a framed evaluation key; its length is checked by the circuit.
///
/// # Errors
/// `key_invalid`, `format_version` or `wrong_model`.
pub fn read_key<'a>(model: &ModelId, bytes: &'a [u8]) -> Result<&'a [u8]> {
    Frame::Key.open(model, bytes)
}

/// Frames a batch of items of one length.
///
/// # Panics
/// Where items differ in length: circuits give them all one.
pub fn write_batch(frame: Frame, model: &ModelId, items: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let each = items.first().map_or(0, |item| item.as_ref().len());
    let mut out = begin_batch(frame, model, items.len(), each);
    for item in items {
        assert_eq!(item.as_ref().len(), each);
        out.extend_from_slice(item.as_ref());
    }
    out
}

/// The header of a batch of `count` items of `each` bytes, with room for the items to follow.
pub fn begin_batch(frame: Frame, model: &ModelId, count: usize, each: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(BATCH_HEADER + count * each);
    out.extend_from_slice(&frame.header(model));
    out.extend_from_slice(&(count as u32).to_le_bytes());
    out.extend_from_slice(&(each as u32).to_le_bytes());
    out
}

/// Splits a framed batch into its items, each exactly `each` bytes long.
///
/// # Errors
/// `ciphertext_invalid`, `format_version`, `wrong_model`, or `batch_too_large` for more than [`MAX_BATCH`] items.
pub fn read_batch<'a>(frame: Frame, model: &ModelId, each: usize, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>> {
    let rest = frame.open(model, bytes)?;
    let damaged =
        |what: String| Error::user(frame.invalid(), what).hint("it was truncated or altered on the way; send it again");
    let Some((header, items)) = rest.split_at_checked(8) else {
        return Err(damaged("a batch without its count".into()));
    };
    let count = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
    let stated = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    if count > MAX_BATCH {
        return Err(Error::user("batch_too_large", format!("{count} items in a batch, at most {MAX_BATCH}"))
            .hint("send several smaller batches"));
    }
    if count == 0 || each == 0 || stated != each || items.len() != count * each {
        return Err(damaged(format!(
            "a batch of {count} items of {stated} bytes in {} bytes; this model's are {each} bytes each",
            items.len()
        )));
    }
    Ok(items.chunks(each).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODEL: ModelId = ModelId([7; 32]);

    #[test]
    fn what_is_wrong_is_named() {
        let items = [[1u8; 10], [2; 10]];
        let bytes = write_batch(Frame::Inputs, &MODEL, &items);
        assert_eq!(read_batch(Frame::Inputs, &MODEL, 10, &bytes).unwrap(), [&items[0][..], &items[1][..]]);
        let code = |model: &ModelId, bytes: &[u8]| read_batch(Frame::Inputs, model, 10, bytes).unwrap_err().code;
        assert_eq!(code(&ModelId([8; 32]), &bytes), "wrong_model");
        assert_eq!(code(&MODEL, &bytes[..20]), "ciphertext_invalid");
        assert_eq!(code(&MODEL, &bytes[..bytes.len() - 1]), "ciphertext_invalid");
        let mut newer = bytes.clone();
        newer[4] = 2;
        assert_eq!(code(&MODEL, &newer), "format_version");
        let mut many = bytes;
        many[KEY_HEADER + 2] = 1;
        assert_eq!(code(&MODEL, &many), "batch_too_large");
        assert_eq!(read_key(&MODEL, &write_key(&MODEL, b"body")).unwrap(), b"body");
        assert_eq!(read_key(&MODEL, &newer).unwrap_err().code, "key_invalid");
    }

    #[test]
    fn items_of_no_bytes_are_refused() {
        let bytes = begin_batch(Frame::Answers, &MODEL, 1, 0);
        assert_eq!(read_batch(Frame::Answers, &MODEL, 0, &bytes).unwrap_err().code, "ciphertext_invalid");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), each in 1usize..50) {
            let mut framed = Frame::Inputs.header(&MODEL);
            framed.extend_from_slice(&bytes);
            for bytes in [&bytes, &framed] {
                if let Ok(items) = read_batch(Frame::Inputs, &MODEL, each, bytes) {
                    prop_assert!(items.iter().all(|item| item.len() == each));
                }
            }
        }
    }
}
