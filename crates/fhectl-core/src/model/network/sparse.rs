//! Linear maps whose outputs have inputs of their own: what is left of a convolution beside shortcuts and pooling.

use super::super::invalid;
use super::limits::{MAX_WEIGHTS, MAX_WIDTH};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The inputs of each output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparseShape {
    /// The number of inputs.
    pub inputs: usize,
    /// The number of channels: output `i` has the thresholds of channel `i % channels`.
    pub channels: usize,
    /// For each output the indices of its inputs, in increasing order.
    pub rows: Vec<Vec<u32>>,
}

impl SparseShape {
    /// The number of weights of all outputs together.
    pub fn entries(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// Splits `weights` into those of each output.
    pub(super) fn split<'a>(&'a self, weights: &'a [i32]) -> impl Iterator<Item = &'a [i32]> {
        self.rows.iter().scan(weights, |rest, row| {
            let (own, after) = rest.split_at(row.len());
            *rest = after;
            Some(own)
        })
    }

    pub(super) fn apply(&self, weights: &[i32], biases: &[i64], inputs: &[i64]) -> Vec<i64> {
        let sum = |((row, weights), bias): ((&Vec<u32>, &[i32]), &i64)| {
            bias + row.iter().zip(weights).map(|(input, w)| i64::from(*w) * inputs[*input as usize]).sum::<i64>()
        };
        self.rows.iter().zip(self.split(weights)).zip(biases).map(sum).collect()
    }

    /// # Errors
    /// `model_invalid`.
    pub(super) fn check(&self) -> Result<()> {
        let outputs = self.rows.len();
        if [self.inputs, self.channels, outputs].iter().any(|size| *size == 0 || *size > MAX_WIDTH)
            || !outputs.is_multiple_of(self.channels)
        {
            let Self { inputs, channels, .. } = self;
            return Err(invalid(format!("{inputs} inputs, {outputs} outputs, {channels} channels of a sparse map")));
        }
        if self.entries() > MAX_WEIGHTS {
            return Err(invalid(format!("{} weights, at most {MAX_WEIGHTS}", self.entries())));
        }
        for (output, row) in self.rows.iter().enumerate() {
            let increasing = row.windows(2).all(|pair| pair[0] < pair[1]);
            if !increasing || row.last().is_some_and(|last| *last as usize >= self.inputs) {
                return Err(invalid(format!("the inputs of output {output} are not increasing or not there")));
            }
        }
        Ok(())
    }
}
