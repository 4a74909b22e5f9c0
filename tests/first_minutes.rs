//! The binary alone, in a folder that holds nothing: what people do first, and what is in their way.

#[path = "common/process.rs"]
mod process;

use process::{Serving, fhectl, stderr, stdout};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// An empty folder to work in.
struct Empty(TempDir);

impl Empty {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// `fhectl` in this folder, without a proxy of this machine's.
    fn fhectl(&self, arguments: &[&str]) -> Command {
        let mut command = fhectl(arguments);
        command.current_dir(self.0.path()).env("FHECTL_KEYS", self.path("keys"));
        for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        succeeded(&self.fhectl(arguments).output().unwrap())
    }
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, stderr(output));
    stdout(output)
}

fn failed(command: &mut Command, exit: i32, parts: &[&str]) {
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn small_models_and_data_sets_are_there_without_a_folder() {
    let empty = Empty::new();
    assert!(empty.succeed(&["play", "tree-spam", "--samples", "2"]).contains("Agreement"));
    assert!(empty.succeed(&["inspect", "qnn-iris"]).contains("network"));
    let listed = empty.succeed(&["models"]);
    assert!(listed.lines().count() > 9 && listed.contains("tree-spam") && listed.contains("built in"), "{listed}");

    empty.succeed(&["create", "tree", "--max-depth", "3"]);
    let listed: serde_json::Value = serde_json::from_str(&empty.succeed(&["models", "--json"])).unwrap();
    let named = |name: &str| listed["models"].as_array().unwrap().iter().find(|model| model["name"] == name).unwrap();
    assert_eq!((&named("tree-spam")["built_in"], &named("boost-spam")["built_in"]), (&false.into(), &true.into()));
    // A folder that is there wins.
    assert!(empty.succeed(&["inspect", "tree-spam"]).contains("depth 3"));
    failed(&mut empty.fhectl(&["play", "mlp-mnist"]), 1, &["error[model_unknown]", "boost-spam"]);
    failed(&mut empty.fhectl(&["create", "mlp"]), 1, &["error[data_missing]", "--datasets"]);
}

#[test]
fn what_is_looked_for_elsewhere_is_found() {
    let empty = Empty::new();
    failed(&mut empty.fhectl(&["import", "model.onnx"]), 1, &["'create import'"]);
    for listen in ["0", "localhost:0"] {
        let server = empty.fhectl(&["serve", "tree-spam", "--listen", listen, "--store", "memory:"]);
        let server = Serving::of(&mut { server }).unwrap();
        assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    }
    failed(&mut empty.fhectl(&["serve"]), 1, &["error[models_missing]", "tree-spam"]);
    failed(&mut empty.fhectl(&["serve", "--listen", "here"]), 1, &["localhost:8000"]);
}

#[test]
fn variables_are_read_as_people_write_them() {
    let empty = Empty::new();
    let models = |name: &str, value: &str| empty.fhectl(&["models"]).env(name, value).output().unwrap();
    let plain = succeeded(&models("FHECTL_JSON", ""));
    for value in ["1", "true", "yes", "on", "TRUE"] {
        assert!(succeeded(&models("FHECTL_JSON", value)).starts_with('{'), "{value}");
    }
    for value in ["0", "false", "no", "off"] {
        assert_eq!(succeeded(&models("FHECTL_JSON", value)), plain, "{value}");
    }
    assert_eq!(models("FHECTL_JSON", "maybe").status.code(), Some(1));
    // Empty ones are as good as none, where nothing at all would be a value too.
    let mut command = empty.fhectl(&["play", "tree-spam", "--samples", "1"]);
    for name in
        ["FHECTL_TOKEN", "FHECTL_URL", "FHECTL_CA_CERT", "FHECTL_DATA", "FHECTL_MODELS", "FHECTL_KEY_PASSPHRASE_FILE"]
    {
        command.env(name, "");
    }
    succeeded(&command.output().unwrap());
    let short = empty.succeed(&["play", "-h"]);
    assert!(short.contains("--samples") && !short.contains("FHECTL_SAMPLES"), "{short}");
    assert!(empty.succeed(&["play", "--help"]).contains("[env: FHECTL_SAMPLES"));
}

#[test]
fn a_proxy_is_for_other_machines_and_named_where_it_fails() {
    let empty = Empty::new();
    // Nothing listens there: whatever goes through it fails.
    let proxied = |arguments: &[&str]| {
        let mut command = empty.fhectl(arguments);
        command.env("HTTP_PROXY", "http://user:secret@127.0.0.1:9");
        command
    };
    succeeded(&proxied(&["play", "tree-spam", "--samples", "1"]).output().unwrap());
    std::fs::write(empty.path("rows.csv"), "a\n1\n").unwrap();
    let away = ["predict", "m", "--input", "rows.csv", "--url", "http://fhectl.invalid:8000"];
    let parts = ["error[no_server]", "through the proxy 127.0.0.1:9 (HTTP_PROXY)", "NO_PROXY"];
    failed(&mut proxied(&away), 2, &parts);
    let output = proxied(&away).output().unwrap();
    assert!(!stderr(&output).contains("secret"));
    let direct = proxied(&away).env("NO_PROXY", "fhectl.invalid").output().unwrap();
    assert!(!stderr(&direct).contains("proxy"), "{}", stderr(&direct));
}

/// A certificate as `openssl req -x509` makes it: of an authority and of a server at once.
fn certificate(folder: &Empty, file: &str, names: &[&str], common: &str) -> [String; 2] {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let [cert_file, key_file] = ["pem", "key"].map(|ending| folder.path(&format!("{file}.{ending}")));
    std::fs::write(&cert_file, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    [cert_file, key_file]
}

fn serve(folder: &Empty, [cert, key]: &[String; 2]) -> Serving {
    let arguments = ["serve", "tree-spam", "--listen", "0", "--store", "memory:", "--tls-cert", cert, "--tls-key", key];
    Serving::of(&mut folder.fhectl(&arguments)).unwrap()
}

#[test]
fn a_certificate_that_is_its_own_authority_is_taken_where_it_is_named() {
    let empty = Empty::new();
    let named = certificate(&empty, "named", &["127.0.0.1"], "some server");
    // Without other names the subject's counts.
    let common = certificate(&empty, "common", &[], "127.0.0.1");
    let elsewhere = certificate(&empty, "elsewhere", &["other.example"], "127.0.0.1");
    let play = |url: &str, more: &[&str]| {
        empty.fhectl(&[&["play", "tree-spam", "--samples", "1", "--url", url][..], more].concat())
    };
    for pair in [&named, &common] {
        let server = serve(&empty, pair);
        succeeded(&play(&server.url, &["--ca-cert", &pair[0]]).output().unwrap());
    }
    let server = serve(&empty, &named);
    failed(&mut play(&server.url, &[]), 2, &["error[no_server]", "--ca-cert FILE.pem"]);
    failed(&mut play(&server.url, &["--ca-cert", &common[0]]), 2, &["error[no_server]", "--ca-cert FILE.pem"]);
    let plain = server.url.replace("https://", "http://");
    failed(&mut play(&plain, &[]), 2, &["error[no_server]", "https://"]);
    let server = serve(&empty, &elsewhere);
    failed(&mut play(&server.url, &["--ca-cert", &elsewhere[0]]), 2, &["error[no_server]", "subjectAltName"]);

    let server = Serving::start(Path::new(&empty.path("store")), &[]);
    let secure = server.url.replace("http://", "https://");
    failed(&mut play(&secure, &["--ca-cert", &named[0]]), 2, &["error[no_server]", "begins with http://"]);
}
