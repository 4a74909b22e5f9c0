//! Framed keys and batches, as both sides read them.
//!
//! Promises: a refusal by its code, never a panic; a batch that is read is what would be written of its items, and holds
//! no more items, each of the length asked for, than are allowed.
#![no_main]

use fhectl::bundle::ModelId;
use fhectl::protocol::frame::{Frame, MAX_BATCH, most_items, read_batch, read_key, write_batch, write_key};
use fhectl_fuzz::toys::toy;
use libfuzzer_sys::fuzz_target;

const MODEL: ModelId = ModelId([b'm'; 32]);

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, each], message)) = bytes.split_first_chunk() else { return };
    match read_key(&MODEL, message) {
        Ok(body) => assert_eq!(write_key(&MODEL, body), message),
        Err(error) => assert!(["key_invalid", "format_version", "wrong_model"].contains(&error.code), "{error:?}"),
    }
    let circuit = &toy(*choice).bundle.spec.circuit;
    let most = most_items(circuit);
    assert!(
        (1..=MAX_BATCH).contains(&most) && most * circuit.request_bytes().max(circuit.response_bytes()) <= 64 << 20
    );
    for (frame, own) in [(Frame::Inputs, circuit.request_bytes()), (Frame::Answers, circuit.response_bytes())] {
        for each in [usize::from(*each), own] {
            match read_batch(frame, &MODEL, each, message) {
                Ok(items) => {
                    assert!((1..=MAX_BATCH).contains(&items.len()) && items.iter().all(|item| item.len() == each));
                    assert_eq!(write_batch(frame, &MODEL, &items), message);
                }
                Err(error) => {
                    let known = ["ciphertext_invalid", "format_version", "wrong_model", "batch_too_large"];
                    assert!(known.contains(&error.code), "{error:?}");
                }
            }
        }
    }
});
