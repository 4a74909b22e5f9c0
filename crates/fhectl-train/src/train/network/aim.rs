//! What a network learns to say of its rows: a class, or a number.

use super::super::class_weights::ClassWeights;
use super::super::target::StandardTarget;
use crate::data::{Dataset, split_indices};
use candle_core::{D, Device, Tensor};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;

/// What is wanted of each row.
pub(super) enum Aim {
    Classes {
        labels: Vec<u32>,
        classes: usize,
        weights: ClassWeights,
    },
    /// Numbers of mean 0 and deviation 1, and what they stand for.
    Values {
        values: Vec<f32>,
        mean: f64,
        deviation: f64,
    },
}

impl Aim {
    /// # Errors
    /// `target_range`; those of [`Dataset::check_trainable`] for numbers.
    pub(super) fn of(data: &Dataset, weights: &ClassWeights) -> Result<Self> {
        if data.output() == Output::Value {
            let target = StandardTarget::of(data)?;
            let values = target.values.iter().map(|value| *value as f32).collect();
            return Ok(Self::Values { values, mean: target.mean, deviation: target.deviation });
        }
        Ok(Self::Classes { labels: data.labels.clone(), classes: data.classes.len(), weights: weights.clone() })
    }

    /// How many scores say it.
    pub(super) fn scores(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => *classes,
            Self::Values { .. } => 1,
        }
    }

    /// Rows to train on and rows to judge by.
    ///
    /// # Errors
    /// `validation_rows`.
    pub(super) fn split(&self, rows: usize, share: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
        let parts = match self {
            Self::Classes { labels, classes, .. } => split_indices(labels, *classes, share, seed),
            Self::Values { .. } => split_indices(&vec![0; rows], 1, share, seed),
        };
        parts.ok_or_else(|| {
            let what = match self {
                Self::Classes { classes, .. } => format!("{rows} rows of {classes} classes"),
                Self::Values { .. } => format!("{rows} rows"),
            };
            Error::new(ErrorCode::ValidationRows, format!("{what}: too few to keep some back"))
                .hint("give more rows, or a smaller `--test-size`")
        })
    }

    /// What is wanted of the rows at `indices`, `(batch, scores)`: of classes distributions, the label's class but for a share
    /// spread over all, times what the row counts.
    pub(super) fn targets(&self, indices: &[usize], smoothing: f64) -> candle_core::Result<Tensor> {
        let scores = self.scores();
        let out = match self {
            Self::Classes { labels, weights, .. } => {
                let rest = (smoothing / scores as f64) as f32;
                let mut out = vec![rest; indices.len() * scores];
                for (at, row) in indices.iter().enumerate() {
                    out[at * scores + labels[*row] as usize] += 1.0 - smoothing as f32;
                }
                if !weights.is_even() {
                    for (out, row) in out.chunks_mut(scores).zip(indices) {
                        let weight = weights.of(labels[*row]) as f32;
                        out.iter_mut().for_each(|share| *share *= weight);
                    }
                }
                out
            }
            Self::Values { values, .. } => indices.iter().map(|row| values[*row]).collect(),
        };
        Tensor::from_vec(out, (indices.len(), scores), &Device::Cpu)
    }

    /// The mean loss of outputs, `(batch, scores)`.
    pub(super) fn loss(&self, outputs: &Tensor, targets: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Classes { .. } => cross_entropy(outputs, targets),
            Self::Values { .. } => (outputs - targets)?.sqr()?.mean_all(),
        }
    }

    /// How much of these rows is told right: the number of right classes, or of numbers what is explained of the variance,
    /// summed over the rows.
    pub(super) fn right(&self, outputs: &Tensor, rows: &[usize]) -> candle_core::Result<f64> {
        match self {
            Self::Classes { labels, .. } => {
                let best = outputs.argmax(D::Minus1)?.to_vec1::<u32>()?;
                Ok(best.iter().zip(rows).filter(|(best, row)| **best == labels[**row]).count() as f64)
            }
            Self::Values { values, .. } => {
                let said = outputs.flatten_all()?.to_vec1::<f32>()?;
                let explained = |(said, row): (&f32, &usize)| 1.0 - f64::from(said - values[*row]).powi(2);
                Ok(said.iter().zip(rows).map(explained).sum())
            }
        }
    }
}

/// The mean over the batch of `-sum(targets * log_softmax(logits))`.
pub(super) fn cross_entropy(logits: &Tensor, targets: &Tensor) -> candle_core::Result<Tensor> {
    let below_top = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?;
    let log = below_top.broadcast_sub(&below_top.exp()?.sum_keepdim(D::Minus1)?.log()?)?;
    (targets * log)?.sum_all()?.affine(-1.0 / logits.dims()[0] as f64, 0.0)
}
