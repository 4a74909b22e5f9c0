//! The life cycle of a client's keys through the real binary, and what `client.zip` contains of the training rows.
#![cfg(unix)]

#[path = "common/process.rs"]
mod process;

use fhectl::client::Keyring;
use fhectl_core::client::ClientModel;
use fhectl_core::model::FeatureQuantizer;
use process::{BINARY, fhectl, mistake, run, stderr, stdout, succeed};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PASSPHRASE: &str = "correct horse battery staple";

/// A keys folder with keys for `tree-spam`.
struct Keys {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Keys {
    fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        Self { _folder: folder, path }
    }

    fn made() -> Self {
        let keys = Self::none();
        keys.play(&[]);
        keys
    }

    fn at(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn beside(&self, name: &str, text: &str) -> String {
        let path = self.path.parent().unwrap().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn playing<'a>(&'a self, flags: &[&'a str]) -> Vec<&'a str> {
        ["play", "tree-spam", "--samples", "1", "--keys", self.at()].iter().chain(flags).copied().collect()
    }

    fn play(&self, flags: &[&str]) -> String {
        succeed(&self.playing(flags))
    }

    /// The id of the evaluation key that a run says it used.
    fn used(&self, flags: &[&str]) -> String {
        let out = self.play(flags);
        let at = out.find("uid=").expect("an id") + 4;
        out[at..].split_whitespace().next().unwrap().to_owned()
    }

    fn list(&self) -> Vec<serde_json::Value> {
        let text = succeed(&["keyring", "list", "--json", "--keys", self.at()]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["keys"].as_array().unwrap().clone()
    }

    fn secret(&self) -> PathBuf {
        PathBuf::from(self.list()[0]["file"].as_str().unwrap())
    }

    /// Sets the time of making in the file's header: bytes 38 to 45.
    fn make_older(&self, seconds: u64) {
        let path = self.secret();
        let mut bytes = fs::read(&path).unwrap();
        let made = u64::from_le_bytes(bytes[38..46].try_into().unwrap());
        bytes[38..46].copy_from_slice(&(made - seconds).to_le_bytes());
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn keys_are_listed_and_deleted() {
    let keys = Keys::made();
    let listed = keys.list();
    assert_eq!(listed.len(), 1);
    let key = &listed[0];
    assert_eq!((&key["model"], &key["circuit"]), (&"tree-spam".into(), &"path-cost".into()));
    assert_eq!((&key["encrypted"], &key["failures"], &key["retired"]), (&false.into(), &0.into(), &false.into()));
    assert!(key["made"].as_u64().unwrap() > 1_700_000_000 && key["age_seconds"].is_u64() && key["error"].is_null());
    assert!(Path::new(key["file"].as_str().unwrap()).exists());
    let table = succeed(&["keyring", "list", "--keys", keys.at()]);
    assert!(table.contains("tree-spam") && table.contains("path-cost") && table.contains("1 keys"), "{table}");

    let id = key["model_id"].as_str().unwrap();
    mistake("key_unknown", &["keyring", "delete", "no-such-model", "--yes", "--keys", keys.at()]);
    mistake("key_unknown", &["keyring", "delete", &id[..7], "--yes", "--keys", keys.at()]);
    // Without a terminal nobody can be asked.
    mistake("confirmation_missing", &["keyring", "delete", "tree-spam", "--keys", keys.at()]);
    assert_eq!(keys.list().len(), 1);
    succeed(&["keyring", "delete", &id[..8], "--yes", "--keys", keys.at()]);
    assert!(keys.list().is_empty());
    let left: Vec<_> = fs::read_dir(&keys.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".lock"], "secret and evaluation key are gone");
}

#[test]
fn a_key_of_an_earlier_release_is_refused_by_name_and_can_be_deleted() {
    let keys = Keys::made();
    let path = keys.secret();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4] = 1;
    fs::write(&path, &bytes).unwrap();
    let text = mistake("key_file_version", &keys.playing(&[]));
    assert!(text.contains("keyring delete"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(keys.list()[0]["error"], "key_file_version");
    // Its name is known from the models at hand.
    succeed(&["keyring", "delete", "tree-spam", "--yes", "--keys", keys.at()]);
    keys.play(&[]);
}

#[test]
fn rotating_makes_a_new_key_and_leaves_nothing_of_the_old_one() {
    let keys = Keys::none();
    mistake("key_unknown", &["keyring", "rotate", "tree-spam", "--keys", keys.at()]);
    let first = keys.used(&[]);
    assert_eq!(keys.used(&[]), first);
    succeed(&["keyring", "rotate", "tree-spam", "--keys", keys.at()]);
    let second = keys.used(&[]);
    assert_ne!(second, first);
    let id = keys.list()[0]["model_id"].as_str().unwrap().to_owned();
    succeed(&["keyring", "rotate", &id[..12], "--keys", keys.at()]);
    assert_ne!(keys.used(&[]), second);
    assert_eq!(fs::read_dir(&keys.path).unwrap().count(), 3, "a secret, its evaluation key, the lock");
    let text = mistake("model_unknown", &["keyring", "rotate", "no-such-model", "--keys", keys.at()]);
    assert!(text.contains("client.zip"), "{text}");
}

#[test]
fn a_key_beyond_its_age_is_replaced_and_a_person_told() {
    let keys = Keys::none();
    let first = keys.used(&["--key-max-age", "90d"]);
    keys.make_older(89 * 86_400);
    assert_eq!(keys.used(&["--key-max-age", "90d"]), first);
    keys.make_older(2 * 86_400);
    assert_eq!(keys.used(&[]), first, "without a limit it stays");
    let output = fhectl(&keys.playing(&[])).env("FHECTL_KEY_MAX_AGE", "90d").output().unwrap();
    assert!(output.status.success() && stderr(&output).contains("note: new keys for tree-spam"), "{}", stderr(&output));
    assert!(!stdout(&output).contains(&first));
    let second = keys.used(&["--key-max-age", "90d"]);
    assert_ne!(second, first);
    // `predict` has the flag too.
    assert!(succeed(&["predict", "--help"]).contains("--key-max-age"));
}

#[test]
fn a_passphrase_seals_keys_by_file_and_by_variable() {
    let keys = Keys::none();
    let file = keys.beside("passphrase", &format!("{PASSPHRASE}\n"));
    let first = keys.used(&["--key-passphrase-file", &file]);
    assert_eq!(keys.list()[0]["encrypted"], true);
    let sealed = fs::read(keys.secret()).unwrap();

    mistake("key_passphrase_missing", &keys.playing(&[]));
    let wrong = keys.beside("wrong", "incorrect horse\n");
    let text = mistake("key_passphrase_wrong", &keys.playing(&["--key-passphrase-file", &wrong]));
    assert!(!text.contains("incorrect horse"), "{text}");
    let empty = keys.beside("empty", "\n");
    mistake("key_passphrase_invalid", &keys.playing(&["--key-passphrase-file", &empty]));
    mistake("key_passphrase_invalid", &keys.playing(&["--key-passphrase-file", "/no/such/file"]));
    // Asked for where nobody can answer.
    let asked = without_terminal(&keys.playing(&["--key-passphrase"]));
    assert!(stderr(&asked).contains("error[key_passphrase_invalid]"), "{}", stderr(&asked));
    assert_eq!(fs::read(keys.secret()).unwrap(), sealed, "no failure touches the file");

    let output = fhectl(&keys.playing(&[])).env("FHECTL_KEY_PASSPHRASE", PASSPHRASE).output().unwrap();
    assert!(output.status.success() && stdout(&output).contains(&first), "{}", stderr(&output));
    assert!(!stdout(&output).contains(PASSPHRASE) && !stderr(&output).contains(PASSPHRASE));
    let help = stdout(&fhectl(&["play", "--help"]).env("FHECTL_KEY_PASSPHRASE", PASSPHRASE).output().unwrap());
    assert!(help.contains("FHECTL_KEY_PASSPHRASE") && !help.contains(PASSPHRASE));

    // A sealed key is not replaced by an open one, and rotating takes the passphrase that is given.
    mistake("key_passphrase_missing", &["keyring", "rotate", "tree-spam", "--keys", keys.at()]);
    let another = keys.beside("another", "another one");
    succeed(&["keyring", "rotate", "tree-spam", "--keys", keys.at(), "--key-passphrase-file", &another]);
    mistake("key_passphrase_wrong", &keys.playing(&["--key-passphrase-file", &file]));
    keys.play(&["--key-passphrase-file", &another]);
}

/// Runs without a controlling terminal, so that a prompt fails wherever the tests run.
fn without_terminal(arguments: &[&str]) -> Output {
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(BINARY).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn an_open_key_stays_readable_and_a_person_is_told_how_to_seal_it() {
    let keys = Keys::made();
    let output = fhectl(&keys.playing(&[])).env("FHECTL_KEY_PASSPHRASE", PASSPHRASE).output().unwrap();
    assert!(output.status.success() && stderr(&output).contains("keyring rotate"), "{}", stderr(&output));
    assert_eq!(keys.list()[0]["encrypted"], false);
}

#[test]
fn files_and_folders_that_others_can_reach_are_refused() {
    let keys = Keys::made();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let secret = keys.secret();
    assert_eq!(fs::metadata(&keys.path).unwrap().permissions().mode() & 0o777, 0o700);
    mode(&secret, 0o640);
    assert!(mistake("key_file_permissions", &keys.playing(&[])).contains("chmod 600"));
    assert_eq!(keys.list()[0]["error"], "key_file_permissions");
    mode(&secret, 0o600);
    mode(&keys.path, 0o770);
    assert!(mistake("key_file_permissions", &keys.playing(&[])).contains("chmod go-w"));
    mode(&keys.path, 0o700);
    keys.play(&[]);
}

#[test]
fn three_failures_retire_a_key() {
    let keys = Keys::none();
    let first = keys.used(&[]);
    let keyring = Keyring::open(Some(&keys.path)).unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model/tree-spam/client.zip");
    let model = ClientModel::read(&fs::read(model).unwrap()).unwrap();
    let own = keyring.keys_for(&model).unwrap();
    keyring.report_failures(model.id(), &own, 2).unwrap();
    assert_eq!(keys.used(&[]), first);
    keyring.report_failures(model.id(), &own, 1).unwrap();
    assert_eq!((&keys.list()[0]["failures"], &keys.list()[0]["retired"]), (&3.into(), &true.into()));
    let output = run(&keys.playing(&[]));
    assert!(stderr(&output).contains("3 answers under the one before were wrong"), "{}", stderr(&output));
    assert!(output.status.success() && !stdout(&output).contains(&first));
    assert_eq!(keys.list()[0]["failures"], 0);
}

/// The numbers of a bundle's quantizers: edges, or lowest values and steps.
fn numbers(model: &Path) -> Vec<f64> {
    let bundle = ClientModel::read(&fs::read(model.join("client.zip")).unwrap()).unwrap();
    let numbers = |rule: &FeatureQuantizer| match rule {
        FeatureQuantizer::Edges { edges } => edges.clone(),
        FeatureQuantizer::Affine { low, step, .. } => vec![*low, *step],
    };
    bundle.spec().quantizer.features.iter().flat_map(numbers).collect()
}

fn has_digits(number: f64, digits: usize) -> bool {
    format!("{number:.*e}", digits - 1).parse::<f64>().unwrap() == number
}

#[test]
fn coarse_edges_round_what_client_zip_holds() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().to_str().unwrap();
    let fixture = |name: &str| format!("{}/tests/fixtures/import/{name}", env!("CARGO_MANIFEST_DIR"));
    let (tree, linear) = (fixture("tree-spam.onnx"), fixture("xgboost-linear-diabetes.json"));
    let kinds: [(&[&str], &str); 4] = [
        (&["tree"], "quantised accuracy with exact edges: 0."),
        (&["logreg", "--data", "spam"], "quantised accuracy with exact edges: 0."),
        (&["import", &tree, "--data", "spam"], "agreement with exact edges: the same class"),
        (&["import", &linear, "--data", "diabetes"], "agreement with exact edges: R2 of its numbers"),
    ];
    for (index, (kind, beside)) in kinds.into_iter().enumerate() {
        let made = |name: &str, flags: &[&str]| {
            let arguments = [&["create"], kind, &["--out", models, "--name", name], flags].concat();
            (succeed(&arguments), folder.path().join(name))
        };
        let (_, exact) = made(&format!("exact-{index}"), &[]);
        let (out, coarse) = made(&format!("coarse-{index}"), &["--coarse-edges", "2"]);
        assert!(out.contains(beside), "{kind:?}: {out}");
        assert!(numbers(&exact).iter().any(|number| !has_digits(*number, 2)), "{kind:?}: nothing to round");
        for number in numbers(&coarse) {
            assert!(has_digits(number, 2), "{kind:?}: {number}");
        }
        let card = |model: &Path| fs::read_to_string(model.join("README.md")).unwrap();
        assert!(card(&coarse).contains("rounded to 2 significant digits"), "{}", card(&coarse));
        assert!(card(&coarse).contains("| quantized with exact edges, in clear |"), "{}", card(&coarse));
        assert!(card(&exact).contains("to all their digits"), "{}", card(&exact));
    }
    // The rounded model is the one that was trained: encrypted answers are its own.
    let keys = folder.path().join("keys");
    let coarse = folder.path().join("coarse-0");
    let figures = folder.path().join("figures.json");
    let play = ["play", coarse.to_str().unwrap(), "--samples", "5", "--keys", keys.to_str().unwrap(), "--export-json"];
    succeed(&[&play[..], &[figures.to_str().unwrap()]].concat());
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(figures).unwrap()).unwrap();
    assert_eq!(figures["agreement"], 1.0);
    let exact_too = ["create", "import", &tree, "--exact-thresholds", "--coarse-edges", "2", "--out", models];
    assert_eq!(run(&exact_too).status.code(), Some(1), "thresholds cannot be both");
}
