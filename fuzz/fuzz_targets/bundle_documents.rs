//! Bundles whose zip files and id are right and whose documents are anything: a line of `client.json`, a line of
//! `model.json`.
//!
//! Promises: what `read` takes can be used. No panic and no arithmetic that overflows in whatever a client, a server or
//! `inspect` then does with it; sizes within stated bounds; all else is refused by its code.
#![no_main]

use fhectl_core::bundle::{Predicted, ClientBundle, ClientSpec, ServerBundle};
use fhectl_core::circuit::{ClientKey, Evaluator, decode, encode};
use fhectl_core::error::{Error, ErrorCode};
use fhectl_core::fhe::Random;
use fhectl_core::protocol::frame::{Asked, Lengths, NO_KEY, most_items, read_answers, write_answers};
use fhectl::report::facts::facts;
use fhectl_fuzz::documents::{mutate, zips};
use fhectl_fuzz::toys::Counter;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

/// The most bytes of keys and ciphertexts that are made and computed with here: enough for every kind of circuit.
const WORK: usize = 1 << 18;
/// The largest key, request and answer that parameters may ask for.
const MOST: [usize; 3] = [(1 << 30) + (1 << 26), (1 << 29) + 16, 1 << 30];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (client_json, model_json) = text.trim_end().split_once('\n').unwrap_or((text, "{}"));
    let (client_zip, server_zip) = zips(client_json, model_json);
    match ClientBundle::read(&client_zip) {
        Ok(bundle) => client(&bundle),
        Err(error) => refused(&error),
    }
    match ServerBundle::read(&server_zip) {
        Ok(bundle) => server(&bundle),
        Err(error) => refused(&error),
    }
});

fn refused(error: &Error) {
    let known = [ErrorCode::BundleInvalid, ErrorCode::BundleFormat, ErrorCode::ModelInvalid, ErrorCode::ParametersInvalid, ErrorCode::NameInvalid];
    assert!(known.contains(&error.code), "{error:?}");
}

/// What a client does with a model.
fn client(bundle: &ClientBundle) {
    let (spec, circuit) = (&bundle.spec, &bundle.spec.circuit);
    facts(spec);
    let sizes = [circuit.key_bytes(), circuit.request_bytes(), circuit.response_bytes()];
    assert!(sizes.iter().zip(MOST).all(|(size, most)| *size <= most), "{sizes:?}");
    assert!(circuit.unpacked_key_bytes() <= 3 << 30);
    let rows = rows(spec);
    let [key, request, response] = sizes.map(|size| size <= WORK);
    let mut entropy = Counter(0);
    let secret = ClientKey::generate(circuit, &mut entropy);
    if key {
        assert_eq!(secret.evaluation_key(circuit, &mut entropy).len(), circuit.key_bytes());
    }
    if request {
        let encrypted = encode(circuit, &spec.quantizer, &secret, &rows[0], &mut entropy);
        assert_eq!(encrypted.len(), circuit.request_bytes());
    }
    if response {
        let framed = write_answers(&bundle.id, &NO_KEY, None, &[vec![0; circuit.response_bytes()]]);
        assert!(most_items(circuit) > 0);
        let asked = Asked { model: &bundle.id, key: &NO_KEY, rows: 1, tagged: false };
        for answer in read_answers(asked, Lengths::of_answers(circuit), &framed).unwrap().items {
            match decode(circuit, &secret, answer) {
                Ok(scores) => {
                    spec.class_scores(scores.values());
                    if let Predicted::Class(class) = spec.predict(scores.values()) {
                        assert!(class < spec.classes.len());
                    }
                }
                Err(error) => assert_eq!(error.code, ErrorCode::AnswerInvalid),
            }
        }
    }
}

/// Quantized rows: of the lowest and the highest numbers, and of some between.
fn rows(spec: &ClientSpec) -> Vec<Vec<u32>> {
    let rows = [f64::MIN, f64::MAX, 0.0, 5e-324, -1.0, 1.6].map(|value| vec![value; spec.row_width()]);
    let quantized = rows.iter().map(|row| match spec.quantize(row) {
        Ok(row) => row,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::RowValue);
            vec![0; spec.features.len()]
        }
    });
    let quantized: Vec<Vec<u32>> = quantized.collect();
    assert!(quantized.iter().all(|row| row.iter().zip(&spec.quantizer.features).all(|(q, rule)| *q < rule.levels())));
    quantized
}

/// What a server does with a model.
fn server(bundle: &ServerBundle) {
    let (spec, circuit) = (&bundle.spec, &bundle.spec.circuit);
    assert!(ClientBundle::read(&bundle.client_zip()).is_ok_and(|client| client.id == bundle.id));
    for row in rows(spec) {
        assert!(!bundle.server.model.scores(&row).is_empty());
    }
    let evaluator = match Evaluator::new(circuit, &bundle.server.model, &spec.quantizer) {
        Ok(evaluator) => evaluator,
        Err(error) => return assert!([ErrorCode::ModelInvalid, ErrorCode::CircuitUnfit].contains(&error.code), "{error:?}"),
    };
    let [key, request, response] = [circuit.key_bytes(), circuit.request_bytes(), circuit.response_bytes()];
    if key.max(request).max(response).max(circuit.unpacked_key_bytes()) <= WORK && circuit.cmuxes() <= 1 << 8 {
        let mut random = Random::fresh(&mut Counter(0));
        let key = evaluator.unpack_key(&vec![0; key], &mut random).unwrap();
        let answers = evaluator.evaluate(&key, &[&vec![0; request]], &mut random).unwrap();
        assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [response]);
    }
}
