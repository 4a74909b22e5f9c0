//! A network that is trained to answer as its original does, under the rounding and noise that it will meet.

use super::tied_map::{RoundedMap, Rounder, TiedMap};
use crate::data::random::Random;
use crate::import::network::float_graph::Affine;
use crate::import::network::function::Function;
use crate::import::network::layer::Grid;
use crate::import::network::levels::{Layer, Levels};
use crate::import::network::quantize::Quantization;

/// Parameters and functions of all layers, the scores' last.
#[derive(Debug, Clone)]
pub(super) struct Student {
    pub(super) maps: Vec<TiedMap>,
    functions: Vec<Vec<Function>>,
    inputs: usize,
}

/// What the integers of a network stand for, a value each.
pub(super) struct Setting {
    /// Before each map: its inputs' grids.
    lows: Vec<Vec<f32>>,
    steps: Vec<Vec<f32>>,
    /// Of every value that a map gives, but the scores.
    grids: Vec<Vec<Grid>>,
    /// Of every channel of each map: from floats to integers, and the deviation of its noise in floats.
    factors: Vec<Vec<f32>>,
    deviations: Vec<Vec<f32>>,
    input_grids: Vec<Grid>,
}

/// A network's maps with rounded weights.
pub(super) struct Rounded(Vec<RoundedMap>);

impl Student {
    /// The network in levels with these outputs; `quantization` tells how far its values reach.
    pub(super) fn new(levels: &Levels, outputs: &[Affine], quantization: &Quantization) -> Self {
        let range = |grid: &Grid| grid.step * (grid.steps as f64 - 1.0);
        let mut ranges: Vec<f64> = quantization.inputs.iter().map(range).collect();
        let mut maps = Vec::with_capacity(levels.layers.len() + 1);
        for (layer, scales) in levels.layers.iter().zip(&quantization.scales.layers) {
            maps.push(TiedMap::new(&layer.rows, layer.functions.len(), &ranges));
            ranges = (0..layer.rows.len()).map(|at| range(&scales[at % scales.len()].grid)).collect();
        }
        maps.push(TiedMap::new(outputs, outputs.len(), &ranges));
        Self {
            maps,
            functions: levels.layers.iter().map(|layer| layer.functions.clone()).collect(),
            inputs: levels.inputs,
        }
    }

    /// The network of the parameters as they are.
    pub(super) fn floats(&self) -> Levels {
        let layer =
            |(map, functions): (&TiedMap, &Vec<Function>)| Layer { functions: functions.clone(), rows: map.floats() };
        Levels {
            inputs: self.inputs,
            layers: self.maps.iter().zip(&self.functions).map(layer).collect(),
            outputs: self.maps[self.maps.len() - 1].floats(),
        }
    }

    /// The network that the rounded parameters stand for.
    pub(super) fn levels(&self, Rounded(rounded): &Rounded) -> Levels {
        let rows = |index: usize| self.maps[index].rows(&rounded[index]);
        let layer =
            |(index, functions): (usize, &Vec<Function>)| Layer { functions: functions.clone(), rows: rows(index) };
        Levels {
            inputs: self.inputs,
            layers: self.functions.iter().enumerate().map(layer).collect(),
            outputs: rows(self.maps.len() - 1),
        }
    }

    /// Products of an inference.
    pub(super) fn terms(&self) -> usize {
        self.maps.iter().map(TiedMap::term_count).sum()
    }

    pub(super) fn rounded(&self, setting: &Setting) -> Rounded {
        let round = |(index, map): (usize, &TiedMap)| {
            let rounder =
                Rounder { lows: &setting.lows[index], steps: &setting.steps[index], factors: &setting.factors[index] };
            map.rounded(&rounder)
        };
        Rounded(self.maps.iter().enumerate().map(round).collect())
    }

    /// Shows a row, adds the slopes of the loss by all parameters to `slopes`, and returns the loss. `loss` is given the
    /// scores and returns their loss and its slope by each.
    pub(super) fn learn(
        &self,
        (setting, rounded): (&Setting, &Rounded),
        row: &[f64],
        random: &mut Random,
        loss: impl Fn(&[f32]) -> (f32, Vec<f32>),
        slopes: &mut [Vec<f32>],
    ) -> f32 {
        let Rounded(rounded) = rounded;
        let last = self.maps.len() - 1;
        let mut noisy = |index: usize, above: &[f32]| {
            let map = &self.maps[index];
            let mut sums = map.sums(&rounded[index], above);
            let deviations = &setting.deviations[index];
            let noise = |(at, sum): (usize, &mut f32)| *sum += deviations[at % map.channels] * random.normal() as f32;
            sums.iter_mut().enumerate().for_each(noise);
            sums
        };
        let first = row.iter().zip(&setting.input_grids).map(|(value, grid)| nearest(grid, *value as f32).0).collect();
        let mut above: Vec<Vec<f32>> = vec![first];
        let mut ways: Vec<Vec<f32>> = Vec::with_capacity(last);
        for index in 0..last {
            let sums = noisy(index, &above[index]);
            let functions = &self.functions[index];
            let grids = &setting.grids[index];
            let step = |(at, sum): (usize, f32)| {
                let function = functions[at % functions.len()];
                let (value, inside) = nearest(&grids[at], function.apply(f64::from(sum)) as f32);
                (value, if inside { slope(function, sum) } else { 0.0 })
            };
            let (values, passed) = sums.into_iter().enumerate().map(step).unzip();
            above.push(values);
            ways.push(passed);
        }
        let (loss, mut of_sums) = loss(&noisy(last, &above[last]));
        for index in (0..=last).rev() {
            let lows = &setting.lows[index];
            let back = self.maps[index].back(&rounded[index], &above[index], lows, &of_sums, &mut slopes[index]);
            if index > 0 {
                of_sums = back.iter().zip(&ways[index - 1]).map(|(slope, way)| slope * way).collect();
            }
        }
        loss
    }
}

/// The nearest value of a grid, as what it is above the lowest, and whether the value lies on it, about.
fn nearest(grid: &Grid, value: f32) -> (f32, bool) {
    if grid.step <= 0.0 {
        return (0.0, false);
    }
    let place = (value - grid.low as f32) / grid.step as f32;
    let top = grid.steps as f32 - 1.0;
    (place.round().clamp(0.0, top) * grid.step as f32, (-0.5..=top + 0.5).contains(&place))
}

/// How steep a function is, over a small distance.
fn slope(function: Function, at: f32) -> f32 {
    const REACH: f64 = 1e-3;
    match function {
        Function::Identity => 1.0,
        _ => {
            let at = f64::from(at);
            ((function.apply(at + REACH) - function.apply(at - REACH)) / (2.0 * REACH)) as f32
        }
    }
}

impl Setting {
    pub(super) fn of(quantization: &Quantization, student: &Student) -> Self {
        let network = &quantization.network;
        let mut setting = Self {
            lows: Vec::new(),
            steps: Vec::new(),
            grids: Vec::new(),
            factors: Vec::new(),
            deviations: Vec::new(),
            input_grids: quantization.inputs.clone(),
        };
        let mut before = quantization.inputs.clone();
        for (index, layer) in network.network.layers.iter().enumerate() {
            setting.lows.push(before.iter().map(|grid| grid.low as f32).collect());
            setting.steps.push(before.iter().map(|grid| grid.step as f32).collect());
            let noise = layer.noise * layer.plaintext_modulus as f64;
            let outputs = student.maps[index].outputs();
            let factors: Vec<f64> = match quantization.scales.layers.get(index) {
                Some(scales) => scales.iter().map(|scale| scale.factor).collect(),
                None => vec![1.0 / network.score_scale; outputs],
            };
            setting.deviations.push(factors.iter().map(|factor| (noise / factor) as f32).collect());
            setting.factors.push(factors.into_iter().map(|factor| factor as f32).collect());
            if let Some(scales) = quantization.scales.layers.get(index) {
                before = (0..outputs).map(|at| scales[at % scales.len()].grid).collect();
                setting.grids.push(before.clone());
            }
        }
        setting
    }
}
