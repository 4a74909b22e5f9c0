//! Answers of a hostile server, decrypted by a client of a small model of every circuit.
//!
//! Promises: no panic; scores in the number and range that the model has, or `ciphertext_invalid` or `answer_invalid`. And
//! the same of a damaged file of secret keys.
#![no_main]

use fhectl_core::bundle::Predicted;
use fhectl_core::error::ErrorCode;
use fhectl_core::circuit::tag::client::Tag;
use fhectl_core::circuit::{ClientKey, decode};
use fhectl_fuzz::toys::{Counter, fill, toy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, how], rest)) = bytes.split_first_chunk() else { return };
    let toy = toy(*choice);
    let spec = &toy.bundle.spec;
    if let Err(error) = ClientKey::read(&spec.circuit, rest) {
        assert_eq!(error.code, ErrorCode::KeyFileInvalid);
    }
    if let Some(tag) = Tag::draw(&spec.circuit, &mut Counter(0)) {
        // Nothing that a fuzzer finds is the answer to 40 random bits.
        assert!(!tag.is_answered_by(&toy.secret, &fill(rest, spec.circuit.tag_response_bytes())));
        assert!(!tag.is_answered_by(&toy.secret, rest));
    }
    let filled = fill(rest, spec.circuit.response_bytes());
    match decode(&spec.circuit, &toy.secret, if how & 1 == 1 { &filled } else { rest }) {
        Ok(scores) => {
            assert_eq!(scores.values().len(), toy.bundle.server.model.scores(&vec![0; spec.features.len()]).len());
            assert!(spec.class_scores(scores.values()).iter().all(|score| score.is_finite()));
            match spec.predict(scores.values()) {
                Predicted::Class(class) => assert!(class < spec.classes.len()),
                Predicted::Value(value) => assert!(value.is_finite()),
            }
        }
        // Of the right length too: bits of padding may be set.
        Err(error) => assert!([ErrorCode::CiphertextInvalid, ErrorCode::AnswerInvalid].contains(&error.code), "{error:?}"),
    }
});
