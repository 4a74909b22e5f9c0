//! One layer's integers: steps of its activations, rounded weights, its plaintext modulus.

use super::float_graph::Affine;
use super::function::Function;
use super::levels::Layer;
use crate::train::modulus_holding;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Activation, LinearMap, MapShape, NetworkLayer, SparseShape};
use rayon::prelude::*;

/// Room for rows that were not seen: the modulus holds sums this many times as far out as those of calibration, or all that
/// there can be.
const SLACK: f64 = 1.25;
/// No weight is larger.
const MAX_WEIGHT: f64 = 1e6;

/// Evenly spaced values `low + step * 0..steps`; a step of 0 is a value that never changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub(super) low: f64,
    pub(super) step: f64,
    pub(super) steps: usize,
}

/// What a layer is given: grids of its inputs, and the inputs of every calibration row in floats and in steps.
///
/// Values that never change are no inputs of the integer layer: sums take them as part of their bias.
pub(super) struct Before {
    pub(super) grids: Vec<Grid>,
    /// Where each value stands among the integer layer's inputs.
    pub(super) place: Vec<u32>,
    pub(super) floats: Vec<Vec<f64>>,
    pub(super) integers: Vec<Vec<i64>>,
}

/// A sum of integers: its bias, and inputs with their weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IntegerSum {
    pub(super) bias: i64,
    pub(super) terms: Vec<(u32, i32)>,
}

/// How finely a layer is rounded.
pub(super) struct Rounding {
    /// Of an activation.
    pub(super) steps: usize,
    /// The largest weight of a typical channel.
    pub(super) top: f64,
    /// The share of values that a range leaves out at either end.
    pub(super) tail: f64,
    pub(super) noise: f64,
}

/// One channel of a layer before it is scaled.
struct Channel {
    grid: Grid,
    /// Sums from which on the next step is nearest.
    thresholds: Vec<f64>,
    /// How far half the modulus must reach.
    need: f64,
    /// The largest weight on steps of the inputs.
    largest: f64,
    /// Whether it hands on one input, step for step.
    copies: bool,
}

impl Before {
    /// A row over steps of the integer layer's inputs.
    pub(super) fn on_steps(&self, row: &Affine) -> Affine {
        let mut bias = row.bias;
        let mut terms = Vec::with_capacity(row.terms.len());
        for (input, coefficient) in &row.terms {
            let grid = self.grids[*input as usize];
            bias += coefficient * grid.low;
            if grid.step > 0.0 {
                terms.push((self.place[*input as usize], coefficient * grid.step));
            }
        }
        Affine { bias, terms }
    }

    /// The sums of all calibration rows.
    pub(super) fn sums(&self, rows: &[IntegerSum]) -> Vec<Vec<i64>> {
        let of = |inputs: &Vec<i64>| rows.iter().map(|sum| sum.value(inputs)).collect();
        self.integers.par_iter().map(of).collect()
    }

    /// The number of the integer layer's inputs.
    pub(super) fn inputs(&self) -> usize {
        self.integers.first().map_or(0, Vec::len)
    }

    /// The highest step of each of the integer layer's inputs.
    pub(super) fn tops(&self) -> Vec<i64> {
        let mut tops = vec![0; self.inputs()];
        for (grid, place) in self.grids.iter().zip(&self.place).filter(|(grid, _)| grid.step > 0.0) {
            tops[*place as usize] = grid.steps as i64 - 1;
        }
        tops
    }

    /// The grid of the one value that all `rows` hand on as it is.
    fn copied(&self, rows: &[&Affine]) -> Option<Grid> {
        let own = |row: &&Affine| match row.single() {
            Some((input, 1.0)) if row.bias == 0.0 => Some(self.grids[input as usize]),
            _ => None,
        };
        let first = own(rows.first()?)?;
        (first.step > 0.0 && rows.iter().all(|row| own(row) == Some(first))).then_some(first)
    }
}

impl IntegerSum {
    /// `row`, times `factor`, in whole numbers.
    pub(super) fn rounded(row: &Affine, factor: f64) -> Self {
        let weight = |coefficient: f64| (coefficient * factor).round().clamp(-MAX_WEIGHT, MAX_WEIGHT) as i32;
        let terms = row.terms.iter().map(|(input, coefficient)| (*input, weight(*coefficient)));
        Self { bias: (row.bias * factor).round() as i64, terms: terms.filter(|(_, weight)| *weight != 0).collect() }
    }

    fn value(&self, inputs: &[i64]) -> i64 {
        self.bias + self.terms.iter().map(|(input, weight)| i64::from(*weight) * inputs[*input as usize]).sum::<i64>()
    }

    /// The lowest and highest value for inputs from 0 to their `tops`.
    pub(super) fn bounds(&self, tops: &[i64]) -> (i64, i64) {
        self.terms.iter().fold((self.bias, self.bias), |(low, high), (input, weight)| {
            let reach = i64::from(*weight) * tops[*input as usize];
            (low + reach.min(0), high + reach.max(0))
        })
    }
}

impl Channel {
    /// From the sums and values of all rows and places, and the channel's rows before and on steps.
    fn measure(function: Function, seen: &Seen, largest: f64, rounding: &Rounding) -> Self {
        let steps = rounding.steps;
        let copied = seen.copied.filter(|grid| function == Function::Identity && grid.steps <= steps);
        let cut = |share: f64| seen.values[(share * (seen.values.len() - 1) as f64).round() as usize];
        let (low, high) = (cut(rounding.tail), cut(1.0 - rounding.tail));
        let spread = high - low;
        let constant = spread <= 1e-9 * (low.abs() + high.abs()) || largest == 0.0;
        let stated = match function {
            Function::Stepped { low, step, steps: own } if own as usize <= steps => Some(Grid { low, step, steps }),
            _ => None,
        };
        let grid = match copied.or(seen.learned).or(stated.filter(|_| !constant)) {
            Some(grid) => Grid { steps, ..grid },
            None if constant => Grid { low, step: 0.0, steps },
            None => Grid { low, step: spread / (steps - 1) as f64, steps },
        };
        // A grid that these rows did not give may have steps beyond their sums: those are told apart as well, as far as the
        // modulus will reach.
        let beyond = if seen.learned.is_some() || stated.is_some() { SLACK - 1.0 } else { 0.0 };
        let room = beyond * (seen.sums.1 - seen.sums.0);
        let ends = (seen.sums.0 - room, seen.sums.1 + room);
        let threshold = |step: usize| {
            let wanted = grid.low + (step as f64 - 0.5) * grid.step;
            if copied.is_some() { wanted } else { first_reaching(function, wanted, ends) }
        };
        let thresholds: Vec<f64> = (1..steps).map(threshold).collect();
        let (first, last) = (thresholds[0], thresholds[steps - 2]);
        let need = (last - seen.sums.0).max(seen.sums.1 - first).max(last - first);
        Self { grid, thresholds, need, largest, copies: copied.is_some() }
    }

    fn is_constant(&self) -> bool {
        self.grid.step == 0.0
    }

    /// What sums are multiplied by so that a half modulus of `half` holds them.
    fn factor(&self, half: f64) -> f64 {
        if self.copies {
            // A whole number of steps for each of the input's: nothing is lost.
            (half / self.need * self.grid.step).round().clamp(2.0, MAX_WEIGHT) / self.grid.step
        } else {
            (half / self.need).min(MAX_WEIGHT / self.largest)
        }
    }
}

/// What calibration rows leave in a channel.
struct Seen {
    /// The lowest and the highest sum.
    sums: (f64, f64),
    /// In increasing order.
    values: Vec<f64>,
    /// The grid of the one value that is handed on.
    copied: Option<Grid>,
    /// The grid that a student has learned.
    learned: Option<Grid>,
}

/// The least sum between two for which a function reaches a value, by halving.
fn first_reaching(function: Function, wanted: f64, (mut low, mut high): (f64, f64)) -> f64 {
    if function.apply(low) >= wanted {
        return low;
    }
    for _ in 0..80 {
        let middle = low / 2.0 + high / 2.0;
        if function.apply(middle) >= wanted { high = middle } else { low = middle }
    }
    high
}

/// A layer in integers.
pub(super) struct QuantizedLayer {
    pub(super) layer: NetworkLayer,
    /// How far half its modulus must reach, before noise.
    pub(super) reach: f64,
    /// What its integers stand for, a scale a channel.
    pub(super) scales: Vec<ChannelScale>,
}

/// What the integers of a channel stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ChannelScale {
    /// Of its values.
    pub(super) grid: Grid,
    /// What sums are multiplied by.
    pub(super) factor: f64,
    /// Whether it hands on one input, step for step.
    pub(super) copies: bool,
}

/// What the integers of a network stand for: the channels of each layer but the last, and what scores are multiplied by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scales {
    pub(super) layers: Vec<Vec<ChannelScale>>,
    pub(super) scores: f64,
}

/// The integers of a layer, and what the next one is given. With `scales`, which a student has learned, they are those, and
/// biases stay as they are.
///
/// # Errors
/// `onnx_constant` where no value of the layer changes over the calibration rows.
pub(super) fn quantize_layer(
    layer: &Layer,
    before: &Before,
    rounding: &Rounding,
    scales: Option<&[ChannelScale]>,
) -> Result<(QuantizedLayer, Before)> {
    let evaluated: Vec<(Vec<f64>, Vec<f64>)> = before.floats.par_iter().map(|row| layer.evaluate(row)).collect();
    let rows: Vec<Affine> = layer.rows.iter().map(|row| before.on_steps(row)).collect();
    let count = layer.functions.len();
    let places = rows.len() / count;
    let measure = |channel: usize| {
        let own = || (0..places).map(|place| place * count + channel);
        let mut values: Vec<f64> = evaluated.iter().flat_map(|(_, values)| own().map(|at| values[at])).collect();
        values.sort_unstable_by(f64::total_cmp);
        let sums = evaluated.iter().flat_map(|(sums, _)| own().map(|at| sums[at]));
        let sums = sums.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| (low.min(z), high.max(z)));
        let largest = own().flat_map(|at| &rows[at].terms).fold(0.0f64, |largest, (_, w)| largest.max(w.abs()));
        let copied = before.copied(&own().map(|at| &layer.rows[at]).collect::<Vec<_>>());
        let learned = scales.map(|scales| scales[channel].grid);
        let seen = Seen { sums, values, copied, learned };
        Channel::measure(layer.functions[channel], &seen, largest, rounding)
    };
    let channels: Vec<Channel> = (0..count).into_par_iter().map(measure).collect();
    let kept: Vec<usize> = (0..count).filter(|channel| !channels[*channel].is_constant()).collect();
    if kept.is_empty() {
        return Err(Error::new(ErrorCode::OnnxConstant, "no activation changes over the calibration rows")
            .hint("are the rows scaled as the network expects them?"));
    }
    let half = half_modulus(&channels, rounding.top);
    let factors: Vec<f64> = match scales {
        Some(scales) => scales.iter().map(|scale| scale.factor).collect(),
        None => channels.iter().map(|channel| channel.factor(half)).collect(),
    };

    let places_kept = (0..places).flat_map(|place| kept.iter().map(move |channel| (place * count + channel, *channel)));
    let places_kept: Vec<(usize, usize)> = places_kept.collect();
    let mut sums: Vec<IntegerSum> = places_kept
        .iter()
        .map(|(at, channel)| {
            let mut sum = IntegerSum::rounded(&rows[*at], factors[*channel]);
            if channels[*channel].copies {
                sum.bias = 0;
            }
            sum
        })
        .collect();
    let mut values = before.sums(&sums);
    let moves = |channel: usize| scales.is_none() && !channels[channel].copies;
    for (index, (at, channel)) in places_kept.iter().enumerate().filter(|(_, (_, channel))| moves(*channel)) {
        let moved: f64 = evaluated
            .iter()
            .zip(&values)
            .map(|((floats, _), z)| floats[*at] * factors[*channel] - z[index] as f64)
            .sum();
        let correction = (moved / values.len() as f64).round() as i64;
        sums[index].bias += correction;
        values.iter_mut().for_each(|row| row[index] += correction);
    }

    let steps: Vec<i32> = (0..rounding.steps as i32).collect();
    let thresholds = kept.iter().map(|channel| {
        let own = &channels[*channel];
        let zero = if own.copies { own.grid.low } else { 0.0 };
        own.thresholds.iter().map(|threshold| ((threshold - zero) * factors[*channel]).ceil() as i64).collect()
    });
    let activation = Activation { outputs: steps, thresholds: thresholds.collect() };
    let reach = reach(&activation, &sums, &values, before);
    let map = assemble(before.inputs(), kept.len(), sums);
    for row in &mut values {
        row.iter_mut().enumerate().for_each(|(index, z)| *z = activation.apply(index % kept.len(), *z).into());
    }
    let mut place = vec![0; layer.rows.len()];
    places_kept.iter().enumerate().for_each(|(index, (at, _))| place[*at] = index as u32);
    let after = Before {
        grids: (0..layer.rows.len()).map(|index| channels[index % count].grid).collect(),
        place,
        floats: evaluated.into_iter().map(|(_, values)| values).collect(),
        integers: values,
    };
    let scales = channels.iter().zip(&factors);
    let scales = scales.map(|(own, factor)| ChannelScale { grid: own.grid, factor: *factor, copies: own.copies });
    let plaintext_modulus = modulus_holding(reach, rounding.noise);
    let quantized = QuantizedLayer {
        layer: NetworkLayer { map, plaintext_modulus, noise: rounding.noise, activation: Some(activation) },
        reach,
        scales: scales.collect(),
    };
    Ok((quantized, after))
}

/// Half the modulus for which a typical channel's largest weight is `top`. Copies are whatever the others are.
fn half_modulus(channels: &[Channel], top: f64) -> f64 {
    let ratios = |copies: bool| -> Vec<f64> {
        let of = channels.iter().filter(|channel| !channel.is_constant() && channel.copies == copies);
        let mut ratios: Vec<f64> = of.map(|channel| channel.need / channel.largest).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios
    };
    let ratios = Some(ratios(false)).filter(|ratios| !ratios.is_empty()).unwrap_or_else(|| ratios(true));
    top * ratios.get(ratios.len() / 2).copied().unwrap_or(1.0)
}

/// How far half a modulus must reach to hold the sums of all rows, with room for others.
fn reach(activation: &Activation, sums: &[IntegerSum], values: &[Vec<i64>], before: &Before) -> f64 {
    let channels = activation.thresholds.len();
    let tops = before.tops();
    let mut seen = vec![(i64::MAX, i64::MIN); channels];
    let mut possible = seen.clone();
    let widen = |reach: &mut (i64, i64), low: i64, high: i64| *reach = (reach.0.min(low), reach.1.max(high));
    for row in values {
        row.iter().enumerate().for_each(|(index, z)| widen(&mut seen[index % channels], *z, *z));
    }
    for (index, sum) in sums.iter().enumerate() {
        let (low, high) = sum.bounds(&tops);
        widen(&mut possible[index % channels], low, high);
    }
    let need =
        |reach: &[(i64, i64)], channel: usize| activation.min_half_modulus(channel, reach[channel].0, reach[channel].1);
    let halves = (0..channels).map(|c| (SLACK * need(&seen, c) as f64).min(need(&possible, c) as f64));
    halves.fold(1.0, f64::max)
}

/// The same for scores that reach so far from zero, of the rows seen and of all.
pub(super) fn score_reach(seen: i64, possible: i64) -> f64 {
    (SLACK * seen as f64).min(possible as f64) + 1.0
}

/// The linear map of these sums: dense where half of the weights are there.
pub(super) fn assemble(inputs: usize, channels: usize, sums: Vec<IntegerSum>) -> LinearMap {
    let entries: usize = sums.iter().map(|sum| sum.terms.len()).sum();
    let biases = sums.iter().map(|sum| sum.bias).collect();
    if channels == sums.len() && 2 * entries >= inputs * sums.len() {
        let mut weights = vec![0; inputs * sums.len()];
        for (row, sum) in weights.chunks_mut(inputs).zip(&sums) {
            sum.terms.iter().for_each(|(input, weight)| row[*input as usize] = *weight);
        }
        return LinearMap { shape: MapShape::Dense { inputs, outputs: sums.len() }, weights, biases };
    }
    let weights = sums.iter().flat_map(|sum| sum.terms.iter().map(|(_, weight)| *weight)).collect();
    let rows = sums.iter().map(|sum| sum.terms.iter().map(|(input, _)| *input).collect()).collect();
    LinearMap { shape: MapShape::Sparse(SparseShape { inputs, channels, rows }), weights, biases }
}
