//! A layer's sums while it is trained: weights that an original has in common stay common.

use crate::import::network::float_graph::Affine;
use std::collections::HashMap;
use std::ops::Range;

/// Sparse sums over shared parameters. Equal coefficients of a channel are one parameter: so the places of a filter share
/// its weights, however it was folded into others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TiedMap {
    pub(super) channels: usize,
    /// The terms of each sum.
    terms: Vec<Range<usize>>,
    inputs: Vec<u32>,
    /// The parameter of each term, and of each sum's bias.
    ties: Vec<u32>,
    bias_ties: Vec<u32>,
    pub(super) values: Vec<f32>,
    /// Parameters that stay as they are: they hand on a value.
    fixed: Vec<bool>,
    /// What a step of each parameter is measured in: what moves its channel's sums by a typical weight's share.
    pub(super) units: Vec<f32>,
}

/// A map's weights rounded to the integers that encrypted inference has, in floats.
pub(super) struct RoundedMap {
    /// One a term.
    weights: Vec<f32>,
    /// What a sum is where all its inputs are lowest.
    constants: Vec<f32>,
}

/// What rounding depends on: lowest values and steps of the inputs, factors of the channels.
pub(super) struct Rounder<'a> {
    pub(super) lows: &'a [f32],
    pub(super) steps: &'a [f32],
    pub(super) factors: &'a [f32],
}

impl TiedMap {
    /// Of rows whose channel is their index modulo `channels`, over inputs of these ranges.
    pub(super) fn new(rows: &[Affine], channels: usize, ranges: &[f64]) -> Self {
        let count = rows.iter().map(|row| row.terms.len()).sum();
        let mut map = Self {
            channels,
            terms: Vec::with_capacity(rows.len()),
            inputs: Vec::with_capacity(count),
            ties: Vec::with_capacity(count),
            bias_ties: Vec::with_capacity(rows.len()),
            values: Vec::new(),
            fixed: Vec::new(),
            units: Vec::new(),
        };
        let reach = |input: u32| if ranges[input as usize] > 0.0 { ranges[input as usize] } else { 1.0 };
        let typical = typical(rows, channels, reach);
        let mut known: HashMap<(usize, bool, u64), u32> = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            let channel = index % channels;
            let copies = row.bias == 0.0 && matches!(row.single(), Some((_, 1.0)));
            let mut tie = |map: &mut Self, bias: bool, value: f64, reach: f64| {
                *known.entry((channel, bias, value.to_bits())).or_insert_with(|| {
                    map.values.push(value as f32);
                    map.fixed.push(copies);
                    map.units.push((typical[channel] / reach) as f32);
                    map.values.len() as u32 - 1
                })
            };
            let first = map.inputs.len();
            for (input, coefficient) in &row.terms {
                map.inputs.push(*input);
                let tie = tie(&mut map, false, *coefficient, reach(*input));
                map.ties.push(tie);
            }
            let tie = tie(&mut map, true, row.bias, 1.0);
            map.bias_ties.push(tie);
            map.terms.push(first..map.inputs.len());
        }
        map
    }

    pub(super) fn outputs(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn term_count(&self) -> usize {
        self.inputs.len()
    }

    /// The rows that the parameters stand for, as they are rounded.
    pub(super) fn rows(&self, rounded: &RoundedMap) -> Vec<Affine> {
        let row = |(range, bias): (&Range<usize>, &u32)| Affine {
            bias: f64::from(self.values[*bias as usize]),
            terms: range
                .clone()
                .map(|at| (self.inputs[at], f64::from(rounded.weights[at])))
                .filter(|(_, c)| *c != 0.0)
                .collect(),
        };
        self.terms.iter().zip(&self.bias_ties).map(row).collect()
    }

    /// The rows that the parameters stand for, as they are.
    pub(super) fn floats(&self) -> Vec<Affine> {
        let value = |tie: u32| f64::from(self.values[tie as usize]);
        let row = |(range, bias): (&Range<usize>, &u32)| Affine {
            bias: value(*bias),
            terms: range.clone().map(|at| (self.inputs[at], value(self.ties[at]))).collect(),
        };
        self.terms.iter().zip(&self.bias_ties).map(row).collect()
    }

    pub(super) fn rounded(&self, rounder: &Rounder<'_>) -> RoundedMap {
        let mut weights = Vec::with_capacity(self.inputs.len());
        let mut constants = Vec::with_capacity(self.terms.len());
        for (index, range) in self.terms.iter().enumerate() {
            let factor = rounder.factors[index % self.channels];
            let mut constant = self.values[self.bias_ties[index] as usize];
            for at in range.clone() {
                let (input, tie) = (self.inputs[at] as usize, self.ties[at] as usize);
                let value = self.values[tie];
                constant += value * rounder.lows[input];
                let worth = rounder.steps[input] * factor;
                let whole = self.fixed[tie] || worth <= 0.0;
                weights.push(if whole { value } else { (value * worth).round() / worth });
            }
            constants.push(constant);
        }
        RoundedMap { weights, constants }
    }

    /// Sums of inputs, given as what they are above their lowest values.
    pub(super) fn sums(&self, rounded: &RoundedMap, above: &[f32]) -> Vec<f32> {
        let sum = |(range, constant): (&Range<usize>, &f32)| {
            let products = self.inputs[range.clone()].iter().zip(&rounded.weights[range.clone()]);
            constant + products.map(|(input, weight)| weight * above[*input as usize]).sum::<f32>()
        };
        self.terms.iter().zip(&rounded.constants).map(sum).collect()
    }

    /// Adds to the parameters' slopes what follows from those of the sums, and returns the inputs' slopes.
    pub(super) fn back(
        &self,
        rounded: &RoundedMap,
        above: &[f32],
        lows: &[f32],
        of_sums: &[f32],
        slopes: &mut [f32],
    ) -> Vec<f32> {
        let mut of_inputs = vec![0.0; above.len()];
        for (index, range) in self.terms.iter().enumerate() {
            let slope = of_sums[index];
            if slope == 0.0 {
                continue;
            }
            slopes[self.bias_ties[index] as usize] += slope;
            for at in range.clone() {
                let input = self.inputs[at] as usize;
                // Rounding passes the slope straight through.
                slopes[self.ties[at] as usize] += slope * (above[input] + lows[input]);
                of_inputs[input] += slope * rounded.weights[at];
            }
        }
        of_inputs
    }

    /// Whether a parameter stays as it is.
    pub(super) fn is_fixed(&self, parameter: usize) -> bool {
        self.fixed[parameter]
    }
}

/// The root mean square, a channel, of what an input moves its sums by over its range.
fn typical(rows: &[Affine], channels: usize, reach: impl Fn(u32) -> f64) -> Vec<f64> {
    let mut squares = vec![(0.0, 0usize); channels];
    for (index, row) in rows.iter().enumerate() {
        let (sum, count) = &mut squares[index % channels];
        *sum += row.terms.iter().map(|(input, coefficient)| (coefficient * reach(*input)).powi(2)).sum::<f64>();
        *count += row.terms.len();
    }
    squares.into_iter().map(|(sum, count)| (sum / count.max(1) as f64).sqrt().max(1e-30)).collect()
}
