//! What encrypted inference will make of a network, predicted in clear.

use super::quantize_rows;
use crate::circuit::CircuitSpec;
use crate::circuit::network::simulate::Simulator;
use crate::data::Dataset;
use crate::error::Result;
use crate::model::{Model, Quantizer, class_of_scores};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A network on test rows with one draw of its circuit's noise a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    pub samples: usize,
    /// The share of rows whose class is the label's.
    pub accuracy: f64,
    /// The share of rows whose class is that of the clear integer model.
    pub agreement: f64,
    /// Sums that leave their circle in clear, over all rows and layers: wrong answers rather than noise.
    pub wraps: usize,
}

/// Simulates `rows`; `None` where the circuit is exact and there is nothing to simulate. The same rows give the same
/// figures.
///
/// # Errors
/// `model_invalid` where model and circuit do not belong together; as for [`quantize_rows`].
pub fn simulated(
    circuit: &CircuitSpec,
    model: &Model,
    quantizer: &Quantizer,
    rows: &Dataset,
) -> Result<Option<Simulated>> {
    let (CircuitSpec::Network(params), Model::Network(network)) = (circuit, model) else { return Ok(None) };
    let simulator = Simulator::new(params, network)?;
    let quantized = quantize_rows(quantizer, rows)?;
    let (hits, agreeing, wraps) = quantized
        .par_iter()
        .zip(&rows.labels)
        .enumerate()
        .map(|(index, (row, label))| {
            let class = class_of_scores(&simulator.scores(row, index as u64));
            let hit = usize::from(class == *label as usize);
            (hit, usize::from(class == model.predict(row)), network.wraps(row))
        })
        .reduce(|| (0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    let share = |count: usize| count as f64 / rows.len().max(1) as f64;
    Ok(Some(Simulated { samples: rows.len(), accuracy: share(hits), agreement: share(agreeing), wraps }))
}
