//! Bootstraps of every shape by every kernel.

use crate::expected::Errors;
use crate::mode::Mode;
use crate::shapes::{Client, Shape, bootstraps, shapes};
use fhectl_core::error::Result;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::cpu::Cpu;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweList, Random, public_key};
use fhectl_cuda::{Device, Variant};
use serde::Serialize;

/// How far a key's own variance may be below the formula, which takes keys for as heavy as they may be, and above.
const BELOW: f64 = 0.15;
const ABOVE: f64 = 0.03;

/// Bootstraps of one shape by one kernel.
#[derive(Serialize)]
pub struct Results {
    shape: &'static str,
    lwe_dimension: usize,
    glwe_dimension: usize,
    base_log: u32,
    /// Nothing where the device chose by itself.
    variant: Option<Variant>,
    /// Whether noise was made new by encryptions of zero.
    zeros: bool,
    bootstraps: usize,
    wrong: usize,
    measured: usize,
    /// Measured variance, divided by the formula's, where enough was measured; the processor's beside it, of fewer
    /// bootstraps.
    variance_ratio: Option<f64>,
    processor_variance_ratio: Option<f64>,
    lowest: f64,
    highest: f64,
    pub ok: bool,
}

/// All shapes and kernels. Hands the device back as it was.
pub fn check(mut device: Device, mode: Mode) -> Result<(Device, Vec<Results>)> {
    let mut all = Vec::new();
    // Blocks of several ciphertexts have empty slots, and there is more than one piece.
    let (rows, each) = match mode {
        Mode::Full => (10, 1000),
        Mode::Quick => (1, 2),
        Mode::Sanitize => (3, 7),
    };
    for shape in shapes(mode) {
        eprintln!("{}: bootstraps", shape.name);
        let client = Client::new(&shape);
        let rows = client.uniform_rows(rows, each);
        let inputs = LweList::concat(rows.iter().map(GlweList::to_list));
        let layers = bootstraps(each, &shape);
        let processor = if mode == Mode::Full {
            let key = client.load(&Cpu)?;
            let few = &rows[..1];
            let group = Group { key: &key, rows: few.to_vec(), zeros: Vec::new() };
            let results = Cpu.evaluate(&layers, &[group])?.remove(0);
            let inputs = LweList::concat(few.iter().map(GlweList::to_list));
            Errors::of(&shape, &client, [&inputs, &results], each, 0.0).ratio()
        } else {
            None
        };
        let (key, program) = (client.load(&device)?, device.load_program(&layers)?);
        for variant in [Variant::Block, Variant::Pair, Variant::Warp].map(Some) {
            device = device.with_variant(variant);
            let group = Group { key: &key, rows: rows.clone(), zeros: Vec::new() };
            let results = device.evaluate(&program, &[group])?.remove(0);
            let errors = Errors::of(&shape, &client, [&inputs, &results], each, 0.0);
            let (lowest, highest) = (1.0 - BELOW - errors.chance(), 1.0 + ABOVE + errors.chance());
            let mut results = Results::new(&shape, variant, &errors, inputs.len(), [lowest, highest]);
            results.processor_variance_ratio = processor;
            all.push(results);
        }
        device = device.with_variant(None);
        all.push(with_zeros(&device, &shape, &client, &rows)?);
    }
    Ok((device, all))
}

/// The same with encryptions of zero, in one call with a second client that has none.
fn with_zeros(device: &Device, shape: &Shape, client: &Client, rows: &[GlweList]) -> Result<Results> {
    let public = client.rerandomizer()?;
    let other = Client::new(shape);
    let each = rows[0].bodies().len();
    let layers = bootstraps(each, shape);
    let program = device.load_program(&layers)?;
    let keys = [client.load(device)?, other.load(device)?];
    let mut random = Random::fresh(&mut OsEntropy);
    let zeros = layers.iter().map(|_| Zeros::new(&public, &mut random)).collect();
    let first = Group { key: &keys[0], rows: rows.to_vec(), zeros };
    let second = Group { key: &keys[1], rows: rows.to_vec(), zeros: Vec::new() };
    let results = device.evaluate(&program, &[first, second])?;
    let inputs = LweList::concat(rows.iter().map(GlweList::to_list));
    let of_other = Errors::of(shape, &other, [&inputs, &results[1]], each, 0.0);
    let more = public_key::zero_variance(shape.bootstrap.output);
    let errors = Errors::of(shape, client, [&inputs, &results[0]], each, more);
    // The noise of zeros depends on the one public key: it is about 1/1.4 of the formula's.
    let mut results = Results::new(shape, None, &errors, inputs.len(), [0.15, 3.0]);
    results.zeros = true;
    results.wrong += of_other.wrong();
    results.bootstraps *= 2;
    results.ok &= of_other.wrong() == 0;
    Ok(results)
}

impl Results {
    fn new(shape: &Shape, variant: Option<Variant>, errors: &Errors, count: usize, bounds: [f64; 2]) -> Self {
        let (ratio, [lowest, highest]) = (errors.ratio(), bounds);
        let noise = ratio.is_none_or(|ratio| (lowest..=highest).contains(&ratio));
        Self {
            shape: shape.name,
            lwe_dimension: shape.bootstrap.lwe_dimension,
            glwe_dimension: shape.bootstrap.output.dimension,
            base_log: shape.bootstrap.base_log,
            variant,
            zeros: false,
            bootstraps: count,
            wrong: errors.wrong(),
            measured: errors.measured(),
            variance_ratio: ratio,
            processor_variance_ratio: None,
            lowest,
            highest,
            ok: noise && errors.wrong() == 0,
        }
    }
}
