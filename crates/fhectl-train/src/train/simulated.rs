//! What encrypted inference will make of a network, predicted in clear.

use super::quality::Fit;
use super::quantize::quantize_rows;
use crate::data::Dataset;
use fhectl_core::bundle::{Predicted, ScoreDecoder};
use fhectl_core::circuit::CircuitSpec;
use fhectl_core::error::Result;
use fhectl_core::model::{Model, Output, Quantizer};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A network on test rows with one draw of its circuit's noise a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    pub samples: usize,
    #[serde(flatten)]
    pub quality: SimulatedQuality,
    /// Sums that wrap around in clear, over all rows and layers: wrong answers rather than noise.
    pub wraps: usize,
}

/// How the answers with noise compare with what is wanted and with the clear integer model's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SimulatedQuality {
    Classes {
        /// The share of rows whose class is the label's.
        accuracy: f64,
        /// The share of rows whose class is that of the clear integer model.
        agreement: f64,
    },
    Value {
        /// R2 with the wanted numbers.
        r2: f64,
        /// R2 with the clear integer model's numbers.
        agreement_r2: f64,
    },
}

/// Simulates `rows`; `None` where the circuit is exact and there is nothing to simulate. The same rows give the same
/// figures. `decoder` makes predictions of scores.
///
/// # Errors
/// `model_invalid` where model and circuit do not belong together; as for [`quantize_rows`].
pub fn simulated(
    circuit: &CircuitSpec,
    model: &Model,
    quantizer: &Quantizer,
    rows: &Dataset,
    decoder: &ScoreDecoder,
) -> Result<Option<Simulated>> {
    let Some(simulator) = circuit.simulator(model)? else { return Ok(None) };
    let Model::Network(network) = model else { return Ok(None) };
    let quantized = quantize_rows(quantizer, rows)?;
    let drawn: Vec<(Vec<i64>, Vec<i64>)> = quantized
        .par_iter()
        .enumerate()
        .map(|(index, row)| (simulator.scores(row, index as u64), model.scores(row)))
        .collect();
    let wraps = quantized.par_iter().map(|row| network.wraps(row)).sum();
    let quality = match rows.output() {
        Output::Classes(_) => {
            let share = |count: usize| count as f64 / rows.len().max(1) as f64;
            let class = |scores: &Vec<i64>| match decoder.predict(scores) {
                Predicted::Class(class) => class,
                Predicted::Value(_) => 0,
            };
            let classes = || drawn.iter().map(|(noisy, clear)| (class(noisy), class(clear)));
            SimulatedQuality::Classes {
                accuracy: share(
                    classes().zip(&rows.labels).filter(|((class, _), label)| *class == **label as usize).count(),
                ),
                agreement: share(classes().filter(|(noisy, clear)| noisy == clear).count()),
            }
        }
        Output::Value | Output::Scores(_) => {
            let value = |scores: &Vec<i64>| match decoder.predict(scores) {
                Predicted::Value(value) => value,
                Predicted::Class(_) => f64::NAN,
            };
            let noisy: Vec<f64> = drawn.iter().map(|(noisy, _)| value(noisy)).collect();
            let clear: Vec<f64> = drawn.iter().map(|(_, clear)| value(clear)).collect();
            SimulatedQuality::Value { r2: Fit::of(&noisy, &rows.values).r2, agreement_r2: Fit::of(&noisy, &clear).r2 }
        }
    };
    Ok(Some(Simulated { samples: rows.len(), quality, wraps }))
}
