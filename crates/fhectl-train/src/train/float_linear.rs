//! Linear models in floats, and their integer form.

use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{IntegerLinear, class_of_scores};

/// A linear model in floats: scores `biases[s] + sum_f weights[s][f] * x[f]`.
///
/// Two classes have one row, the margin of class 1; more have a row a class. A number has one row.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatLinear {
    pub weights: Vec<Vec<f64>>,
    pub biases: Vec<f64>,
    /// The features' means over the training rows: where rounded weights are made to agree.
    pub means: Vec<f64>,
    /// The features' standard deviations: how much a rounded weight matters.
    pub deviations: Vec<f64>,
}

impl FloatLinear {
    /// The scores of one row.
    pub fn scores(&self, row: &[f64]) -> Vec<f64> {
        let score = |weights: &Vec<f64>| weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        self.weights.iter().zip(&self.biases).map(|(weights, bias)| bias + score(weights)).collect()
    }

    /// The share of rows of `data` that are classified right, from 0 to 1 (0 without rows). For a
    /// model of unquantized features, as [`super::float_logreg`] makes.
    pub fn accuracy(&self, data: &Dataset) -> f64 {
        let hit = |(row, label): &(&Vec<f64>, &u32)| class_of_scores(&self.scores(row)) == **label as usize;
        data.rows.iter().zip(&data.labels).filter(hit).count() as f64 / data.len().max(1) as f64
    }

    /// The integer model with signed weights of `weight_bits`: `|w| < 2^(weight_bits - 1)`.
    ///
    /// One scale serves all rows, for their scores are compared. It is the one with which scores vary
    /// the least from the float model's, so that a huge weight of a feature that hardly ever varies is
    /// clipped rather than the others lost. Biases take up what changes at the training rows' mean.
    ///
    /// # Errors
    /// `weight_bits` unless these are 2 to 31.
    pub fn to_integer(&self, weight_bits: u32) -> Result<IntegerLinear> {
        if !(2..=31).contains(&weight_bits) {
            return Err(Error::new(ErrorCode::WeightBits, format!("weights of {weight_bits} bits, want 2 to 31")));
        }
        let top = f64::from((1u32 << (weight_bits - 1)) - 1);
        let scales = (1..=64).rev().map(|part| self.largest() / top * f64::from(part) / 64.0);
        let scale = scales.min_by(|a, b| self.error(*a, top).total_cmp(&self.error(*b, top))).unwrap_or(1.0);
        let weights: Vec<Vec<i32>> =
            self.weights.iter().map(|row| row.iter().map(|w| rounded(*w, scale, top) as i32).collect()).collect();
        let biases = (weights.iter().zip(&self.weights).zip(&self.biases))
            .map(|((integers, floats), bias)| {
                let lost =
                    integers.iter().zip(floats).zip(&self.means).map(|((i, f), m)| (f / scale - f64::from(*i)) * m);
                (bias / scale + lost.sum::<f64>()).round() as i64
            })
            .collect();
        Ok(IntegerLinear { weights, biases, scale })
    }

    /// The variance that weights rounded at `scale` add to the scores, were the features independent.
    fn error(&self, scale: f64, top: f64) -> f64 {
        let each = |row: &Vec<f64>| -> f64 {
            row.iter().zip(&self.deviations).map(|(w, d)| ((rounded(*w, scale, top) * scale - w) * d).powi(2)).sum()
        };
        self.weights.iter().map(each).sum()
    }

    pub(super) fn is_finite(&self) -> bool {
        self.weights.iter().flatten().chain(&self.biases).all(|value| value.is_finite())
    }

    /// Whether all weights vanish, or biases of 2^31 times the largest leave integers no room and the features no say.
    pub(super) fn ignores_features(&self) -> bool {
        let largest = self.largest();
        largest == 0.0 || self.biases.iter().any(|bias| bias.abs() / largest > 2f64.powi(31))
    }

    fn largest(&self) -> f64 {
        self.weights.iter().flatten().fold(0.0, |largest, weight| weight.abs().max(largest))
    }
}

fn rounded(weight: f64, scale: f64, top: f64) -> f64 {
    (weight / scale).round().clamp(-top, top)
}
