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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::import::network::levels::levels;
    use crate::import::network::ptq_params::PtqParams;
    use crate::import::network::quantize::quantize_levels;
    use crate::import::network::{Block, FloatGraph};

    fn row(bias: f64, terms: &[(u32, f64)]) -> Affine {
        Affine { bias, terms: terms.to_vec() }
    }

    /// Images of two places: `y = tanh(c + w (a, b))`, `z = tanh(y' + y)` whose `y` is handed on to the scores as well, where
    /// `y'` is of the other place.
    fn shortcut() -> FloatGraph {
        let first = vec![row(0.1, &[(0, 0.7), (2, -0.4)]), row(0.1, &[(1, 0.7), (3, -0.4)])];
        let second = vec![row(-0.2, &[(4, 1.0), (5, 0.6)]), row(-0.2, &[(4, 0.6), (5, 1.0)])];
        FloatGraph {
            inputs: 4,
            blocks: vec![
                Block { function: Function::Tanh, rows: first, positions: 2 },
                Block { function: Function::Tanh, rows: second, positions: 2 },
            ],
            outputs: vec![
                row(0.0, &[(4, 0.8), (6, 1.1), (7, -0.3)]),
                row(0.3, &[(5, -0.5), (6, 0.2), (7, 0.9)]),
                row(0.1, &[(4, 0.1), (5, 0.3)]),
            ],
        }
    }

    /// Where rounding is so fine that it does not show, the slopes are those of the function itself, through shortcuts too.
    #[test]
    fn slopes_are_those_of_the_loss() {
        let mut random = Random::new(3);
        let rows: Vec<Vec<f64>> = (0..60).map(|_| (0..4).map(|_| 2.0 * random.uniform() - 1.0).collect()).collect();
        let data = Dataset {
            name: "rows".into(),
            target: "y".into(),
            features: (0..4).map(|at| format!("x{at}")).collect(),
            classes: (0..3).map(|class| class.to_string()).collect(),
            labels: (0..60).map(|at| at % 3).collect(),
            rows,
            values: Vec::new(),
            input: None,
            image: None,
        };
        let chain = levels(&shortcut()).unwrap();
        assert!(chain.layers[1].functions.contains(&Function::Identity), "nothing is handed on");
        let quantization = quantize_levels(&chain, false, &data, &PtqParams::default(), None).unwrap();
        let student = Student::new(&chain, &chain.outputs, &quantization);
        let mut setting = Setting::of(&quantization, &student);
        let fine = |grid: &mut Grid| {
            let steps = 1 << 22;
            *grid = Grid { step: grid.step * (grid.steps - 1) as f64 * 3.0 / (steps - 1) as f64, steps, low: grid.low };
            grid.low -= grid.step * (steps / 3) as f64;
        };
        setting.grids.iter_mut().flatten().chain(&mut setting.input_grids).for_each(fine);
        let grids = std::iter::once(&setting.input_grids).chain(&setting.grids);
        setting.lows = grids.clone().map(|grids| grids.iter().map(|grid| grid.low as f32).collect()).collect();
        setting.steps = grids.map(|grids| grids.iter().map(|grid| grid.step as f32).collect()).collect();
        setting.factors.iter_mut().flatten().for_each(|factor| *factor *= 1e10);
        setting.deviations.iter_mut().flatten().for_each(|deviation| *deviation = 0.0);

        let goal = [0.3f32, -0.6, 0.2];
        let loss = |scores: &[f32]| {
            let off: Vec<f32> = scores.iter().zip(goal).map(|(score, goal)| score - goal).collect();
            (off.iter().map(|off| off * off).sum::<f32>(), off.iter().map(|off| 2.0 * off).collect())
        };
        let at = |student: &Student, slopes: &mut [Vec<f32>]| {
            let rounded = student.rounded(&setting);
            student.learn((&setting, &rounded), &data.rows[7], &mut Random::new(1), loss, slopes)
        };
        let none: Vec<Vec<f32>> = student.maps.iter().map(|map| vec![0.0; map.values.len()]).collect();
        let mut slopes = none.clone();
        at(&student, &mut slopes);
        let mut moving = 0;
        for (map, slopes) in slopes.iter().enumerate() {
            for (parameter, slope) in slopes.iter().enumerate() {
                if student.maps[map].is_fixed(parameter) {
                    continue;
                }
                let moved = |by: f32| {
                    let mut other = student.clone();
                    other.maps[map].values[parameter] += by;
                    at(&other, &mut none.clone())
                };
                let wanted = (moved(0.01) - moved(-0.01)) / 0.02;
                assert!(
                    (slope - wanted).abs() < 0.01 * (1.0 + wanted.abs()),
                    "{map} {parameter}: {slope} for {wanted}"
                );
                moving += usize::from(wanted.abs() > 0.05);
            }
        }
        assert!(moving > 8, "{moving} parameters matter");
    }
}
