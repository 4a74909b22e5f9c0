//! Sums and keyswitches, which are the processor's word for word, and encryptions of zero, which are its words but for a unit.

use crate::mode::Mode;
use crate::shapes::{Client, bootstraps, shapes};
use fhectl_core::error::Result;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::cpu::Cpu;
use fhectl_core::fhe::layer::Layer;
use fhectl_core::fhe::list::{LweList, Term, narrow};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweList, Random};
use fhectl_cuda::{Device, Key};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;

/// Ciphertexts that were compared.
#[derive(Serialize)]
pub struct Words {
    what: String,
    ciphertexts: usize,
    /// Ciphertexts that differ in any word; encryptions of zero, by more than a unit.
    pub different: usize,
}

impl Words {
    fn new(what: impl Into<String>, got: &LweList, want: &LweList) -> Self {
        let differ = |index: &usize| *index >= got.len() || got.row(*index) != want.row(*index);
        Self { what: what.into(), ciphertexts: want.len(), different: (0..want.len()).filter(differ).count() }
    }
}

/// Sums of dense and of few weights, encryptions of zero, keyswitches, and bootstraps with themselves.
pub fn check(device: &Device, mode: Mode) -> Result<Vec<Words>> {
    let (rows, inputs) = if mode == Mode::Full { (16, 784) } else { (2, 70) };
    let mut random = Random::fresh(&mut OsEntropy);
    let mut all = Vec::new();
    for shape in shapes(mode) {
        let client = Client::new(&shape);
        let rows = client.uniform_rows(rows, inputs);
        for (what, step) in [("dense", 1), ("sparse", 29)] {
            let layer = layer(inputs, 64, step, &mut random);
            all.push(sums(device, format!("{}: {what} sums", shape.name), layer, &rows)?);
        }
        let key = client.load(device)?;
        all.push(zeros(device, format!("{}: encryptions of zero", shape.name), &client, &key, mode)?);
        if shape.keyswitch.is_some() {
            let list = LweList::concat(rows.iter().map(GlweList::to_list));
            let want = client.load(&Cpu)?.keyswitch(1)?.switch(&list);
            all.push(Words::new(format!("{}: keyswitches", shape.name), &device.keyswitch(&key, 1, &list)?, &want));
        }
    }
    all.push(threads(device, mode)?);
    Ok(all)
}

/// So many sums, each of every `step`-th input with random weights.
fn layer(inputs: usize, sums: usize, step: usize, random: &mut Random) -> Layer {
    let mut sum = |first: usize| -> Vec<Term> {
        let term = |input: usize| Term { input: input as u32, weight: random.word() as i32 % 1000 };
        (first % step..inputs).step_by(step).map(term).collect()
    };
    let sums: Vec<Vec<Term>> = (0..sums).map(&mut sum).collect();
    let constants = sums.iter().map(|_| random.word()).collect();
    Layer { sums, constants, look_up: None }
}

fn sums(device: &Device, what: String, layer: Layer, rows: &[GlweList]) -> Result<Words> {
    let layers: Arc<[Layer]> = Arc::new([layer]);
    let (on_device, on_processor) = (device.load_key(&[], None, &[], None)?, Cpu.load_key(&[], None, &[], None)?);
    let program = device.load_program(&layers)?;
    let got = device.evaluate(&program, &[Group { key: &on_device, rows: rows.to_vec(), zeros: Vec::new() }])?;
    let want = Cpu.evaluate(&layers, &[Group { key: &on_processor, rows: rows.to_vec(), zeros: Vec::new() }])?;
    Ok(Words::new(what, &got[0], &want[0]))
}

/// Encryptions of zero: those that are not the processor's up to one unit of 2^-32.
fn zeros(device: &Device, what: String, client: &Client, key: &Key, mode: Mode) -> Result<Words> {
    let public = client.rerandomizer()?;
    let zeros = Zeros::new(&public, &mut Random::fresh(&mut OsEntropy));
    let (shape, count) = (public.shape(), if mode == Mode::Full { 2000 } else { 5 });
    let words = shape.lwe_dimension() + shape.size;
    let got = device.encrypt_zeros(&[(key, &zeros, 0..count)])?;
    let differs = |index: usize, got: &[u32]| {
        let mut want = vec![0; words];
        zeros.add(index, &mut want);
        got.iter().zip(&want).any(|(got, want)| (got.wrapping_sub(narrow(*want)) as i32).unsigned_abs() > 1)
    };
    let different = got.par_chunks(words).enumerate().filter(|(index, got)| differs(*index, got)).count();
    Ok(Words { what, ciphertexts: count, different })
}

/// Several threads at once get what one gets, time after time.
fn threads(device: &Device, mode: Mode) -> Result<Words> {
    let (threads, times, each) = if mode == Mode::Full { (8, 20, 200) } else { (2, 1, 2) };
    let shape = shapes(mode).pop().expect("there are shapes");
    let client = Client::new(&shape);
    let rows = client.uniform_rows(1, each);
    let key = client.load(device)?;
    let program = device.load_program(&bootstraps(each, &shape))?;
    let evaluate = || -> Result<LweList> {
        let group = Group { key: &key, rows: rows.clone(), zeros: Vec::new() };
        Ok(device.evaluate(&program, &[group])?.remove(0))
    };
    let want = evaluate()?;
    let repeat = || -> Result<Words> {
        let mut all = Words { what: String::new(), ciphertexts: 0, different: 0 };
        for _ in 0..times {
            let words = Words::new("", &evaluate()?, &want);
            all.ciphertexts += words.ciphertexts;
            all.different += words.different;
        }
        Ok(all)
    };
    let each: Vec<Result<Words>> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(repeat)).collect();
        all.into_iter().map(|thread| thread.join().expect("a thread that ends")).collect()
    });
    let mut all = Words { what: format!("bootstraps of {threads} threads at once"), ciphertexts: 0, different: 0 };
    for words in each {
        let words = words?;
        all.ciphertexts += words.ciphertexts;
        all.different += words.different;
    }
    Ok(all)
}
