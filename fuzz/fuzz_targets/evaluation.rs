//! Evaluation keys, encrypted rows and encrypted tags from strangers, for a small model of every circuit.
//!
//! Promises: no panic; `key_invalid` or `ciphertext_invalid` for what has not the layout, an answer of the stated length
//! for everything that has.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::Random;
use fhectl_fuzz::toys::{Counter, fill, toy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, how], rest)) = bytes.split_first_chunk() else { return };
    let toy = toy(*choice);
    let circuit = &toy.bundle.spec.circuit;
    let mut random = Random::fresh(&mut Counter(0));
    // As they came, or filled up to what passes for a key or a row.
    let (row, wire);
    let key = if how & 1 == 1 {
        wire = if how & 2 == 2 { fill(rest, circuit.key_bytes()) } else { rest.to_vec() };
        match toy.evaluator.unpack_key(&wire, &mut random) {
            Ok(key) => &{ key },
            Err(error) => {
                assert_eq!(error.code, ErrorCode::KeyInvalid);
                assert!(how & 2 == 0, "{error:?}");
                return;
            }
        }
    } else {
        toy.key()
    };
    if how & 16 == 16 && circuit.tag().is_some() {
        let tag = if how & 32 == 32 { fill(rest, circuit.tag_request_bytes()) } else { rest.to_vec() };
        match toy.evaluator.answer_tag(key, &tag, &mut random) {
            Ok(answer) => assert_eq!(answer.len(), circuit.tag_response_bytes()),
            Err(error) => assert_eq!(error.code, ErrorCode::CiphertextInvalid),
        }
        return;
    }
    row = fill(rest, circuit.request_bytes());
    let rows: &[&[u8]] = match how >> 2 & 3 {
        0 => &[rest],
        1 => &[&row],
        2 => &[&row, rest],
        _ => &[&row, &row],
    };
    match toy.evaluator.evaluate(key, rows, &mut random) {
        Ok(answers) => {
            assert_eq!(answers.len(), rows.len());
            assert!(answers.iter().all(|answer| answer.len() == circuit.response_bytes()));
        }
        // Also where a row has its length: bits of padding may be set.
        Err(error) => assert_eq!(error.code, ErrorCode::CiphertextInvalid),
    }
});
