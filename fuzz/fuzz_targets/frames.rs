//! Framed keys and batches, as both sides read them.
//!
//! Promises: a refusal by its code, never a panic; a batch that is read is what would be written of its items, and holds
//! no more items, each of the length asked for, than are allowed.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::bundle::ModelId;
use fhectl_core::protocol::frame::{
    Asked, Batch, Lengths, MAX_BATCH, NO_KEY, most_items, read_answers, read_inputs, read_key, stated_tag,
    write_answers, write_inputs, write_key,
};
use fhectl_fuzz::toys::toy;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const MODEL: ModelId = ModelId([b'm'; 32]);
const REFUSALS: &[ErrorCode] = &[ErrorCode::CiphertextInvalid, ErrorCode::FormatVersion, ErrorCode::WrongModel, ErrorCode::BatchTooLarge];
const OF_ANSWERS: &[ErrorCode] = &[ErrorCode::AnswersDamaged, ErrorCode::AnswersKey, ErrorCode::AnswersCount];

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, each], message)) = bytes.split_first_chunk() else { return };
    match read_key(&MODEL, message) {
        Ok(body) => assert_eq!(write_key(&MODEL, body), message),
        Err(error) => assert!([ErrorCode::KeyInvalid, ErrorCode::FormatVersion, ErrorCode::WrongModel].contains(&error.code), "{error:?}"),
    }
    let circuit = &toy(*choice).bundle.spec.circuit;
    let most = most_items(circuit);
    assert!(
        (1..=MAX_BATCH).contains(&most) && most * circuit.request_bytes().max(circuit.response_bytes()) <= 64 << 20
    );
    for lengths in [Lengths { each: usize::from(*each), tag: 3 }, Lengths::of_inputs(circuit)] {
        match read_inputs(&MODEL, lengths, message) {
            Ok(batch) => {
                check(&batch, lengths);
                assert_eq!(stated_tag(message), batch.tag.map_or(0, <[u8]>::len));
                assert_eq!(write_inputs(&MODEL, batch.tag, &batch.items), message);
            }
            Err(error) => assert!(REFUSALS.contains(&error.code), "{error:?}"),
        }
    }
    // As they came, and with the digest that belongs to them.
    let digested = [message, &Sha256::digest(message)].concat();
    for message in [message, &digested] {
        for lengths in [Lengths { each: usize::from(*each), tag: 3 }, Lengths::of_answers(circuit)] {
            for (rows, tagged) in [(1, false), (2, true)] {
                match read_answers(Asked { model: &MODEL, key: &NO_KEY, rows, tagged }, lengths, message) {
                    Ok(batch) => {
                        check(&batch, lengths);
                        assert!(batch.items.len() == rows && (tagged || batch.tag.is_none()));
                        assert_eq!(write_answers(&MODEL, &NO_KEY, batch.tag, &batch.items), message);
                    }
                    Err(error) => assert!([REFUSALS, OF_ANSWERS].concat().contains(&error.code), "{error:?}"),
                }
            }
        }
    }
});

fn check(batch: &Batch<'_>, lengths: Lengths) {
    assert!((1..=MAX_BATCH).contains(&batch.items.len()));
    assert!(batch.items.iter().all(|item| item.len() == lengths.each));
    assert!(batch.tag.is_none_or(|tag| tag.len() == lengths.tag));
}
