//! Gradients of our own candle operations against differences.

use super::aim::cross_entropy;
use super::round_op::RoundedWeights;
use super::staircase_op::{Moments, Staircase, Statistics};
use crate::data::random::Random;
use candle_core::{Device, Tensor, Var};
use std::sync::{Arc, Mutex};

/// The derivative of `loss` by every element of `var`, from differences.
fn differences(var: &Var, loss: &dyn Fn() -> f32) -> Vec<f32> {
    let (shape, values) = (var.shape().clone(), var.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    let set = |values: &[f32]| var.set(&Tensor::from_slice(values, &shape, &Device::Cpu).unwrap()).unwrap();
    let step = 1e-2;
    let slopes = (0..values.len()).map(|at| {
        let mut moved = values.clone();
        moved[at] += step;
        set(&moved);
        let up = loss();
        moved[at] -= 2.0 * step;
        set(&moved);
        (up - loss()) / (2.0 * step)
    });
    let slopes = slopes.collect();
    set(&values);
    slopes
}

#[test]
fn gradients_of_our_own_operations_are_right() {
    let mut random = Random::new(11);
    let mut draw = |rows: usize, columns: usize| {
        let values: Vec<f32> = (0..rows * columns).map(|_| random.normal() as f32).collect();
        Var::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
    };
    let (z, mix, weights) = (draw(9, 3), draw(9, 3), draw(4, 5));
    let gain = Var::new(&[0.1f32, -0.3, 0.2], &Device::Cpu).unwrap();
    let shift = Var::new(&[0.3f32, -0.1, 0.0], &Device::Cpu).unwrap();
    // Without rounding, and wide enough that nothing is cut off.
    let loss = || {
        let statistics = Statistics::Batch(Arc::new(Mutex::new(Moments::default())));
        let line = Staircase { low: -50.0, high: 50.0, sign: false, round: false, noise: None, statistics };
        let out = z.apply_op3(&gain, &shift, line).unwrap();
        ((&out * mix.as_tensor()).unwrap() + out.sqr().unwrap()).unwrap().sum_all().unwrap()
    };
    let value = |loss: &Tensor| loss.to_scalar::<f32>().unwrap();
    let grads = loss().backward().unwrap();
    for var in [&z, &gain, &shift] {
        let got = grads.get(var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (got, wanted) in got.iter().zip(differences(var, &|| value(&loss()))) {
            assert!((got - wanted).abs() < 0.02 * (1.0 + wanted.abs()), "{got} {wanted}");
        }
    }
    let targets = draw(4, 5);
    for shared in [false, true] {
        let rounding = RoundedWeights { norm: 2.0, top: 7.0, shared, round: false };
        let loss = || cross_entropy(&rounding.apply(&weights).unwrap(), &targets).unwrap();
        let grads = loss().backward().unwrap();
        let got = grads.get(&weights).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (got, wanted) in got.iter().zip(differences(&weights, &|| value(&loss()))) {
            assert!((got - wanted).abs() < 0.01 * (1.0 + wanted.abs()), "{got} {wanted}");
        }
    }
}
