//! A tag is returned intact where all evaluation keys are the client's own, and not where any of them is another client's.

mod common;

use common::{dense, forest, linear, network, quantizer, tree};
use fhectl_core::bundle::folder;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::tag::TAG_BITS;
use fhectl_core::circuit::tag::client::Tag;
use fhectl_core::circuit::{CircuitKind, CircuitSpec, ClientKey, EvaluationKey, Evaluator, Reveal};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::model::{MapShape, Model, Output, Quantizer};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

/// A circuit and its server's side.
fn planned(kind: CircuitKind, reveal: Reveal, model: Model, quantizer: &Quantizer) -> Evaluator {
    let request = PlanRequest { circuit: Some(kind), reveal, ..PlanRequest::default() };
    let chosen = plan(&model, quantizer, Output::Classes(3), &request).unwrap().remove(0);
    Evaluator::new(&chosen.spec, &model, quantizer).unwrap()
}

/// A small model of every circuit that has an evaluation key.
fn circuits() -> Vec<Evaluator> {
    let (small, few) = (quantizer(6, 16), quantizer(4, 8));
    let planned = |kind, model, quantizer| planned(kind, Reveal::Size, model, quantizer);
    let random = &mut common::random(7);
    let conv = MapShape::Conv { height: 6, width: 5, channels: 1, filters: 3, kernel: [3, 3], stride: 2, padding: 1 };
    let (wide, pixels) = (quantizer(40, 16), quantizer(30, 8));
    let one_layer = network(&wide, &[dense(40, 24), dense(24, 3)], &[-1, 1], random);
    let two_layers = network(&pixels, &[conv, dense(27, 12), dense(12, 3)], &[0, 1, 2, 3], random);
    vec![
        planned(CircuitKind::Linear, Model::Linear(linear(&small, 3, 6, random)), &small),
        planned(CircuitKind::PathCost, Model::Tree(tree(&small, 4, 3, random)), &small),
        planned(CircuitKind::PathCost, Model::Forest(forest(&small, [5, 3, 3], 40, random)), &small),
        planned(CircuitKind::LeafSum, Model::Tree(tree(&small, 3, 3, random)), &small),
        planned(CircuitKind::CmuxForest, Model::Forest(forest(&small, [5, 3, 3], 40, random)), &small),
        planned(CircuitKind::Table, Model::Tree(tree(&few, 3, 3, random)), &few),
        planned(CircuitKind::Network, Model::Network(one_layer), &wide),
        planned(CircuitKind::Network, Model::Network(two_layers), &pixels),
    ]
}

/// Where each kind of key stands in the evaluation key.
fn parts(spec: &CircuitSpec) -> Vec<(&'static str, Range<usize>)> {
    let mut lengths = match spec {
        CircuitSpec::LeafSum(params) => vec![("bootstrap", params.bootstrap.layout().wire_len())],
        CircuitSpec::Network(params) => {
            let mut lengths = vec![("first bootstrap", params.first.bootstrap.layout().wire_len())];
            lengths.extend(params.inner.iter().flat_map(|inner| {
                [
                    ("keyswitch", inner.keyswitch.layout().wire_len()),
                    ("inner bootstrap", inner.stage.bootstrap.layout().wire_len()),
                ]
            }));
            lengths
        }
        _ => Vec::new(),
    };
    let before: usize = lengths.iter().map(|(_, length)| length).sum();
    if spec.rerandomized() {
        lengths.push(("public", spec.key_bytes() - before));
    }
    let mut end = 0;
    let ranges = lengths.into_iter().map(|(name, length)| {
        end += length;
        (name, end - length..end)
    });
    ranges.collect()
}

/// One tag there and back; tells whether it came back as it was sent.
fn comes_back(evaluator: &Evaluator, client: &ClientKey, key: &EvaluationKey) -> bool {
    let spec = evaluator.spec();
    let tag = Tag::draw(spec, &mut OsEntropy).unwrap();
    let request = tag.encrypt(client, &mut OsEntropy);
    assert_eq!(request.len(), spec.tag_request_bytes());
    let answer = evaluator.answer_tag(key, &request, &mut Random::fresh(&mut OsEntropy)).unwrap();
    assert_eq!(answer.len(), spec.tag_response_bytes());
    assert!(!tag.is_answered_by(client, &answer[1..]), "{}: an answer that is too short", spec.kind());
    let another = Tag::draw(spec, &mut OsEntropy).unwrap();
    assert!(!another.is_answered_by(client, &answer), "{}: the answer to another tag", spec.kind());
    tag.is_answered_by(client, &answer)
}

#[test]
fn a_wrong_key_of_any_kind_is_seen_and_the_right_ones_are_not() {
    for evaluator in circuits() {
        let spec = evaluator.spec();
        let mut random = Random::fresh(&mut OsEntropy);
        let mut unpack = |wire: &[u8]| evaluator.unpack_key(wire, &mut random).unwrap();
        let [own, other] = [(); 2].map(|()| ClientKey::generate(spec, &mut OsEntropy));
        let [own_wire, other_wire] = [&own, &other].map(|key| key.evaluation_key(spec, &mut OsEntropy));
        let key = unpack(&own_wire);
        for _ in 0..25 {
            assert!(comes_back(&evaluator, &own, &key), "{}: its own keys", spec.kind());
        }
        assert!(!comes_back(&evaluator, &own, &unpack(&other_wire)), "{}: another client's keys", spec.kind());
        let parts = parts(spec);
        assert!(!parts.is_empty() && parts.last().unwrap().1.end == own_wire.len());
        for (name, range) in parts {
            let mut mixed = own_wire.clone();
            mixed[range.clone()].copy_from_slice(&other_wire[range]);
            assert!(!comes_back(&evaluator, &own, &unpack(&mixed)), "{}: {name} key of another", spec.kind());
        }
        let layout = spec.tag().unwrap();
        assert!(layout.symbols() as u32 * layout.symbol_bits >= TAG_BITS);
    }
}

#[test]
fn a_public_model_has_tags_only_where_it_has_keys() {
    let small = quantizer(6, 16);
    let model = || Model::Tree(tree(&small, 3, 3, &mut common::random(5)));
    let keyless = planned(CircuitKind::PathCost, Reveal::Model, model(), &small);
    let spec = keyless.spec();
    assert!(Tag::draw(spec, &mut OsEntropy).is_none());
    assert_eq!((spec.tag_request_bytes(), spec.tag_response_bytes()), (0, 0));
    let key = keyless.unpack_key(&[], &mut common::random(1)).unwrap();
    assert_eq!(keyless.answer_tag(&key, &[], &mut common::random(1)).unwrap_err().code, ErrorCode::CiphertextInvalid);

    let keyed = planned(CircuitKind::LeafSum, Reveal::Model, model(), &small);
    let client = ClientKey::generate(keyed.spec(), &mut OsEntropy);
    let wire = client.evaluation_key(keyed.spec(), &mut OsEntropy);
    let key = keyed.unpack_key(&wire, &mut common::random(1)).unwrap();
    assert!(comes_back(&keyed, &client, &key));
}

/// A key without a public key would give answers that are neither re-randomized nor flooded.
#[test]
fn a_key_that_another_model_accepted_is_refused() {
    let small = quantizer(6, 16);
    let model = || Model::Linear(linear(&small, 3, 6, &mut common::random(4)));
    let public = planned(CircuitKind::Linear, Reveal::Model, model(), &small);
    let without = public.unpack_key(&[], &mut common::random(1)).unwrap();
    let mut others: Vec<EvaluationKey> = vec![without];
    for evaluator in circuits() {
        let spec = evaluator.spec();
        let own = ClientKey::generate(spec, &mut OsEntropy).evaluation_key(spec, &mut OsEntropy);
        let own = evaluator.unpack_key(&own, &mut common::random(1)).unwrap();
        let row = vec![0; spec.request_bytes()];
        let tag = vec![0; spec.tag_request_bytes()];
        let random = &mut common::random(2);
        for other in &others {
            let refused = evaluator.evaluate(other, &[&row], random).unwrap_err();
            assert_eq!(refused.code, ErrorCode::KeyMissing, "{}", spec.kind());
            let refused = evaluator.answer_tag(other, &tag, random).unwrap_err();
            assert_eq!(refused.code, ErrorCode::KeyMissing, "{}", spec.kind());
        }
        evaluator.evaluate(&own, &[&row], random).unwrap();
        evaluator.answer_tag(&own, &tag, random).unwrap();
        others.push(own);
    }
}

#[test]
fn a_tag_of_any_other_length_is_refused() {
    for evaluator in circuits() {
        let spec = evaluator.spec();
        let client = ClientKey::generate(spec, &mut OsEntropy);
        let wire = client.evaluation_key(spec, &mut OsEntropy);
        let key = evaluator.unpack_key(&wire, &mut common::random(1)).unwrap();
        let request = Tag::draw(spec, &mut OsEntropy).unwrap().encrypt(&client, &mut OsEntropy);
        for bad in [&request[1..], &[&request[..], &[0]].concat(), &[]] {
            let refused = evaluator.answer_tag(&key, bad, &mut common::random(2)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::CiphertextInvalid, "{}", spec.kind());
        }
    }
}

#[test]
fn tags_of_the_committed_models_come_back() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model")).unwrap();
    let mut seen = 0;
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.join("server.zip").exists()) {
        let bundle = folder::read_server(&folder).unwrap();
        let spec = &bundle.spec.circuit;
        let begun = Instant::now();
        let Some(layout) = spec.tag() else { continue };
        let found = begun.elapsed().as_secs_f64();
        let evaluator = Evaluator::new(spec, &bundle.server.model, &bundle.spec.quantizer).unwrap();
        let client = ClientKey::generate(spec, &mut OsEntropy);
        let key = client.evaluation_key(spec, &mut OsEntropy);
        let key = evaluator.unpack_key(&key, &mut Random::fresh(&mut OsEntropy)).unwrap();
        let begun = Instant::now();
        for _ in 0..3 {
            assert!(comes_back(&evaluator, &client, &key), "{}", folder.display());
        }
        println!(
            "{}: {} symbols of {} bits, {} look-ups; {} bytes and {} back ({} and {} a row), {:.1} ms; laid out in {:.1} us",
            bundle.spec.name,
            layout.symbols(),
            layout.symbol_bits,
            layout.look_ups,
            spec.tag_request_bytes(),
            spec.tag_response_bytes(),
            spec.request_bytes(),
            spec.response_bytes(),
            begun.elapsed().as_secs_f64() / 3.0 * 1e3,
            found * 1e6,
        );
        seen += 1;
    }
    assert!(seen >= 8, "{seen} committed models");
}
