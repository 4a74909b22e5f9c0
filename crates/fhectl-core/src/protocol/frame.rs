//! The binary formats. Every one begins with a magic word, a version and the model's id, so that what belongs to
//! another model or another release is told apart from what was damaged.

mod batch;

pub use batch::{
    AnswersWriter, Asked, Batch, INPUTS_HEADER, KeyDigest, Lengths, MAX_BATCH, NO_KEY, answers_len, inputs_len,
    most_items, read_answers, read_any_answers, read_inputs, stated_tag, write_answers, write_inputs,
};

use crate::bundle::ModelId;
use crate::error::{Error, ErrorCode, Result};

/// The version of all formats here. 1 had no tags, key ids and digests in its batches.
pub const VERSION: u16 = 2;
/// Bytes before an evaluation key's body: magic, version, model id.
pub const KEY_HEADER: usize = 4 + 2 + 32;

/// What a framed message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
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
    const fn invalid(self) -> ErrorCode {
        match self {
            Self::Key => ErrorCode::KeyInvalid,
            Self::Inputs | Self::Answers => ErrorCode::CiphertextInvalid,
        }
    }

    fn header(self, model: &ModelId) -> Vec<u8> {
        let mut out = Vec::with_capacity(KEY_HEADER);
        out.extend_from_slice(&self.magic());
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&model.0);
        out
    }

    /// Checks magic, version and model, and returns what follows.
    fn open<'a>(self, model: &ModelId, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let error = |code, message: String| Error::new(code, message);
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
                ErrorCode::FormatVersion,
                format!("{} in format {version}, this side reads format {VERSION}", self.name()),
            )
            .hint("use the same fhectl release on both sides, with the client.zip and new keys of that release"));
        }
        if header[6..] != model.0 {
            return Err(error(ErrorCode::WrongModel, format!("{} made for another model", self.name()))
                .hint("client.zip and server are of different models; fetch client.zip from this server"));
        }
        Ok(rest)
    }
}

/// Bytes of a circuit's framed evaluation key; 0 where it needs none.
pub fn key_len(circuit: &crate::circuit::CircuitSpec) -> usize {
    match circuit.key_bytes() {
        0 => 0,
        body => KEY_HEADER + body,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_named() {
        const MODEL: ModelId = ModelId([7; 32]);
        let bytes = write_key(&MODEL, b"body");
        assert_eq!(read_key(&MODEL, &bytes).unwrap(), b"body");
        let code = |model: &ModelId, bytes: &[u8]| read_key(model, bytes).unwrap_err().code;
        assert_eq!(code(&ModelId([8; 32]), &bytes), ErrorCode::WrongModel);
        assert_eq!(code(&MODEL, &bytes[..20]), ErrorCode::KeyInvalid);
        assert_eq!(code(&MODEL, &write_inputs(&MODEL, None, &[b"item"])), ErrorCode::KeyInvalid);
        for version in [1, 3] {
            let mut other = bytes.clone();
            other[4] = version;
            assert_eq!(code(&MODEL, &other), ErrorCode::FormatVersion);
        }
    }
}
