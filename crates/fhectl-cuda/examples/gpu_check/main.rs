//! Checks a real GPU, and measures it: `gpu_check [--quick | --sanitize] [--device N]`.
//!
//! It needs a driver and nothing else. Bootstraps are compared with what they encrypt and with the formula of their noise,
//! sums and keyswitches with the processor's word for word, encryptions of zero up to a unit. It prints one JSON document, and
//! exits with 1 where anything is wrong.
//!
//! `--quick` computes little, for emulated devices. `--sanitize` computes little under small keys and measures nothing, for
//! `compute-sanitizer`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod expected;
mod mode;
// Other tests use the rest of it.
#[allow(dead_code)]
#[path = "../../../../tests/common/opened.rs"]
mod opened;
mod results;
mod shapes;
mod timings;
mod words;

use fhectl_core::error::Result;
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_cuda::Device;
use mode::Mode;
use results::Results;
use serde::Serialize;
use std::process::ExitCode;
use timings::{KeyTiming, Latency};
use words::Words;

/// What is printed.
#[derive(Serialize)]
struct Report {
    device: String,
    multiprocessors: usize,
    memory_bytes: usize,
    mode: Mode,
    /// From the start until the kernels are compiled for the device.
    open_seconds: f64,
    /// Whether everything is right.
    ok: bool,
    bootstraps: Vec<Results>,
    words: Vec<Words>,
    keys: Vec<KeyTiming>,
    latencies: Vec<Latency>,
    profile: Option<DeviceProfile>,
    seconds: f64,
}

fn main() -> ExitCode {
    let (mode, ordinal) = match mode::arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match check(mode, ordinal) {
        Ok(report) => {
            println!("{}", serde_json::to_string_pretty(&report).expect("a report is JSON"));
            if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}{}", error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn check(mode: Mode, ordinal: usize) -> Result<Report> {
    let started = std::time::Instant::now();
    let device = Device::open(ordinal)?;
    let open_seconds = started.elapsed().as_secs_f64();
    let (description, memory_bytes) = (device.description().to_owned(), device.total_memory()?);
    eprintln!("{description}: sums, encryptions of zero, and keyswitches");
    let words = words::check(&device, mode)?;
    let (device, bootstraps) = results::check(device, mode)?;
    let (keys, latencies, profile) = if mode == Mode::Sanitize {
        (Vec::new(), Vec::new(), None)
    } else {
        eprintln!("times");
        (timings::keys(&device, mode)?, timings::latencies(&device, mode)?, Some(device.profile()?))
    };
    Ok(Report {
        device: description,
        multiprocessors: device.multiprocessors(),
        memory_bytes,
        mode,
        open_seconds,
        ok: bootstraps.iter().all(|results| results.ok) && words.iter().all(|words| words.different == 0),
        bootstraps,
        words,
        keys,
        latencies,
        profile,
        seconds: started.elapsed().as_secs_f64(),
    })
}
