//! Batches: encrypted inputs, and what a server made of them.
//!
//! After magic, version and model id, inputs have: count, length of each, length of the tag, the tag, the items. Answers
//! have the id of the evaluation key that was used, then the same, and at their end the SHA-256 of all that is before
//! it. Numbers are 32 bits, little endian. A tag is as long as the circuit's are, or of no bytes where the batch has
//! none.

use super::{Frame, KEY_HEADER};
use crate::bundle::ModelId;
use crate::circuit::CircuitSpec;
use crate::digest::{Sha256, sha256};
use crate::error::{Error, ErrorCode, Result};

/// The SHA-256 of a framed evaluation key.
pub type KeyDigest = [u8; 32];
/// What stands for it where the circuit needs no key.
pub const NO_KEY: KeyDigest = [0; 32];

/// The most items a batch may hold.
pub const MAX_BATCH: usize = 1024;
/// The most bytes of inputs or of answers that one batch may hold, so that a small request cannot ask for a huge reply.
const MAX_BATCH_BYTES: usize = 64 << 20;

/// Count, length of each, length of the tag.
const NUMBERS: usize = 3 * 4;
/// Bytes before a batch of inputs' tag.
pub const INPUTS_HEADER: usize = KEY_HEADER + NUMBERS;
/// Bytes before a batch of answers' tag.
const ANSWERS_HEADER: usize = KEY_HEADER + 32 + NUMBERS;
/// Bytes of the digest at the end of answers.
const DIGEST: usize = 32;

/// The most items of a batch for this circuit.
pub fn most_items(circuit: &CircuitSpec) -> usize {
    let each = circuit.request_bytes().max(circuit.response_bytes()).max(1);
    (MAX_BATCH_BYTES / each).clamp(1, MAX_BATCH)
}

/// Exact lengths in bytes of what a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    pub each: usize,
    /// 0 where the circuit has no tags.
    pub tag: usize,
}

impl Lengths {
    pub fn of_inputs(circuit: &CircuitSpec) -> Self {
        Self { each: circuit.request_bytes(), tag: circuit.tag_request_bytes() }
    }

    pub fn of_answers(circuit: &CircuitSpec) -> Self {
        Self { each: circuit.response_bytes(), tag: circuit.tag_response_bytes() }
    }
}

/// A batch that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<'a> {
    pub tag: Option<&'a [u8]>,
    pub items: Vec<&'a [u8]>,
}

/// Exact bytes of a batch of inputs without a tag.
pub fn inputs_len(circuit: &CircuitSpec, count: usize) -> usize {
    INPUTS_HEADER + count * circuit.request_bytes()
}

/// Exact bytes of a batch of answers without a tag.
pub fn answers_len(circuit: &CircuitSpec, count: usize) -> usize {
    ANSWERS_HEADER + count * circuit.response_bytes() + DIGEST
}

/// Frames a batch of encrypted inputs of one length.
///
/// ```
/// use fhectl_core::bundle::ModelId;
/// use fhectl_core::error::ErrorCode;
/// use fhectl_core::protocol::frame::{Lengths, read_inputs, write_inputs};
///
/// let model = ModelId([7; 32]);
/// let bytes = write_inputs(&model, None, &[[1u8; 10], [2; 10]]);
/// let batch = read_inputs(&model, Lengths { each: 10, tag: 0 }, &bytes)?;
/// assert_eq!(batch.items, [[1u8; 10], [2; 10]]);
/// assert_eq!(read_inputs(&ModelId([8; 32]), Lengths { each: 10, tag: 0 }, &bytes).unwrap_err().code, ErrorCode::WrongModel);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
///
/// # Panics
/// Where items differ in length: circuits give them all one.
pub fn write_inputs(model: &ModelId, tag: Option<&[u8]>, items: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let each = items.first().map_or(0, |item| item.as_ref().len());
    let tag = tag.unwrap_or_default();
    let mut out = Frame::Inputs.header(model);
    out.reserve_exact(NUMBERS + tag.len() + items.len() * each);
    put_numbers(&mut out, [items.len(), each, tag.len()]);
    out.extend_from_slice(tag);
    for item in items {
        assert_eq!(item.as_ref().len(), each);
        out.extend_from_slice(item.as_ref());
    }
    out
}

/// The length of the tag that a batch of inputs says it has, by its bytes alone; 0 where there are too few.
pub fn stated_tag(inputs: &[u8]) -> usize {
    inputs.get(INPUTS_HEADER - 4..).and_then(|rest| rest.first_chunk()).map_or(0, |four| number(*four))
}

/// Splits a framed batch of inputs.
///
/// # Errors
/// `ciphertext_invalid`, `format_version`, `wrong_model`, or `batch_too_large` for more than [`MAX_BATCH`] items.
pub fn read_inputs<'a>(model: &ModelId, lengths: Lengths, bytes: &'a [u8]) -> Result<Batch<'a>> {
    split(Frame::Inputs, lengths, Frame::Inputs.open(model, bytes)?)
}

/// Writes a batch of answers as they are made: digest and bytes are one pass.
pub struct AnswersWriter {
    bytes: Vec<u8>,
    hashed: usize,
    hash: Sha256,
}

impl AnswersWriter {
    /// Begins a batch of `count` answers of `each` bytes, computed with the evaluation key `used`; `tag` is the tag's
    /// answer, empty where none was asked for.
    pub fn begin(model: &ModelId, used: &KeyDigest, (count, each): (usize, usize), tag: &[u8]) -> Self {
        let mut bytes = Frame::Answers.header(model);
        bytes.reserve_exact(ANSWERS_HEADER - KEY_HEADER + tag.len() + count * each + DIGEST);
        bytes.extend_from_slice(used);
        put_numbers(&mut bytes, [count, each, tag.len()]);
        bytes.extend_from_slice(tag);
        Self { bytes, hashed: 0, hash: Sha256::new() }
    }

    pub fn push(&mut self, answer: &[u8]) {
        self.bytes.extend_from_slice(answer);
        self.digest_rest();
    }

    fn digest_rest(&mut self) {
        self.hash.update(&self.bytes[self.hashed..]);
        self.hashed = self.bytes.len();
    }

    /// The whole batch with its digest.
    pub fn finish(mut self) -> Vec<u8> {
        self.digest_rest();
        self.bytes.extend_from_slice(&self.hash.finish());
        self.bytes
    }
}

/// Frames a whole batch of answers.
pub fn write_answers(model: &ModelId, used: &KeyDigest, tag: Option<&[u8]>, items: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let each = items.first().map_or(0, |item| item.as_ref().len());
    let mut writer = AnswersWriter::begin(model, used, (items.len(), each), tag.unwrap_or_default());
    items.iter().for_each(|item| writer.push(item.as_ref()));
    writer.finish()
}

/// What a batch of answers must answer.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub model: &'a ModelId,
    /// The evaluation key that was named.
    pub key: &'a KeyDigest,
    pub rows: usize,
    /// Whether there was a tag.
    pub tagged: bool,
}

/// Splits a framed batch of answers.
///
/// ```
/// use fhectl_core::bundle::ModelId;
/// use fhectl_core::error::ErrorCode;
/// use fhectl_core::protocol::frame::{Asked, Lengths, NO_KEY, read_answers, write_answers};
///
/// let model = ModelId([7; 32]);
/// let bytes = write_answers(&model, &NO_KEY, None, &[[3u8; 5]]);
/// let asked = Asked { model: &model, key: &NO_KEY, rows: 1, tagged: false };
/// assert_eq!(read_answers(asked, Lengths { each: 5, tag: 0 }, &bytes)?.items, [[3u8; 5]]);
/// // What was cut off or altered on its way is seen.
/// let cut = &bytes[..bytes.len() - 1];
/// assert_eq!(read_answers(asked, Lengths { each: 5, tag: 0 }, cut).unwrap_err().code, ErrorCode::AnswersDamaged);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
///
/// # Errors
/// `answers_damaged` where the digest is not theirs, `answers_key` where another key was used, `answers_count` where
/// there are more or fewer than were asked for; else as [`read_inputs`].
pub fn read_answers<'a>(asked: Asked<'_>, lengths: Lengths, bytes: &'a [u8]) -> Result<Batch<'a>> {
    let (used, body) = open_answers(asked.model, bytes)?;
    if used != asked.key {
        return Err(Error::new(
            ErrorCode::AnswersKey,
            "the server computed with another evaluation key than this client's",
        )
        .hint("its answers decrypt to anything; tell the server's operator"));
    }
    let batch = split(Frame::Answers, lengths, body)?;
    if batch.items.len() != asked.rows || batch.tag.is_some() != (asked.tagged && lengths.tag > 0) {
        return Err(Error::new(
            ErrorCode::AnswersCount,
            format!("{} answers to {} inputs, with a tag: {}", batch.items.len(), asked.rows, batch.tag.is_some()),
        )
        .hint("the server answers another batch than this client's; tell its operator"));
    }
    Ok(batch)
}

/// Splits a framed batch of answers, whatever the key and the rows that it is for.
///
/// # Errors
/// `answers_damaged`; else as [`read_inputs`].
pub fn read_any_answers<'a>(model: &ModelId, lengths: Lengths, bytes: &'a [u8]) -> Result<Batch<'a>> {
    split(Frame::Answers, lengths, open_answers(model, bytes)?.1)
}

/// The evaluation key that was used, and what stands between it and the digest, which is checked.
fn open_answers<'a>(model: &ModelId, bytes: &'a [u8]) -> Result<(&'a KeyDigest, &'a [u8])> {
    let damaged = || {
        Error::new(ErrorCode::AnswersDamaged, "a batch of encrypted answers does not have its own digest")
            .hint("it was truncated or altered after the server made it; look for what stands between")
    };
    let rest = Frame::Answers.open(model, bytes)?;
    let (body, digest) = rest.split_last_chunk::<DIGEST>().ok_or_else(damaged)?;
    if sha256(&bytes[..KEY_HEADER + body.len()]) != *digest {
        return Err(damaged());
    }
    body.split_first_chunk::<32>().ok_or_else(damaged)
}

/// Numbers, tag and items.
fn split(frame: Frame, lengths: Lengths, bytes: &[u8]) -> Result<Batch<'_>> {
    let damaged =
        |what: String| Error::new(frame.invalid(), what).hint("it was truncated or altered on the way; send it again");
    let Some((numbers, rest)) = bytes.split_first_chunk::<NUMBERS>() else {
        return Err(damaged("a batch without its count".into()));
    };
    let [count, each, tag] = [0, 1, 2].map(|index| number(numbers.as_chunks().0[index]));
    if count > MAX_BATCH {
        return Err(Error::new(ErrorCode::BatchTooLarge, format!("{count} items in a batch, at most {MAX_BATCH}"))
            .hint("send several smaller batches"));
    }
    if tag != 0 && tag != lengths.tag {
        return Err(damaged(format!("a tag of {tag} bytes; this model's have {}", lengths.tag)));
    }
    let items = count.checked_mul(lengths.each);
    let whole = items.and_then(|items| items.checked_add(tag));
    if count == 0 || lengths.each == 0 || each != lengths.each || whole != Some(rest.len()) {
        return Err(damaged(format!(
            "a batch of {count} items of {each} bytes and a tag of {tag} in {} bytes; this model's items are {} bytes each",
            rest.len(),
            lengths.each
        )));
    }
    let (tag, items) = rest.split_at(tag);
    Ok(Batch { tag: (!tag.is_empty()).then_some(tag), items: items.chunks(each).collect() })
}

fn put_numbers(out: &mut Vec<u8>, numbers: [usize; 3]) {
    for number in numbers {
        out.extend_from_slice(&(number as u32).to_le_bytes());
    }
}

fn number(bytes: [u8; 4]) -> usize {
    u32::from_le_bytes(bytes) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODEL: ModelId = ModelId([7; 32]);
    const LENGTHS: Lengths = Lengths { each: 10, tag: 3 };
    const ITEMS: [[u8; 10]; 2] = [[1; 10], [2; 10]];

    #[test]
    fn inputs_come_back_and_what_is_wrong_is_named() {
        for tag in [None, Some(&b"tag"[..])] {
            let bytes = write_inputs(&MODEL, tag, &ITEMS);
            assert_eq!(stated_tag(&bytes), tag.map_or(0, <[u8]>::len));
            let batch = read_inputs(&MODEL, LENGTHS, &bytes).unwrap();
            assert_eq!(batch, Batch { tag, items: vec![&ITEMS[0], &ITEMS[1]] });
            let code = |model: &ModelId, bytes: &[u8]| read_inputs(model, LENGTHS, bytes).unwrap_err().code;
            assert_eq!(code(&ModelId([8; 32]), &bytes), ErrorCode::WrongModel);
            assert_eq!(code(&MODEL, &bytes[..20]), ErrorCode::CiphertextInvalid);
            assert_eq!(code(&MODEL, &bytes[..bytes.len() - 1]), ErrorCode::CiphertextInvalid);
            let with = |at: usize, value: u8| {
                let mut changed = bytes.clone();
                changed[at] = value;
                changed
            };
            assert_eq!(code(&MODEL, &with(4, 1)), ErrorCode::FormatVersion);
            assert_eq!(code(&MODEL, &with(KEY_HEADER + 2, 1)), ErrorCode::BatchTooLarge);
            assert_eq!(code(&MODEL, &with(KEY_HEADER, 0)), ErrorCode::CiphertextInvalid);
            assert_eq!(code(&MODEL, &with(KEY_HEADER + 8, 2)), ErrorCode::CiphertextInvalid);
        }
        let untagged = Lengths { tag: 0, ..LENGTHS };
        let error = read_inputs(&MODEL, untagged, &write_inputs(&MODEL, Some(b"tag"), &ITEMS)).unwrap_err();
        assert_eq!(error.code, ErrorCode::CiphertextInvalid);
        assert_eq!(stated_tag(&[255; INPUTS_HEADER - 1]), 0);
    }

    #[test]
    fn answers_come_back_and_what_is_wrong_is_named() {
        let key = [9; 32];
        let bytes = write_answers(&MODEL, &key, Some(b"tag"), &ITEMS);
        let asked = Asked { model: &MODEL, key: &key, rows: 2, tagged: true };
        let batch = read_answers(asked, LENGTHS, &bytes).unwrap();
        assert_eq!(batch, Batch { tag: Some(b"tag"), items: vec![&ITEMS[0], &ITEMS[1]] });
        let code = |asked: Asked<'_>, bytes: &[u8]| read_answers(asked, LENGTHS, bytes).unwrap_err().code;
        assert_eq!(code(Asked { rows: 3, ..asked }, &bytes), ErrorCode::AnswersCount);
        assert_eq!(code(Asked { tagged: false, ..asked }, &bytes), ErrorCode::AnswersCount);
        assert_eq!(code(asked, &write_answers(&MODEL, &key, None, &ITEMS)), ErrorCode::AnswersCount);
        assert_eq!(code(Asked { key: &[8; 32], ..asked }, &bytes), ErrorCode::AnswersKey);
        assert_eq!(code(Asked { model: &ModelId([8; 32]), ..asked }, &bytes), ErrorCode::WrongModel);
        for at in [KEY_HEADER, ANSWERS_HEADER, bytes.len() - 40, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(code(asked, &changed), ErrorCode::AnswersDamaged);
        }
        assert_eq!(code(asked, &bytes[..bytes.len() - 1]), ErrorCode::AnswersDamaged);
        assert_eq!(code(asked, &bytes[..KEY_HEADER]), ErrorCode::AnswersDamaged);
    }

    #[test]
    fn items_of_no_bytes_are_refused() {
        let none = Lengths { each: 0, tag: 3 };
        let bytes = write_inputs(&MODEL, None, &[[0; 0]]);
        assert_eq!(read_inputs(&MODEL, none, &bytes).unwrap_err().code, ErrorCode::CiphertextInvalid);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), each in 1usize..50) {
            let lengths = Lengths { each, tag: 5 };
            let mut framed = Frame::Inputs.header(&MODEL);
            framed.extend_from_slice(&bytes);
            for bytes in [&bytes, &framed] {
                if let Ok(batch) = read_inputs(&MODEL, lengths, bytes) {
                    prop_assert!(batch.items.iter().all(|item| item.len() == each));
                    prop_assert_eq!(&write_inputs(&MODEL, batch.tag, &batch.items), bytes);
                }
            }
            let mut framed = Frame::Answers.header(&MODEL);
            framed.extend_from_slice(&bytes);
            let digest = sha256(&framed);
            framed.extend_from_slice(&digest);
            let asked = Asked { model: &MODEL, key: &NO_KEY, rows: 1, tagged: false };
            for bytes in [&bytes, &framed] {
                if let Ok(batch) = read_answers(asked, lengths, bytes) {
                    prop_assert!(batch.tag.is_none() && batch.items.len() == 1 && batch.items[0].len() == each);
                }
            }
        }
    }
}
