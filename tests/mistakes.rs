//! Bad input through the real binary: an error with a code and a hint, exit code 1, no lost files, no panic.

mod common;
#[path = "common/process.rs"]
mod process;

use fhectl_core::bundle::{self, ClientSpec, folder::read_server};
use fhectl_core::circuit::CircuitSpec;
use fhectl_core::client::ClientModel;
use fhectl_core::error::ErrorCode;
use fhectl_core::model::Model;
use process::{Serving, folder, mistake, run, stderr, succeed};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name)
}

fn zip_of(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn bundles() {
    let (_folder, at) = folder();
    fs::create_dir_all(at("bomb")).unwrap();
    fs::write(at("bomb/client.zip"), zip_of(&[("client.json", vec![b' '; 80 << 20]), ("id", vec![b'0'; 64])])).unwrap();
    assert!(mistake("bundle_invalid", &["inspect", &at("bomb")]).contains("inflates"));
    mistake("bundle_invalid", &["play", &at("bomb"), "--url", "http://127.0.0.1:9", "--keys", &at("keys")]);
    fs::write(at("climb.zip"), zip_of(&[("client.json", vec![b'{']), ("id", vec![]), ("../../evil", vec![b'x'])]))
        .unwrap();
    assert!(mistake("bundle_invalid", &["inspect", &at("climb.zip")]).contains("climbs"));
    assert!(!Path::new(&at("../evil")).exists());

    // A server.zip of a newer format.
    let server = fs::read(committed("tree-spam/server.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(server)).unwrap();
    let mut entries = Vec::new();
    for name in ["client.json", "id", "model.json"] {
        let text = std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
        entries.push((name, text.replacen("\"format\":2", "\"format\":3", 1).into_bytes()));
    }
    fs::create_dir_all(at("newer")).unwrap();
    fs::write(at("newer/server.zip"), zip_of(&entries)).unwrap();
    // A model whose weights carry the noise of questions into answers, under parameters that look harmless to a client.
    let linear = read_server(&committed("linreg-diabetes")).unwrap();
    let (mut spec, mut server) = (linear.spec.clone(), linear.server.clone());
    let (CircuitSpec::Linear(params), Model::Linear(model)) = (&mut spec.circuit, &mut server.model) else { panic!() };
    (params.step_log2, params.input_bits, params.response_bits, params.noise_flooding) = (27, 64, 64, Some(1));
    model.weights[0][0] = 1 << 24;
    spec.check_failure(-128.0).unwrap();
    // A model that says itself that one of 2^40 answers may be wrong: only whoever accepts that gets a client for it.
    let raised =
        bundle::pack(&ClientSpec { p_fail_log2: Some(-40.0), ..linear.spec.clone() }, &linear.server).unwrap().0;
    assert_eq!(ClientModel::read(&raised).unwrap_err().code, ErrorCode::FailureRate);
    assert_eq!(ClientModel::read_accepting(&raised, -41.0).unwrap_err().code, ErrorCode::FailureRate);
    ClientModel::read_accepting(&raised, -40.0).unwrap();
    fs::write(at("raised.zip"), &raised).unwrap();
    mistake("failure_rate", &["play", &at("raised.zip"), "--url", "http://127.0.0.1:9", "--keys", &at("keys")]);
    fs::create_dir_all(at("heavy")).unwrap();
    fs::write(at("heavy/server.zip"), bundle::pack(&spec, &server).unwrap().1).unwrap();
    mistake("failure_rate", &["serve", &at("heavy"), "--listen", "127.0.0.1:0", "--store", &at("store")]);
    mistake("bundle_format", &["serve", &at("newer"), "--listen", "127.0.0.1:0", "--store", &at("store")]);

    // Halves of two models in one folder.
    fs::create_dir_all(at("mixed")).unwrap();
    fs::copy(committed("tree-spam/client.zip"), at("mixed/client.zip")).unwrap();
    fs::copy(committed("logreg-synthetic/server.zip"), at("mixed/server.zip")).unwrap();
    mistake("bundle_mixed", &["serve", &at("mixed"), "--listen", "127.0.0.1:0", "--store", &at("store")]);

    assert!(mistake("model_unknown", &["play", "no-such-model"]).contains("tree-spam"));
    mistake("model_unknown", &["inspect", "no-such-model"]);
}

#[test]
fn servers() {
    let (_folder, at) = folder();
    mistake("url_invalid", &["play", "tree-spam", "--url", "127.0.0.1:8000", "--keys", &at("keys")]);

    let server = Serving::start(Path::new(&at("store")), &[]);
    mistake("port_in_use", &["serve", "--listen", &server.address(), "--store", &at("store")]);
    fs::write(at("file"), "").unwrap();
    mistake("store_unwritable", &["serve", "--listen", "127.0.0.1:0", "--store", &at("file/below")]);
    mistake("models_missing", &["serve", "--models", &at("nothing"), "--store", &at("store")]);
    mistake("store_unsupported", &["serve", "--listen", "127.0.0.1:0", "--store", "gs://bucket/keys"]);

    // A server whose `tree-spam` is another model than the client's.
    succeed(&["create", "tree", "--max-depth", "3", "--name", "tree-spam", "--out", &at("models")]);
    let other = Serving::start(Path::new(&at("store2")), &["--models", &at("models")]);
    mistake("wrong_model", &["play", "tree-spam", "--url", &other.url, "--keys", &at("keys")]);
    // Its own clients are served.
    succeed(&[
        "play",
        "tree-spam",
        "--url",
        &other.url,
        "--models",
        &at("models"),
        "--keys",
        &at("keys"),
        "--samples",
        "1",
    ]);
}

#[test]
fn tokens() {
    let (_folder, at) = folder();
    fs::write(at("tokens"), "# let in\ncorrect-horse-battery-staple\n").unwrap();
    let server = Serving::start(Path::new(&at("store")), &["--token-file", &at("tokens")]);
    let play = ["play", "tree-spam", "--samples", "1", "--url", &server.url, "--keys", &at("keys")];
    mistake("unauthorized", &play);
    let wrong = mistake("unauthorized", &[&play[..], &["--token", "wrong-horse"]].concat());
    assert!(!wrong.contains("wrong-horse") && !wrong.contains("correct-horse"));
    succeed(&[&play[..], &["--token", "correct-horse-battery-staple"]].concat());
    fs::write(at("empty"), "# nobody\n").unwrap();
    mistake("token_file", &["serve", "--listen", "127.0.0.1:0", "--store", &at("store"), "--token-file", &at("empty")]);
}

#[test]
fn tables() {
    let (_folder, at) = folder();
    let create = |code: &str, text: &str| {
        fs::write(at("t.csv"), text).unwrap();
        mistake(code, &["create", "tree", "--data", &at("t.csv"), "--out", &at("models"), "--min-leaf", "1"])
    };
    let cell = create("csv_cell", "a,b,y\n1,2,no\n3,x,yes\n4,5,no\n5,6,yes\n");
    assert!(cell.contains("row 2") && cell.contains("`b`") && cell.contains("`x`"), "{cell}");
    create("csv_columns", "a,b,y\n,,no\n,,yes\n,,no\n,,yes\n");
    create("csv_header", "1.5,2,no\n3,4,yes\n");
    create("one_class", "a,y\n1,no\n2,no\n3,no\n");
    create("constant_features", "a,y\n1,no\n1,yes\n1,no\n1,yes\n1,no\n1,yes\n1,no\n1,yes\n");
    create("csv_empty", "");
    mistake(
        "csv_target",
        &["create", "tree", "--data", "datasets/iris.csv", "--target", "colour", "--out", &at("models")],
    );
    mistake("data_unknown", &["create", "tree", "--data", "spamm", "--out", &at("models")]);
    mistake("data_missing", &["create", "mlp", "--datasets", &at("nowhere"), "--out", &at("models")]);
    mistake("name_invalid", &["create", "tree", "--name", "../up", "--out", &at("models")]);
    mistake("circuit_unfit", &["create", "tree", "--circuit", "linear", "--out", &at("models")]);
    assert!(!Path::new(&at("models")).exists(), "a refused model left a folder behind");

    fs::write(at("rows.csv"), "make,address\n0,0\n").unwrap();
    let columns = mistake("csv_columns", &["predict", "tree-spam", "--input", &at("rows.csv"), "--keys", &at("keys")]);
    assert!(columns.contains("all"), "{columns}");
    mistake("output_unwritable", &["play", "tree-spam", "--export-json", &at("no/such/f.json"), "--keys", &at("keys")]);
}

#[test]
fn networks() {
    let (_folder, at) = folder();
    let create = |code: &str, arguments: &[&str]| {
        mistake(code, &[&["create"], arguments, &["--out", &at("models"), "--epochs", "1"]].concat())
    };
    let size = create("image_size", &["cnn", "--data", "digits", "--image", "9x8"]);
    assert!(size.contains("9x8x1 has 72") && size.contains("64 features"), "{size}");
    create("image_missing", &["cnn", "--data", "iris", "--conv", "4@2x2"]);
    create("kernel_size", &["cnn", "--data", "digits", "--conv", "4@9x9"]);
    create("kernel_size", &["cnn", "--data", "digits", "--conv", "4@5x5p5"]);
    create("network_layers", &["qnn", "--hidden", "99999"]);
    create("activation_bits", &["qnn", "--activation-bits", "0"]);
    create("weight_bits", &["qnn", "--weight-bits", "1"]);
    create("noise_range", &["mlp", "--data", "digits", "--noise", "0.5"]);
    create("training_params", &["qnn", "--learning-rate", "0"]);
    // What no keys can carry is said before training.
    let noise = create("no_parameters", &["mlp", "--data", "digits", "--noise", "0.0001"]);
    assert!(noise.contains("layer 1") && noise.contains("--noise"), "{noise}");
    mistake("nothing_to_simulate", &["play", "tree-spam", "--simulate", "--keys", &at("keys")]);

    let idx = |name: &str, words: &[u32], bytes: &[u8]| {
        let header: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        fs::write(at(name), [&header, bytes].concat()).unwrap();
    };
    idx("a-images-idx3-ubyte", &[0x803, 4, 1, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
    create("data_missing", &["mlp", "--data", &at("a-images-idx3-ubyte")]);
    idx("a-labels-idx1-ubyte", &[0x801, 3], &[0, 1, 0]);
    let counts = create("idx_format", &["mlp", "--data", &at("a-images-idx3-ubyte")]);
    assert!(counts.contains("4 images but 3 labels"), "{counts}");
    idx("a-labels-idx1-ubyte", &[0x801, 4], &[0, 1, 0, 1]);
    idx("b-images-idx3-ubyte", &[0x803, 1, 2, 2], &[1, 2, 3, 4]);
    idx("b-labels-idx1-ubyte", &[0x801, 1], &[0]);
    let both = ["mlp", "--data", &at("a-images-idx3-ubyte"), "--test-data", &at("b-images-idx3-ubyte")];
    assert!(create("image_size", &both).contains("2x2 have 4 pixels"));
    idx("b-images-idx3-ubyte", &[0x803, 1, 1, 2], &[1, 2]);
    idx("b-labels-idx1-ubyte", &[0x801, 1], &[7]);
    assert!(create("idx_label", &both).contains("label 0 is 7"));
    assert!(!Path::new(&at("models")).exists(), "a refused model left a folder behind");
}

#[test]
fn flags() {
    for arguments in
        [&["create", "tree", "--bits", "0"][..], &["create", "tree", "--p-fail", "2"], &["play"], &["dance"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
    }
    for arguments in [&["--help"][..], &["--version"], &["create", "tree", "--help"], &["serve", "--help"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
}
