use super::*;
use crate::circuit::Reveal;
use crate::circuit::plan::{PlanRequest, plan};
use crate::error::ErrorCode;
use crate::model::{ClassNode, FeatureQuantizer, IntegerTree, Model, Output, Quantizer};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn specs() -> (ClientSpec, ServerSpec) {
    let feature = FeatureQuantizer::Edges { edges: vec![0.25, 1.5, 3.0] };
    let quantizer = Quantizer { features: vec![feature.clone(), feature] };
    let model = Model::Tree(
        IntegerTree::new(
            2,
            vec![
                ClassNode::Split { feature: 0, threshold: 2, low: 1, high: 2 },
                ClassNode::leaf(0),
                ClassNode::leaf(1),
            ],
        )
        .unwrap(),
    );
    let chosen = plan(&model, &quantizer, Output::Classes(2), &PlanRequest::default()).unwrap().remove(0);
    let client = ClientSpec {
        format: FORMAT,
        name: "tiny".into(),
        kind: "tree".into(),
        features: vec!["a".into(), "b".into()],
        target: "y".into(),
        classes: vec!["no".into(), "yes".into()],
        input: None,
        preprocessing: Vec::new(),
        quantizer,
        circuit: chosen.spec,
        reveal: Reveal::Size,
        p_fail_log2: chosen.guarantees.p_fail_log2,
        flooding_log2: chosen.guarantees.flooding_log2,
        security_bits: 132,
        score_scale: None,
        score_offset: None,
        score_unit: ScoreUnit::Logit,
        head: None,
        evaluation: None,
    };
    let quality = Quality::Accuracy { float_accuracy: 1.0, quantized_accuracy: 1.0, simulated_accuracy: None };
    let metrics = Metrics { train_rows: 3, test_rows: 1, quality };
    (client, ServerSpec { format: FORMAT, salt: "00".into(), model, metrics })
}

#[test]
fn scores_of_classes_are_told_in_their_unit() {
    let (client, _) = specs();
    assert!(!serde_json::to_string(&client).unwrap().contains("score_unit"), "bundles without a unit stay as they are");
    let told = |score_scale, score_unit, scores: &[i64]| {
        let spec = ClientSpec { score_scale, score_unit, ..client.clone() };
        let again: ClientSpec = serde_json::from_str(&serde_json::to_string(&spec).unwrap()).unwrap();
        again.class_scores(scores)
    };
    assert_eq!(told(None, ScoreUnit::Logit, &[1, 0]), [1.0, 0.0]);
    assert_eq!(told(Some(0.5), ScoreUnit::Share, &[1]), [0.25, 0.75]);
    assert_eq!(told(Some(0.25), ScoreUnit::Share, &[1, 1, 2]), [0.25, 0.25, 0.5]);
    assert_eq!(told(Some(0.5), ScoreUnit::Margin, &[-3]), [1.5, -1.5]);
    assert_eq!(told(Some(1.0), ScoreUnit::Logit, &[0]), [0.5, 0.5]);
    let logits = told(Some(3f64.ln()), ScoreUnit::Logit, &[0, 1]);
    assert!((logits[0] - 0.25).abs() < 1e-12 && (logits[1] - 0.75).abs() < 1e-12, "{logits:?}");
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(CompressionMethod::Deflated, entries)
}

fn zip_with(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn both_halves_come_back_and_belong_together() {
    let (client, server) = specs();
    let (client_zip, server_zip) = pack(&client, &server).unwrap();
    assert_eq!(pack(&client, &server).unwrap(), (client_zip.clone(), server_zip.clone()), "not deterministic");
    let read_client = ClientBundle::read(&client_zip).unwrap();
    let read_server = ServerBundle::read(&server_zip).unwrap();
    assert_eq!(read_client.spec, client);
    assert_eq!(read_server.server, server);
    assert_eq!(read_client.id, read_server.id);
    assert_eq!(read_server.client_zip(), client_zip);
}

#[test]
fn entries_are_read_as_other_tools_pack_them_and_only_once() {
    let (client, _) = specs();
    let (json, id) = (to_json(&client), "0".repeat(64));
    let entries = [("id", id.as_bytes()), ("client.json", json.as_bytes())];
    let stored = zip_with(CompressionMethod::Stored, &entries);
    assert_eq!(ClientBundle::read(&stored).unwrap().spec, client);
    // Two entries of one name: which one counts is not left to chance.
    let mut twice = zip_with(CompressionMethod::Stored, &[entries[0], entries[1], ("ID", b"1")]);
    for at in 0..twice.len() - 1 {
        if twice[at..].starts_with(b"ID") {
            twice[at..at + 2].copy_from_slice(b"id");
        }
    }
    assert!(ClientBundle::read(&twice).unwrap_err().message.contains("two entries"));
    let missing = zip_of(&entries[1..]);
    assert!(ClientBundle::read(&missing).unwrap_err().message.contains("there is none"));
}

/// What other tools would read in another way.
#[test]
fn what_contradicts_itself_or_hides_something_is_refused() {
    let (client, server) = specs();
    let (zip, _) = pack(&client, &server).unwrap();
    let refused = |bytes: &[u8]| ClientBundle::read(bytes).unwrap_err().message;
    assert!(refused(&[&zip[..], b"more"].concat()).contains("4 bytes after its end"));
    let find = |signature: &[u8]| zip.windows(4).position(|four| four == signature).unwrap();
    let with = |at: usize, value: u8| {
        let mut changed = zip.clone();
        changed[at] = value;
        changed
    };
    // The flags of the first entry of the central directory: bit 0 is encryption, bit 6 the strong kind.
    let flags = find(b"PK\x01\x02") + 8;
    for bit in [1, 1 << 6] {
        assert!(refused(&with(flags, zip[flags] | bit)).contains("is encrypted"));
    }
    // The counts of entries, of this disk and of all, at the end.
    let end = find(b"PK\x05\x06");
    for counted in [1, 3] {
        let mut changed = with(end + 8, counted);
        changed[end + 10] = counted;
        assert!(refused(&changed).contains("by its own count"), "{counted}");
    }
}

#[test]
fn what_people_take_for_a_bundle_is_told_by_name() {
    let told = |bytes: &[u8], what: &str, hint: &str| {
        let error = ServerBundle::read(bytes).unwrap_err();
        assert_eq!(error.code, ErrorCode::BundleInvalid);
        assert!(error.message.contains(what) && error.hint.as_ref().unwrap().contains(hint), "{error:?}");
    };
    for entry in ["circuit.mlir", "client.specs.json"] {
        told(&zip_of(&[(entry, b"{}"), ("versions.json", b"{}")]), "Concrete ML", "fhectl create import");
    }
    told(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer", "git lfs pull");
    told(&zip_of(&[("[Content_Types].xml", b"<x/>")]), "Office document", "client.zip");
    told(b"<!DOCTYPE html><html>", "web page", "downloaded");
    told(&zip_of(&[("mine.txt", b"x")]), "unexpected entry `mine.txt`", "fhectl create");
    told(b"nothing", "not a readable zip archive", "fhectl create");
}

#[test]
fn the_clients_half_says_nothing_of_the_tree() {
    let (client, server) = specs();
    let (client_zip, _) = pack(&client, &server).unwrap();
    let mut other = server.clone();
    // The same shape with another threshold and feature: only the id may differ.
    other.model = Model::Tree(
        IntegerTree::new(
            2,
            vec![
                ClassNode::Split { feature: 1, threshold: 1, low: 1, high: 2 },
                ClassNode::leaf(0),
                ClassNode::leaf(1),
            ],
        )
        .unwrap(),
    );
    let (other_zip, _) = pack(&client, &other).unwrap();
    let (ours, theirs) = (ClientBundle::read(&client_zip).unwrap(), ClientBundle::read(&other_zip).unwrap());
    assert_eq!(ours.spec, theirs.spec);
    assert_ne!(ours.id, theirs.id);
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let (client, server) = specs();
    let newer = to_json(&client).replacen("\"format\":2", "\"format\":3", 1);
    let bytes = zip_of(&[("client.json", newer.as_bytes()), ("id", "0".repeat(64).as_bytes())]);
    assert_eq!(ClientBundle::read(&bytes).unwrap_err().code, ErrorCode::BundleFormat);
    let newer = to_json(&server).replacen("\"format\":2", "\"format\":3", 1);
    let client_json = to_json(&client);
    let bytes = zip_of(&[
        ("client.json", client_json.as_bytes()),
        ("id", "0".repeat(64).as_bytes()),
        ("model.json", newer.as_bytes()),
    ]);
    let error = ServerBundle::read(&bytes).unwrap_err();
    assert_eq!(error.code, ErrorCode::BundleFormat);
    assert!(error.hint.is_some());
}

#[test]
fn a_bomb_a_climbing_path_and_strangers_are_refused() {
    let bomb = zip_of(&[("client.json", &vec![b' '; 65 << 20]), ("id", b"0")]);
    assert!(bomb.len() < 1 << 20);
    let error = ClientBundle::read(&bomb).unwrap_err();
    assert!(error.code == ErrorCode::BundleInvalid && error.message.contains("inflates"), "{error:?}");
    for (name, what) in [
        ("../../etc/passwd", "climbs"),
        ("/etc/passwd", "climbs"),
        ("extra.txt", "unexpected"),
        ("circuit.mlir", "Concrete ML"),
    ] {
        let bytes = zip_of(&[("client.json", b"{}"), ("id", b"0"), (name, b"x")]);
        let error = ClientBundle::read(&bytes).unwrap_err();
        assert!(error.message.contains(what), "{error:?}");
    }
    let many: Vec<String> = (0..40).map(|i| format!("f{i}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert!(ClientBundle::read(&zip_of(&many)).unwrap_err().message.contains("40 entries"));
}

#[test]
fn damage_anywhere_is_an_error_and_never_a_panic() {
    let (client, server) = specs();
    let (_, bytes) = pack(&client, &server).unwrap();
    for cut in (0..bytes.len()).step_by(7) {
        assert!(ServerBundle::read(&bytes[..cut]).is_err());
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        // Zip metadata has bits without meaning; content that is read must be the content that was written.
        if let Ok(read) = ServerBundle::read(&flipped) {
            assert_eq!(read.server, server);
            assert_eq!(read.spec, client);
        }
    }
}

#[test]
fn an_edited_model_no_longer_has_its_id() {
    let (client, server) = specs();
    let (client_json, mut model) = (to_json(&client), server.clone());
    let id = ModelId::of(&client_json, &to_json(&server)).to_string();
    model.salt = "11".into();
    let model_json = to_json(&model);
    let entries =
        [("client.json", client_json.as_bytes()), ("id", id.as_bytes()), ("model.json", model_json.as_bytes())];
    assert!(ServerBundle::read(&zip_of(&entries)).unwrap_err().message.contains("id"));
}

#[test]
fn an_id_is_64_hexadecimal_digits() {
    let id: ModelId = "0f".repeat(32).parse().unwrap();
    assert_eq!(id.to_string(), "0f".repeat(32));
    for bad in ["".into(), "0f".repeat(31), "+f".repeat(32), "-0".repeat(32), " f".repeat(32), "é".repeat(32)] {
        assert_eq!(bad.parse::<ModelId>().unwrap_err().code, ErrorCode::BundleInvalid, "{bad}");
    }
}

#[test]
fn an_older_format_says_to_make_the_model_again() {
    let (client, _) = specs();
    let older = to_json(&client).replacen("\"format\":2", "\"format\":1", 1);
    let bytes = zip_of(&[("client.json", older.as_bytes()), ("id", "0".repeat(64).as_bytes())]);
    let error = ClientBundle::read(&bytes).unwrap_err();
    assert_eq!(error.code, ErrorCode::BundleFormat);
    assert!(error.hint.unwrap().contains("fhectl create"));
}

#[test]
fn a_failure_rate_is_accepted_up_to_what_the_client_says() {
    let (client, _) = specs();
    client.check_failure(-128.0).unwrap();
    let raised = ClientSpec { p_fail_log2: Some(-40.0), ..client.clone() };
    let refused = |spec: &ClientSpec, accepted| spec.check_failure(accepted).map_err(|error| error.code);
    assert_eq!(refused(&raised, -128.0), Err(ErrorCode::FailureRate));
    assert_eq!(refused(&raised, -40.0), Ok(()));
    // What a bundle says of itself does not count where its parameters cannot keep it.
    let mut lying = client.clone();
    match &mut lying.circuit {
        crate::circuit::CircuitSpec::PathCost(params) => params.response_bits = 7,
        other => panic!("{other:?}"),
    }
    assert_eq!(refused(&lying, -128.0), Err(ErrorCode::FailureRate));
    // Nor does one that says nothing of it.
    let silent = ClientSpec { p_fail_log2: None, ..client };
    assert_eq!(refused(&silent, -128.0), Err(ErrorCode::FailureRate));
    assert_eq!(silent.check().unwrap_err().code, ErrorCode::BundleInvalid);
}
