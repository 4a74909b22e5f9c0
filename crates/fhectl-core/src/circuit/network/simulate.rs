//! A network in clear with the noise of its ciphertexts: predicts encrypted accuracy without encrypting.

use super::layer_program::LayerProgram;
use super::params::NetworkParams;
use crate::circuit::traits::Simulate;
use crate::error::Result;
use crate::fhe::Random;
use crate::fhe::random::Seed;
use crate::model::IntegerNetwork;

const TURN: f64 = 18_446_744_073_709_551_616.0; // 2^64

/// Draws every noise of an encrypted inference where it arises: each input's own, shared by the sums it enters;
/// keyswitch and modulus switch on each sum; the bootstrap's on each activation; the answer's on each score.
/// Variances are the formulas' ([`NetworkParams`]), laws are normal.
pub struct Simulator {
    params: NetworkParams,
    program: LayerProgram,
    /// [`NetworkParams::shown_levels`].
    levels: u64,
}

impl Simulator {
    /// # Errors
    /// `model_invalid` where network and parameters do not belong together; `parameters_invalid` where scores could not be
    /// shown.
    pub fn new(params: &NetworkParams, network: &IntegerNetwork) -> Result<Self> {
        let program = LayerProgram::new(params, network)?;
        Ok(Self { params: params.clone(), program, levels: params.shown_levels()? })
    }
}

impl Simulate for Simulator {
    fn scores(&self, quantized: &[u32], draw: u64) -> Vec<i64> {
        let mut seed = Seed([0; 16]);
        seed.0[..8].copy_from_slice(&draw.to_le_bytes());
        let mut normal = Normal { random: Random::new(seed), spare: None };
        let params = &self.params;
        let positions = 2.0 * params.output().size as f64;
        let mut noisy = |value: f64, variance: f64| value + variance.sqrt() * normal.draw();
        let step = |q: &u32| f64::from(*q) / params.plaintext_modulus as f64;
        let mut values: Vec<f64> = quantized.iter().map(|q| noisy(step(q), params.input_variance())).collect();
        for (index, layer) in self.program.layers.iter().enumerate() {
            let sums = layer.sums.iter().zip(&layer.constants).map(|(terms, constant)| {
                let sum: f64 = terms.iter().map(|term| f64::from(term.weight) * values[term.input as usize]).sum();
                sum + *constant as f64 / TURN
            });
            let sums: Vec<f64> = sums.collect();
            let Some(look_up) = &layer.look_up else {
                let variance = params.answer_variance();
                let shown = |sum: f64| params.score_of_level(nearest_level(sum, self.levels));
                return sums.into_iter().map(|sum| shown(noisy(sum, variance))).collect();
            };
            let switches = if index == 0 { params.first_switch_variance() } else { params.inner_switch_variance() };
            let output = params.output_variance(index);
            let activate = |(sum_index, sum): (usize, f64)| {
                let position = (noisy(sum, switches).rem_euclid(1.0) * positions) as usize % positions as usize;
                let table = look_up.table(sum_index);
                let word = table[position % table.len()] as i64 as f64 / TURN;
                noisy(if position < table.len() { word } else { -word }, output)
            };
            values = sums.into_iter().enumerate().map(activate).collect();
        }
        Vec::new()
    }
}

/// The nearest of `levels` points of the torus to a sum in turns, in `[-levels / 2, levels / 2)`.
fn nearest_level(turns: f64, levels: u64) -> i64 {
    let centered = turns - turns.round();
    let level = (centered * levels as f64).round() as i64;
    if 2 * level >= levels as i64 { level - levels as i64 } else { level }
}

/// Standard normal draws (Box and Muller 1958).
struct Normal {
    random: Random,
    spare: Option<f64>,
}

impl Normal {
    fn draw(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let uniform = |word: u64| ((word >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let radius = (-2.0 * uniform(self.random.word()).ln()).sqrt();
        let angle = std::f64::consts::TAU * uniform(self.random.word());
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
}
