//! End-to-end tests of the real binary: create, play, predict, inspect, and a server that is killed.

mod common;
#[path = "common/process.rs"]
mod process;

use fhectl_core::client::ClientModel;
use process::{Serving, fhectl, run, stdout, succeed};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Plays a model's whole test set and returns stdout and the exported figures.
fn play_all(model: &str) -> (String, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let (keys, figures, report) =
        (folder.path().join("keys"), folder.path().join("f.json"), folder.path().join("r.html"));
    let out = succeed(&[
        "play",
        model,
        "--keys",
        keys.to_str().unwrap(),
        "--export-json",
        figures.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
    ]);
    assert!(fs::read_to_string(&report).unwrap().contains("<svg"));
    (out, json(&figures))
}

/// The exported figures of so many rows.
fn play_some(model: &str, samples: usize) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let (keys, figures) = (folder.path().join("keys"), folder.path().join("f.json"));
    let (keys, file) = (keys.to_str().unwrap(), figures.to_str().unwrap());
    succeed(&["play", model, "--samples", &samples.to_string(), "--keys", keys, "--export-json", file]);
    json(&figures)
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn play_tree_spam_prints_the_log_and_equals_the_clear_model() {
    let (out, figures) = play_all("tree-spam");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("Sending 0-th piece of the key (remaining size is ") && lines[0].ends_with(" kbytes)")
    );
    assert!(lines[1].starts_with("Storing the key in the database under uid="));
    assert!(lines[2].starts_with("Size of the payload: ") && lines[2].ends_with(" kilobytes"));
    for index in 0..691 {
        let line = lines[3 + index];
        assert!(line.starts_with(&format!("for {index}-th input, prediction=")), "{line}");
        assert!(line.contains(" with expected ") && line.ends_with(" seconds"), "{line}");
    }
    assert!(lines[694].starts_with("Accuracy on 691 samples is 0.9"), "{}", lines[694]);
    assert!(lines[695].starts_with("Total time: ") && lines[696].starts_with("Duration per inference: "));

    assert_eq!(figures["model"], "tree-spam");
    assert_eq!(figures["samples"], 691);
    assert!(number(&figures["accuracy"]) >= 0.90);
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["key_bytes"]) <= 40e3);
    assert!(number(&figures["request_bytes"]) <= 24e3);
    assert!(number(&figures["response_bytes"]) <= 64e3);
    for stage in ["encrypt", "roundtrip", "queue", "compute", "decrypt", "total"] {
        for figure in ["median", "mean", "p95", "min", "max"] {
            assert!(number(&figures["seconds"][stage][figure]) >= 0.0, "{stage} {figure}");
        }
        assert!(number(&figures["seconds"][stage]["min"]) <= number(&figures["seconds"][stage]["median"]));
    }
}

#[test]
fn play_leaf_sum_is_the_same_tree() {
    let (_, figures) = play_all("tree-spam-leaf-sum");
    assert_eq!(figures["samples"], 691);
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["accuracy"]) >= 0.90);
    assert!(number(&figures["key_bytes"]) <= 7e6);
    assert!(number(&figures["request_bytes"]) <= 8e3);
    assert!(number(&figures["response_bytes"]) <= 4e3);
}

#[test]
fn play_logreg_is_exact_and_close_to_the_float_model() {
    let (_, figures) = play_all("logreg-synthetic");
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["key_bytes"]) <= 40e3);
    let inspected: serde_json::Value =
        serde_json::from_str(&succeed(&["inspect", "logreg-synthetic", "--json"])).unwrap();
    let float = number(&inspected["metrics"]["float_accuracy"]);
    assert!((number(&figures["accuracy"]) - float).abs() <= 0.005);
}

#[test]
fn play_boosted_trees_is_exact_and_small() {
    let (_, figures) = play_all("boost-spam");
    assert_eq!(figures["samples"], 691);
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["accuracy"]) >= 0.94);
    assert!(number(&figures["request_bytes"]) <= 1e6 && number(&figures["response_bytes"]) <= 3e6);
    let figures = play_some("boost-spam-cmux-forest", 60);
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["request_bytes"]) <= 5e6 && number(&figures["response_bytes"]) <= 10e3);
}

#[test]
fn play_a_forest_is_exact() {
    let figures = play_some("forest-spam", 150);
    assert_eq!(number(&figures["agreement"]), 1.0);
}

#[test]
fn play_qnn_iris_is_a_table_and_exact() {
    let (_, figures) = play_all("qnn-iris");
    assert_eq!(figures["samples"], 38);
    assert_eq!(number(&figures["agreement"]), 1.0);
    assert!(number(&figures["accuracy"]) >= 0.947);
    let inspected = succeed(&["inspect", "qnn-iris"]);
    assert!(inspected.contains("table") && inspected.contains("0 an inference"), "{inspected}");
    let padded = |line: &&str| line.ends_with(char::is_whitespace);
    assert_eq!(inspected.lines().find(padded), None, "a line of `inspect` ends in blanks");
}

/// Simulated on the whole test set, where no sum may leave its range, and encrypted on a few rows.
#[test]
fn networks_hold_their_accuracy_under_noise() {
    for (model, rows, least, samples) in
        [("cnn-digits", 450, 0.96, 30), ("mlp-mnist", 10_000, 0.975, 20), ("cnn-mnist", 10_000, 0.988, 4)]
    {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (keys, figures, samples) = (at("keys"), at("f.json"), samples.to_string());
        let out =
            succeed(&["play", model, "--simulate", "--samples", &samples, "--keys", &keys, "--export-json", &figures]);
        assert!(out.starts_with(&format!("Simulated accuracy on {rows} samples is 0.9")), "{out}");
        let figures = json(folder.path().join("f.json").as_path());
        let simulated = &figures["simulated"];
        assert_eq!(simulated["samples"], rows);
        assert_eq!(simulated["wraps"], 0);
        assert!(number(&simulated["accuracy"]) >= least, "{model}: {simulated}");
        // Noise flips about one row in a hundred. A wrong key or circuit would flip nine in ten.
        let rows: f64 = samples.parse().unwrap();
        let flipped = (rows * (1.0 - number(&figures["agreement"]))).round();
        assert!(flipped <= 1.0 + rows / 10.0, "{model}: {flipped} of {rows} rows");
    }
}

#[test]
fn a_network_is_trained_alike_twice_and_runs_in_either_circuit() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let create = |out: &str, extra: &[&str]| {
        let own = ["create", "qnn", "--data", "datasets/iris.csv", "--hidden", "4", "--epochs", "20", "--out", out];
        succeed(&[&own[..], extra].concat());
    };
    create(&at("a"), &["--save-weights"]);
    create(&at("b"), &[]);
    for file in ["client.zip", "server.zip", "versions.json", "README.md"] {
        let read = |out: &str| fs::read(folder.path().join(out).join("qnn-iris").join(file)).unwrap();
        assert!(read("a") == read("b"), "{file} differs between two runs");
    }
    let weights = fs::read_dir(folder.path().join("a/qnn-iris")).unwrap();
    let weights = weights.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "safetensors"));
    assert!(weights.count() >= 2);
    create(&at("c"), &["--circuit", "network"]);
    let play = |out: &str, extra: &[&str]| {
        let (models, keys) = (at(out), at("keys"));
        let own = [
            "play",
            "qnn-iris",
            "--models",
            &models,
            "--keys",
            &keys,
            "--data",
            "datasets/iris.csv",
            "--samples",
            "40",
        ];
        succeed(&[&own[..], extra].concat())
    };
    assert!(play("a", &[]).contains("Agreement with the clear quantised model: 100.00 % of answers"));
    let noisy = play("c", &["--record"]);
    assert!(noisy.contains("Simulated accuracy on 150 samples") && noisy.contains("% of classes"), "{noisy}");
    let card = || fs::read_to_string(folder.path().join("c/qnn-iris/README.md")).unwrap();
    assert!(card().contains("| encrypted accuracy |") && card().contains("sampling error"), "{}", card());
    // A second record takes the first one's place.
    play("c", &["--record"]);
    assert_eq!(card().matches("## Measured").count(), 1);
}

#[test]
fn the_same_command_gives_the_committed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let commands: [(&str, &[&str]); 7] = [
        ("tree-spam", &["create", "tree"]),
        ("tree-spam-leaf-sum", &["create", "tree", "--circuit", "leaf-sum", "--name", "tree-spam-leaf-sum"]),
        ("logreg-synthetic", &["create", "logreg"]),
        ("boost-spam", &["create", "boost"]),
        (
            "boost-spam-cmux-forest",
            &["create", "boost", "--circuit", "cmux-forest", "--name", "boost-spam-cmux-forest"],
        ),
        ("forest-spam", &["create", "forest"]),
        ("linreg-diabetes", &["create", "linreg", "--data", "diabetes"]),
    ];
    for (name, command) in commands {
        succeed(&[command, &["--out", out]].concat());
        for file in ["client.zip", "server.zip", "versions.json", "README.md"] {
            let made = fs::read(folder.path().join(name).join(file)).unwrap();
            let committed =
                fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name).join(file)).unwrap();
            // Cards may have got figures since.
            let same =
                if file == "README.md" { committed.starts_with(made.trim_ascii_end()) } else { made == committed };
            assert!(same, "{name}/{file} differs from the committed one");
        }
    }
    let again = run(&["create", "tree", "--out", out]);
    assert_eq!(again.status.code(), Some(1), "an existing model was overwritten without --force");
    assert!(fs::read(folder.path().join("tree-spam/server.zip")).is_ok());
}

#[test]
fn multi_class_tables_of_the_users_own_work_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, keys) = (at("models"), at("keys"));
    for (kind, extra) in
        [("tree", vec!["--circuit", "path-cost"]), ("tree", vec!["--circuit", "leaf-sum"]), ("logreg", vec![])]
    {
        let name = format!("{kind}-iris{}", extra.last().unwrap_or(&""));
        let mut command =
            vec!["create", kind, "--data", "datasets/iris.csv", "--test-size", "0.25", "--out", &out, "--name", &name];
        command.extend(&extra);
        succeed(&command);
        let played = succeed(&[
            "play",
            &name,
            "--models",
            &out,
            "--keys",
            &keys,
            "--data",
            "datasets/iris.csv",
            "--samples",
            "40",
        ]);
        assert!(played.contains("Agreement with the clear quantised model: 100.00 %"), "{played}");
        assert!(played.contains("prediction=setosa with expected setosa"), "{played}");
    }
}

#[test]
fn predict_matches_columns_by_name_and_writes_scores() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    succeed(&["create", "logreg", "--data", "iris", "--out", &at("models")]);
    // Columns in another order than the model's.
    fs::write(at("rows.csv"), "petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,3.5,5.1\n2.3,5.7,3.2,6.9\n")
        .unwrap();
    succeed(&[
        "predict",
        "logreg-iris",
        "--models",
        &at("models"),
        "--keys",
        &at("keys"),
        "--input",
        &at("rows.csv"),
        "--output",
        &at("p.csv"),
    ]);
    let table = fs::read_to_string(at("p.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "prediction,score_setosa,score_versicolor,score_virginica");
    assert!(lines[1].starts_with("setosa,") && lines[2].starts_with("virginica,"), "{table}");
    let scores: f64 = lines[1].split(',').skip(1).map(|score| score.parse::<f64>().unwrap()).sum();
    assert!((scores - 1.0).abs() < 1e-9, "probabilities add up to {scores}");
}

#[test]
fn a_client_needs_nothing_but_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("store"), &[]);
    let (keys, nowhere) = (folder.path().join("keys"), folder.path().join("nowhere"));
    let out = succeed(&[
        "play",
        "tree-spam",
        "--url",
        &server.url,
        "--samples",
        "5",
        "--jobs",
        "3",
        "--models",
        nowhere.to_str().unwrap(),
        "--keys",
        keys.to_str().unwrap(),
    ]);
    assert!(out.contains("for 4-th input"));
    // The program itself holds the built-in model, and its owner's half too.
    assert!(out.contains("Agreement with the clear quantised model: 100.00 %"), "{out}");
}

/// Forwards connections to a target that can be changed, and tells when so many bytes went to it.
struct Proxy {
    address: String,
    target: Arc<Mutex<Option<String>>>,
}

impl Proxy {
    fn start(target: String, stop_after: usize, reached: mpsc::Sender<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let target = Arc::new(Mutex::new(Some(target)));
        let shared = target.clone();
        let forwarded = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(target) = shared.lock().unwrap().clone() else { continue };
                let Ok(server) = TcpStream::connect(target) else { continue };
                let (forwarded, reached, shared) = (forwarded.clone(), reached.clone(), shared.clone());
                let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    let mut buffer = [0; 16384];
                    while let Ok(count @ 1..) = up.read(&mut buffer) {
                        let before = forwarded.fetch_add(count, Ordering::SeqCst);
                        if before < stop_after && before + count >= stop_after {
                            // In the middle of a part: nothing more gets through until the target is set again.
                            *shared.lock().unwrap() = None;
                            reached.send(()).unwrap();
                            let _ = up.shutdown(Shutdown::Both);
                            return;
                        }
                        if down.write_all(&buffer[..count]).is_err() {
                            break;
                        }
                    }
                    let _ = down.shutdown(Shutdown::Both);
                });
                let (mut up, mut down) = (server, client);
                thread::spawn(move || {
                    let _ = std::io::copy(&mut up, &mut down);
                    let _ = down.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, target }
    }
}

#[test]
fn a_server_killed_in_the_middle_of_an_upload_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, keys) = (folder.path().join("store"), folder.path().join("keys"));
    let keys = keys.to_str().unwrap();
    let server = Serving::start(&store, &[]);
    // An earlier key, complete before the accident.
    let earlier = ["play", "tree-spam", "--samples", "2", "--keys", keys, "--url"];
    assert!(succeed(&[&earlier[..], &[&server.url]].concat()).contains("Sending 0-th piece"));

    let (sender, reached) = mpsc::channel();
    let proxy = Proxy::start(server.address(), 2_500_000, sender);
    let url = format!("http://{}", proxy.address);
    let playing = fhectl(&["play", "tree-spam-leaf-sum", "--samples", "2", "--keys", keys, "--url", &url])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    reached.recv().unwrap();
    server.kill();
    let server = Serving::start(&store, &[]);
    *proxy.target.lock().unwrap() = Some(server.address());
    let output = playing.wait_with_output().unwrap();
    let out = stdout(&output);
    assert!(output.status.success(), "{out}{}", process::stderr(&output));
    for piece in 0..5 {
        assert_eq!(out.matches(&format!("Sending {piece}-th piece")).count(), 1, "{out}");
    }
    assert!(out.contains("Agreement with the clear quantised model: 100.00 %"), "{out}");

    // The earlier key is still there: nothing is sent again.
    let out = succeed(&[&earlier[..], &[&server.url]].concat());
    assert!(!out.contains("Sending") && out.contains("100.00 %"), "{out}");
}

#[test]
fn an_upload_begun_by_one_run_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let keys = folder.path().join("keys");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model/tree-spam-leaf-sum/client.zip");
    let model = ClientModel::read(&fs::read(bundle).unwrap()).unwrap();
    let made = fhectl::client::Keyring::open(Some(&keys)).unwrap().keys_for(&model).unwrap().keys;

    let server = Serving::start(&store, &[]);
    let http = fhectl::client::Http::new(&server.url, None, Vec::new()).unwrap();
    for index in [0, 2] {
        let part = made.evaluation().chunks(1 << 20).nth(index).unwrap();
        http.put(&format!("/v1/models/tree-spam-leaf-sum/keys/{}/parts/{index}", made.key_id()), part).unwrap();
    }
    server.kill();
    let server = Serving::start(&store, &[]);
    let out = succeed(&[
        "play",
        "tree-spam-leaf-sum",
        "--samples",
        "2",
        "--url",
        &server.url,
        "--keys",
        keys.to_str().unwrap(),
    ]);
    let sent: Vec<bool> = (0..5).map(|piece| out.contains(&format!("Sending {piece}-th piece"))).collect();
    assert_eq!(sent, [false, true, false, true, true], "{out}");
}

#[test]
fn parts_that_do_not_fit_are_dropped_and_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model/tree-spam-leaf-sum/client.zip");
    let model = ClientModel::read(&fs::read(bundle).unwrap()).unwrap();
    let made = fhectl::client::Keyring::open(Some(&keys)).unwrap().keys_for(&model).unwrap().keys;
    let server = Serving::start(&folder.path().join("store"), &[]);
    let http = fhectl::client::Http::new(&server.url, None, Vec::new()).unwrap();
    // A part that another client of half the part size left behind.
    let path = format!("/v1/models/tree-spam-leaf-sum/keys/{}/parts/0", made.key_id());
    http.put(&path, &made.evaluation()[..1 << 19]).unwrap();
    let out = succeed(&[
        "play",
        "tree-spam-leaf-sum",
        "--samples",
        "1",
        "--url",
        &server.url,
        "--keys",
        keys.to_str().unwrap(),
    ]);
    assert!(out.contains("Agreement with the clear quantised model: 100.00 %"), "{out}");
}

#[test]
fn sigterm_drains_and_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Serving::start(&folder.path().join("store"), &[]);
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}
