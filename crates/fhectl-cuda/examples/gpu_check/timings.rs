//! How long keys and evaluations take.

use crate::mode::Mode;
use crate::shapes::{Client, bootstraps, shapes};
use fhectl_core::error::Result;
use fhectl_core::fhe::Random;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_cuda::Device;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Bootstraps of one evaluation.
const BATCHES: [usize; 11] = [1, 8, 32, 64, 132, 264, 528, 1056, 2112, 3168, 4224];

/// A key's way to the device.
#[derive(Serialize)]
pub struct KeyTiming {
    shape: &'static str,
    wire_bytes: usize,
    device_bytes: usize,
    /// Median, from bytes in memory to a key that is ready.
    seconds: f64,
}

/// An evaluation of one row, from inputs in memory to results in memory.
#[derive(Serialize)]
pub struct Latency {
    shape: &'static str,
    bootstraps: usize,
    /// Whether encryptions of zero made noise new.
    zeros: bool,
    runs: usize,
    /// Median.
    seconds: f64,
    bootstraps_per_second: f64,
}

/// The median time of a key of each shape.
pub fn keys(device: &Device, mode: Mode) -> Result<Vec<KeyTiming>> {
    let shapes = shapes(mode).into_iter().map(|shape| {
        let client = Client::new(&shape);
        let (seconds, _) = median(mode, || client.load(device).map(drop))?;
        Ok(KeyTiming {
            shape: shape.name,
            wire_bytes: client.wire.len(),
            device_bytes: device.key_bytes(&client.parts, Some(client.big.shape())),
            seconds,
        })
    });
    shapes.collect()
}

/// The median time of evaluations by the number of their bootstraps.
pub fn latencies(device: &Device, mode: Mode) -> Result<Vec<Latency>> {
    let mut all = Vec::new();
    let all_shapes = shapes(mode);
    for shape in if mode == Mode::Full { &all_shapes[..] } else { &all_shapes[..1] } {
        let client = Client::new(shape);
        let key = client.load(device)?;
        let public = client.rerandomizer()?;
        let mut random = Random::fresh(&mut OsEntropy);
        for bootstraps_of_row in if mode == Mode::Full { &BATCHES[..] } else { &BATCHES[..1] } {
            let count = *bootstraps_of_row;
            let layers = bootstraps(count, shape);
            let program = device.load_program(&layers)?;
            let rows = client.uniform_rows(1, count);
            for zeros in [false, true] {
                let (seconds, runs) = median(mode, || {
                    let of_layers = layers.iter().filter(|_| zeros).map(|_| Zeros::new(&public, &mut random));
                    let group = Group { key: &key, rows: rows.clone(), zeros: of_layers.collect() };
                    device.evaluate(&program, &[group]).map(drop)
                })?;
                let rate = count as f64 / seconds;
                let shape = shape.name;
                all.push(Latency { shape, bootstraps: count, zeros, runs, seconds, bootstraps_per_second: rate });
            }
        }
    }
    Ok(all)
}

/// The median of runs for a quarter of a second, five at least; of one where little is asked for.
fn median(mode: Mode, mut run: impl FnMut() -> Result<()>) -> Result<(f64, usize)> {
    let mut times: Vec<Duration> = Vec::new();
    if mode == Mode::Full {
        run()?;
    }
    let started = Instant::now();
    loop {
        let before = Instant::now();
        run()?;
        times.push(before.elapsed());
        let enough = times.len() >= 5 && started.elapsed() > Duration::from_millis(250);
        if mode != Mode::Full || enough {
            break;
        }
    }
    times.sort_unstable();
    Ok((times[times.len() / 2].as_secs_f64(), times.len()))
}
