//! The binary with the feature `cuda`, on a device that is emulated: `scripts/check_cuda.sh` builds the library that stands in
//! for CUDA's driver and runs this. Without a driver there is nothing to test here.
#![cfg(feature = "cuda")]

mod common;
mod live;
#[path = "common/process.rs"]
mod process;
#[path = "common/until.rs"]
mod until;

use process::{Serving, fhectl, folder, stderr, stdout, succeed};
use serde_json::Value;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use until::until;

/// A tree that takes eight bootstraps a row: an emulated device needs two seconds for them.
const TREE: &str = "tree-spam-leaf-sum";

/// Whether there is a device to test with, and whether it does what its variables say.
fn is_emulated() -> bool {
    let name = fhectl_cuda::Device::open(0).map(|device| device.name().to_owned());
    let emulated = name.as_ref().is_ok_and(|name| name.starts_with("Emulated"));
    assert!(emulated || std::env::var_os("FHECTL_CUDA_REQUIRED").is_none(), "no emulated device: {name:?}");
    if !emulated {
        println!("skipped: no emulated device ({name:?}); see scripts/check_cuda.sh");
    }
    emulated
}

/// A server of the tree on the device, and where its metrics are.
fn serving(arguments: &[&str], variables: &[(&str, String)]) -> (Serving, SocketAddr) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metrics = free.to_string();
    let all = [&[TREE, "--device", "cuda:0", "--metrics-listen", &metrics], arguments].concat();
    (Serving::start_with("memory:", &all, variables), free)
}

/// The sum of a metric's lines that have a label.
fn metric(at: SocketAddr, name: &str, label: &str) -> f64 {
    let text = String::from_utf8(live::ask(at, "GET", "/metrics", &[], b"").ok().body).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Plays rows under keys of its own; all must be as the clear model says.
fn play(url: &str, samples: &str) {
    let (_keep, path) = folder();
    let said = succeed(&["play", TREE, "--url", url, "--samples", samples, "--keys", &path("keys")]);
    assert!(said.contains("Agreement with the clear quantised model: 100.00 %"), "{said}");
}

#[test]
fn rows_are_computed_on_the_device_and_by_the_processor_while_it_fails() {
    if !is_emulated() {
        return;
    }
    let (_keep, path) = folder();
    let fault = path("fault");
    let (server, metrics) = serving(&[], &[("EMULATED_FAULT_FILE", fault.clone())]);
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let computed_on = || {
        let list: Value = serde_json::from_slice(&live::ask(address, "GET", "/v1/models", &[], b"").ok().body).unwrap();
        list["models"][0]["computed_on"].as_str().unwrap().to_owned()
    };
    assert_eq!(computed_on(), "cuda:0 (Emulated device)");
    assert!(succeed(&["inspect", TREE]).contains("cuda:0 (Emulated device)"));
    assert!(!succeed(&["inspect", "tree-spam"]).contains("cuda:0"), "its circuit has no layers");
    play(&server.url, "2");
    assert_eq!(metric(metrics, "fhectl_device_launches_total", "cuda:0"), 2.0);
    assert_eq!(metric(metrics, "fhectl_device_missed_rows_total", ""), 0.0);

    fs::write(&fault, "").unwrap();
    play(&server.url, "3");
    assert_eq!(metric(metrics, "fhectl_device_missed_rows_total", ""), 3.0);
    assert_eq!(metric(metrics, "fhectl_device_up", "cuda:0"), 0.0);
    assert_eq!(computed_on(), "cpu");

    fs::remove_file(&fault).unwrap();
    until("the device is back", || metric(metrics, "fhectl_device_up", "cuda:0") == 1.0);
    let before = metric(metrics, "fhectl_device_launches_total", "cuda:0");
    play(&server.url, "1");
    assert_eq!(metric(metrics, "fhectl_device_launches_total", "cuda:0"), before + 1.0);
    assert_eq!(computed_on(), "cuda:0 (Emulated device)");
}

#[test]
fn clients_share_launches() {
    if !is_emulated() {
        return;
    }
    let (server, metrics) = serving(&["--gather", "2s"], &[]);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| play(&server.url, "2"));
        }
    });
    let (launches, rows) = (
        metric(metrics, "fhectl_device_launches_total", "cuda:0"),
        metric(metrics, "fhectl_device_launch_rows_sum", ""),
    );
    assert_eq!(rows, 6.0);
    assert!(launches < 6.0, "{launches} launches of six rows");
}

#[test]
fn a_device_that_is_not_there_is_an_error_where_it_was_asked_for() {
    if !is_emulated() {
        return;
    }
    for device in ["cuda:7", "cuda:99999"] {
        let output = fhectl(&["serve", TREE, "--listen", "127.0.0.1:0", "--store", "memory:", "--device", device])
            .output()
            .unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("error[device_unavailable]") && said.contains("hint: "), "{said}");
    }
    // Without a driver `auto` is the processor.
    let output =
        fhectl(&["serve", TREE, "--check", "--store", "memory:"]).env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert!(stdout(&output).contains("ok    device   cpu"), "{}", stdout(&output));
}

#[test]
fn models_are_planned_for_the_device() {
    if !is_emulated() {
        return;
    }
    let (_keep, path) = folder();
    let out = path("models");
    let create = |name: &str, device: &str| {
        let arguments = ["create", "tree", "--data", "iris", "--circuit", "leaf-sum", "--name", name, "--out", &out];
        let output = fhectl(&[&arguments[..], &["--device", device]].concat()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    };
    let (said, notes) = create("device", "auto");
    assert!(notes.contains("parameters are chosen for Emulated device (cuda:0)"), "{notes}");
    assert!(said.contains("an inference: about"), "{said}");
    let (said, notes) = create("processor", "cpu");
    assert!(!notes.contains("chosen for") && said.contains("cores on either side"), "{notes}\n{said}");
}
