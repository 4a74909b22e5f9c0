//! Training rows as batches of floats on the quantizer's grid.

use super::augment::Augment;
use crate::data::random::Random;
use crate::data::{Dataset, ImageShape};
use candle_core::{Device, Tensor};
use fhectl_core::error::Result;
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use rayon::prelude::*;

/// Rows where the quantizer sees them, before it rounds.
pub(super) struct Samples {
    pub(super) width: usize,
    /// The highest value of each feature.
    tops: Vec<f32>,
    /// Row after row.
    values: Vec<f32>,
}

/// How rows are shown in an epoch of training.
#[derive(Clone, Copy)]
pub(super) struct Moves {
    pub(super) augment: Option<(Augment, ImageShape)>,
    /// A standard deviation in steps of the quantizer's grid.
    pub(super) jitter: f64,
    /// Differs from epoch to epoch.
    pub(super) seed: u64,
}

impl Samples {
    /// # Errors
    /// `row_shape` where the quantizer is for other rows.
    pub(super) fn new(data: &Dataset, quantizer: &Quantizer) -> Result<Self> {
        let width = quantizer.features.len();
        if let Some(row) = data.rows.iter().find(|row| row.len() != width) {
            quantizer.quantize(row)?;
        }
        let mut values = vec![0f32; data.len() * width];
        values.par_chunks_exact_mut(width).zip(&data.rows).for_each(|(out, row)| {
            out.iter_mut()
                .zip(row)
                .zip(&quantizer.features)
                .for_each(|((out, value), rule)| *out = place(rule, *value));
        });
        let tops = quantizer.features.iter().map(|rule| (rule.levels() - 1) as f32).collect();
        Ok(Self { width, tops, values })
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }

    /// Whether a feature has one value on all these rows.
    pub(super) fn constants(&self, rows: &[usize]) -> Vec<bool> {
        let first = self.row(rows[0]);
        let mut same = vec![true; self.width];
        for row in rows {
            same.iter_mut().zip(self.row(*row)).zip(first).for_each(|((same, value), first)| *same &= value == first);
        }
        same
    }

    /// The rows at `indices`, `(batch, features)`; moved, then rounded, where asked for.
    pub(super) fn batch(&self, indices: &[usize], round: bool, moves: Option<Moves>) -> candle_core::Result<Tensor> {
        let mut out = vec![0f32; indices.len() * self.width];
        out.par_chunks_exact_mut(self.width).zip(indices).for_each(|(out, row)| {
            // A generator a row: the result does not depend on the order that threads take rows in.
            let mut random = Random::new(moves.map_or(0, |moves| moves.seed).wrapping_add(*row as u64));
            match moves.and_then(|moves| moves.augment) {
                Some((augment, image)) => augment.apply(image, self.row(*row), out, &mut random),
                None => out.copy_from_slice(self.row(*row)),
            }
            if let Some(Moves { jitter, .. }) = moves.filter(|moves| moves.jitter > 0.0) {
                let mut moved = |value: f32, top: f32| (value + (jitter * random.normal()) as f32).clamp(0.0, top);
                out.iter_mut().zip(&self.tops).for_each(|(value, top)| *value = moved(*value, *top));
            }
            if round {
                out.iter_mut().zip(&self.tops).for_each(|(value, top)| *value = value.round().min(*top));
            }
        });
        Tensor::from_vec(out, (indices.len(), self.width), &Device::Cpu)
    }
}

/// Where a value lies on a rule's grid, between its levels.
fn place(rule: &FeatureQuantizer, value: f64) -> f32 {
    match rule {
        FeatureQuantizer::Edges { .. } => rule.quantize(value) as f32,
        FeatureQuantizer::Affine { low, step, levels } => {
            ((value - low) / step).clamp(0.0, f64::from(levels - 1)) as f32
        }
    }
}
