//! Devices that fail. Each case is a process of its own with an emulated device that fails as the case wants.

#![allow(clippy::print_stdout)]

mod support;

use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::layer::LookUp;
use fhectl_core::fhe::{GlweList, GlweShape};
use fhectl_cuda::{Device, is_out_of_memory};
use std::process::Command;
use std::time::Duration;
use support::{Client, bootstraps, device, group, random, uniform_row};

/// Runs an ignored test of this file with variables set, where the device is an emulated one.
fn run(case: &str, variables: &[(&str, &str)]) {
    let Some(device) = device() else { return };
    if !device.description().starts_with("Emulated") {
        println!("skipped: {} does not fail at will", device.description());
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", case, "--ignored", "--nocapture"]).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

fn client() -> Client {
    let output = GlweShape::new(3, 512);
    Client::new(BootstrapParams { lwe_dimension: 64, output, base_log: 21, levels: 1, key_bits: 50 }, None)
}

fn layers() -> std::sync::Arc<[fhectl_core::fhe::layer::Layer]> {
    bootstraps(2, LookUp { tables: vec![vec![1 << 60; 512]], keyswitch: None, bootstrap: 0 })
}

fn rows(count: usize) -> Vec<GlweList> {
    (0..count).map(|_| uniform_row(64, 2, &mut random(1))).collect()
}

#[test]
fn a_device_that_failed_stays_failed() {
    // Before, within and after the launches of one evaluation; 1 is the expansion of the key.
    for launch in ["1", "2", "3", "4", "5", "6", "7"] {
        run("fails_at_a_launch", &[("EMULATED_FAIL_AFTER", launch)]);
    }
}

#[test]
#[ignore = "a process of its own"]
fn fails_at_a_launch() {
    let device = Device::open(0).unwrap();
    let client = client();
    let program = device.load_program(&layers()).unwrap();
    let failed = device.load_key(&client.parts, None, &client.wire, None).and_then(|key| {
        let first = device.evaluate(&program, &[group(&key, &rows(1))]);
        // The first evaluation has five launches.
        let error = match first {
            Ok(_) => device.evaluate(&program, &[group(&key, &rows(1))]).map(drop).unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.code, ErrorCode::DeviceFailed);
        let again = device.evaluate(&program, &[group(&key, &rows(1))]).unwrap_err();
        assert!(
            again.message.contains("failed before") && again.message.contains("CUDA_ERROR_LAUNCH_FAILED"),
            "{again}"
        );
        Err::<(), _>(error)
    });
    let error = failed.unwrap_err();
    assert_eq!(error.code, ErrorCode::DeviceFailed);
    assert!(error.message.contains("CUDA_ERROR_LAUNCH_FAILED") && error.hint.is_some(), "{error:?}");
    assert!(device.is_lost() && !is_out_of_memory(&error));
    assert_eq!(device.free_memory().unwrap_err().code, ErrorCode::DeviceFailed);
    assert!(device.load_key(&client.parts, None, &client.wire, None).is_err());
    device.release_scratch();
}

#[test]
fn too_little_memory_is_told_and_may_be_enough_again() {
    run("has_little_memory", &[("EMULATED_MEMORY", "30000000")]);
}

#[test]
#[ignore = "a process of its own"]
fn has_little_memory() {
    let device = Device::open(0).unwrap();
    let client = client();
    let program = device.load_program(&layers()).unwrap();
    let bytes = device.key_bytes(&client.parts, None);
    // One that is loaded and dropped leaves memory to work in behind.
    drop(client.load(&device, None));
    device.release_scratch();
    let before = device.free_memory().unwrap();
    let key = client.load(&device, None);
    device.release_scratch();
    assert_eq!(before - device.free_memory().unwrap(), bytes);
    drop(key);
    let mut keys = Vec::new();
    let error = loop {
        match device.load_key(&client.parts, None, &client.wire, None) {
            Ok(key) => keys.push(key),
            Err(error) => break error,
        }
    };
    assert!(is_out_of_memory(&error), "{error}");
    assert!(error.message.starts_with("cuMemAlloc: ") && error.hint.is_some());
    assert!((30_000_000 / bytes).abs_diff(keys.len()) <= 1, "{} keys of {bytes} bytes", keys.len());
    assert!(!device.is_lost());

    // Many rows have no room beside the keys; a few pieces have, once there is a key less.
    let many = rows(2000);
    let error = device.evaluate(&program, &[group(&keys[0], &many)]).unwrap_err();
    assert!(is_out_of_memory(&error), "{error}");
    device.release_scratch();
    keys.truncate(1);
    device.evaluate(&program, &[group(&keys[0], &rows(3))]).unwrap();
    drop((keys, program));
    device.release_scratch();
    assert_eq!(device.free_memory().unwrap(), device.total_memory().unwrap());
}

#[test]
fn a_device_that_hangs_can_be_given_up() {
    let file = std::env::temp_dir().join(format!("fhectl-cuda-hangs-{}", std::process::id()));
    run("hangs", &[("EMULATED_HANG_FILE", file.to_str().unwrap())]);
}

#[test]
#[ignore = "a process of its own"]
fn hangs() {
    let file = std::env::var("EMULATED_HANG_FILE").unwrap();
    let device = Device::open(0).unwrap();
    let client = client();
    let program = device.load_program(&layers()).unwrap();
    let key = client.load(&device, None);
    std::fs::write(&file, "").unwrap();
    let rows = rows(1);
    let error = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| device.evaluate(&program, &[group(&key, &rows)]).map(drop).unwrap_err());
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished());
        device.give_up("the device did not answer");
        waiting.join().unwrap()
    });
    assert_eq!(error.code, ErrorCode::DeviceFailed);
    assert!(error.message.contains("the device did not answer"), "{error}");
    assert!(device.is_lost());
    // Nothing waits for it.
    drop((key, program, device));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn devices_that_cannot_be_used_are_not_opened() {
    run("cannot_be_opened", &[("EMULATED_DEVICES", "0")]);
    run("is_too_old", &[("EMULATED_CAPABILITY", "75")]);
    run("is_as_old_as_allowed", &[("EMULATED_CAPABILITY", "80"), ("EMULATED_DEVICES", "2")]);
}

#[test]
#[ignore = "a process of its own"]
fn cannot_be_opened() {
    assert_eq!(Device::count().unwrap(), 0);
    let error = Device::open(0).map(drop).unwrap_err();
    assert_eq!(error.code, ErrorCode::DeviceUnavailable);
    assert!(error.hint.is_some());
}

#[test]
#[ignore = "a process of its own"]
fn is_too_old() {
    let error = Device::open(0).map(drop).unwrap_err();
    assert_eq!(error.code, ErrorCode::DeviceUnavailable);
    assert!(error.message.contains("7.5"), "{error}");
}

#[test]
#[ignore = "a process of its own"]
fn is_as_old_as_allowed() {
    assert_eq!(Device::count().unwrap(), 2);
    let error = Device::open(2).map(drop).unwrap_err();
    assert!(error.message.contains("there are 2"), "{error}");
    let device = Device::open(1).unwrap();
    assert_eq!(device.description(), "Emulated device (cuda:1)");
    let client = client();
    let program = device.load_program(&layers()).unwrap();
    let key = client.load(&device, None);
    let device = device.with_variant(Some(fhectl_cuda::Variant::Warp));
    device.evaluate(&program, &[group(&key, &rows(1))]).unwrap();
}

#[test]
fn without_a_driver_there_is_an_error() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "has_no_driver", "--ignored"]).env_remove("LD_LIBRARY_PATH");
    assert!(command.status().unwrap().success());
}

#[test]
#[ignore = "a process of its own"]
fn has_no_driver() {
    // A machine with a GPU has one all the same.
    if let Err(error) = Device::count() {
        assert_eq!(error.code, ErrorCode::DeviceUnavailable);
        assert!(error.hint.is_some());
        assert_eq!(Device::open(0).map(drop).unwrap_err().code, ErrorCode::DeviceUnavailable);
    }
}

/// The server gave it up since a call took too long, and opens it again: what it had is wiped and freed once it is done.
#[test]
fn a_device_that_was_given_up_gets_its_memory_back() {
    let Some(device) = device() else { return };
    let client = client();
    let before = device.free_memory().unwrap();
    let program = device.load_program(&layers()).unwrap();
    let key = client.load(&device, None);
    device.evaluate(&program, &[group(&key, &rows(1))]).unwrap();
    device.give_up("a call did not return in time");
    drop((key, program, device));
    let again = Device::open(0).unwrap();
    // A thread frees it.
    for _ in 0..600 {
        if again.free_memory().unwrap() >= before {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{before} bytes were free, {} are", again.free_memory().unwrap());
}
