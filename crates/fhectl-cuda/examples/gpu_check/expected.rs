//! What bootstraps must give: the table's entry at the phase of what goes in, with the noise of the formula.

use crate::opened::Opened;
use crate::shapes::{Client, Shape};
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::noise;
use rayon::prelude::*;

const TURN: f64 = 18_446_744_073_709_551_616.0;
/// Entries of a table that have one value.
const STEP: usize = 128;
/// Deviations beyond which a result is wrong: chance makes one in 10^11 so.
const WRONG: f64 = 7.0;

/// Two tables of four steps each.
pub fn tables() -> Vec<Vec<u64>> {
    [1u64, 3].map(|unit| (0..512).map(|p| (unit * (2 * (p / STEP) as u64 + 1)) << 58).collect()).into()
}

/// Results beside what they must be.
pub struct Errors {
    /// Differences of results, in fractions of the torus, whose input is far from the next step.
    clear: Vec<f64>,
    wrong: usize,
    variance: f64,
}

impl Errors {
    /// Opens inputs and results, of rows of `each`. `more` is variance beside that of bootstraps.
    pub fn of(shape: &Shape, client: &Client, [inputs, results]: [&LweList; 2], each: usize, more: f64) -> Self {
        let params = &shape.bootstrap;
        let variance = more + noise::bootstrap_variance(params.lwe_dimension, params.output, params.gadget());
        let switched = shape.keyswitch.map_or(0.0, |keyswitch| keyswitch.variance());
        let before = switched + noise::modulus_switch_variance(params.lwe_dimension, params.output.size);
        // Entries that a result may be off by.
        let near = 1.0 + WRONG * before.sqrt() * 1024.0;
        let (input, big) = (Opened::of(&client.input), Opened::of(&client.big));
        let tables = tables();
        let one = |index: usize| {
            let position = input.phase(&inputs.lwe(index)) as f64 / TURN * 1024.0;
            let phase = big.phase(&results.lwe(index));
            let error = |position: f64| {
                let position = position.rem_euclid(1024.0) as usize % 1024;
                let entry = tables[index % each % tables.len()][position % 512];
                let entry = if position < 512 { entry } else { entry.wrapping_neg() };
                phase.wrapping_sub(entry) as i64 as f64 / TURN
            };
            let around = [error(position - near), error(position), error(position + near)];
            let wrong = around.iter().all(|error| error.abs() > WRONG * variance.sqrt());
            let in_step = position.rem_euclid(STEP as f64);
            let clear = in_step > near && in_step < STEP as f64 - near;
            (wrong, clear.then_some(around[1]))
        };
        let all: Vec<(bool, Option<f64>)> = (0..inputs.len()).into_par_iter().map(one).collect();
        let wrong = all.iter().filter(|(wrong, _)| *wrong).count();
        Self { clear: all.iter().filter_map(|(_, error)| *error).collect(), wrong, variance }
    }

    /// Results that are wrong.
    pub fn wrong(&self) -> usize {
        self.wrong
    }

    /// Results whose noise was measured.
    pub fn measured(&self) -> usize {
        self.clear.len()
    }

    /// Measured variance, divided by the formula's; nothing of too few results.
    pub fn ratio(&self) -> Option<f64> {
        let squares: f64 = self.clear.iter().map(|error| error * error).sum();
        (self.clear.len() >= 30).then(|| squares / self.clear.len() as f64 / self.variance)
    }

    /// How far the ratio may be from 1 by chance, at five deviations.
    pub fn chance(&self) -> f64 {
        5.0 * (2.0 / self.clear.len().max(1) as f64).sqrt()
    }
}
