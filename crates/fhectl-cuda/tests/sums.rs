//! Sums on a device are the processor's, word for word.

mod support;

use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::cpu::{Cpu, CpuKey};
use fhectl_core::fhe::layer::Layer;
use fhectl_core::fhe::list::Term;
use fhectl_core::fhe::{GlweList, Random};
use fhectl_cuda::Device;
use std::sync::Arc;
use support::{device, group, random, uniform_row, words};

/// So many sums, each of every `step`-th input with random weights.
fn layer(inputs: usize, sums: usize, step: usize, random: &mut Random) -> Layer {
    let mut sum = |first: usize| {
        let term = |input: usize| Term { input: input as u32, weight: random.word() as i32 % 1000 };
        (first % step..inputs).step_by(step).map(term).collect()
    };
    let sums: Vec<Vec<Term>> = (0..sums).map(&mut sum).collect();
    let constants = sums.iter().map(|_| random.word()).collect();
    Layer { sums, constants, look_up: None }
}

fn compare(device: &Device, layers: Vec<Layer>, groups: &[Vec<GlweList>]) {
    let layers: Arc<[Layer]> = layers.into();
    assert!(device.supports(&[], &layers));
    let program = device.load_program(&layers).unwrap();
    let key = device.load_key(&[], None, &[], None).unwrap();
    let on_device: Vec<_> = groups.iter().map(|rows| group(&key, rows)).collect();
    let got = device.evaluate(&program, &on_device).unwrap();
    let key = CpuKey::unpack(&[], &[], None).unwrap();
    let on_processor: Vec<_> = groups.iter().map(|rows| group(&key, rows)).collect();
    let want = Cpu.evaluate(&layers, &on_processor).unwrap();
    for ((got, want), rows) in got.iter().zip(&want).zip(groups) {
        if !rows.is_empty() {
            assert_eq!(got, want);
        }
        assert_eq!(words(got).len(), rows.len() * layers.last().unwrap().sums.len());
    }
}

#[test]
fn sums_are_the_processors_word_for_word() {
    let Some(device) = device() else { return };
    let mut random = random(1);
    for (dimension, inputs, dense) in [(640, 70, true), (512, 41, false), (777, 9, true), (64, 130, false)] {
        let rows = |count: usize, random: &mut Random| -> Vec<GlweList> {
            (0..count).map(|_| uniform_row(dimension, inputs + 3, random)).collect()
        };
        let groups = [rows(2, &mut random), Vec::new(), rows(3, &mut random)];
        let step = if dense { 2 } else { 7 };
        let layers = vec![layer(inputs, 13, step, &mut random), layer(13, 5, step, &mut random)];
        compare(&device, layers, &groups);
    }
}

#[test]
fn rows_that_do_not_fit_at_once_are_computed_in_pieces() {
    let Some(device) = device() else { return };
    let device = device.with_scratch(100_000);
    let mut random = random(2);
    let groups: Vec<Vec<GlweList>> =
        [4, 9].map(|count| (0..count).map(|_| uniform_row(512, 6, &mut random)).collect()).into();
    compare(&device, vec![layer(6, 7, 2, &mut random)], &groups);
}

#[test]
fn a_layer_may_be_constants_alone() {
    let Some(device) = device() else { return };
    let empty = Layer { sums: vec![Vec::new(); 2], constants: vec![1 << 40, 7 << 60], look_up: None };
    compare(&device, vec![empty], &[vec![uniform_row(512, 1, &mut random(3))]]);
}

#[test]
fn no_rows_are_no_answers() {
    let Some(device) = device() else { return };
    let program = device.load_program(&Arc::from([support::identity(1)])).unwrap();
    assert!(device.evaluate(&program, &[]).unwrap().is_empty());
    let key = device.load_key(&[], None, &[], None).unwrap();
    assert!(device.evaluate(&program, &[group(&key, &[])]).unwrap()[0].is_empty());
}

#[test]
fn layers_that_do_not_fit_each_other_are_refused() {
    let Some(device) = device() else { return };
    let few = Layer { constants: Vec::new(), ..support::identity(3) };
    for layers in [vec![support::identity(2), support::identity(3)], vec![few]] {
        let error = device.load_program(&Arc::from(layers)).map(drop).unwrap_err();
        assert_eq!(error.code, ErrorCode::DeviceFailed);
    }
}

#[test]
fn rows_of_another_model_are_refused() {
    let Some(device) = device() else { return };
    let mut random = random(4);
    let program = device.load_program(&Arc::from([support::identity(5)])).unwrap();
    let key = device.load_key(&[], None, &[], None).unwrap();
    let too_few = [uniform_row(512, 4, &mut random)];
    let different = [uniform_row(512, 5, &mut random), uniform_row(640, 5, &mut random)];
    for rows in [&too_few[..], &different] {
        let error = device.evaluate(&program, &[group(&key, rows)]).unwrap_err();
        assert_eq!(error.code, ErrorCode::CiphertextInvalid);
    }
}
