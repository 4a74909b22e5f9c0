//! Trainers: from a data set to a quantiser and an integer model.
//!
//! Nothing here prints. Everything is a function of its inputs: the same rows and parameters give the
//! same model.

mod boost;
mod coarse;
mod float_forest;
mod float_linear;
mod forest;
mod growth;
mod linreg;
mod logreg;
mod network;
mod quality;
mod quantize;
mod simulated;
mod splits;
mod standardise;
mod svm;
mod target;
mod tree;

pub use boost::{BoostParams, train_boost};
pub use coarse::coarsen;
pub use float_forest::{FloatForest, FloatTree};
pub use float_linear::FloatLinear;
pub use forest::{ForestParams, train_forest, train_regression_tree};
pub use growth::{GrowthParams, MaxFeatures};
pub use linreg::{LinearRegression, LinregParams, float_linreg, train_linreg};
pub use logreg::{LogregParams, float_logreg, train_logreg};
pub use network::{
    ActivationKind, Architecture, Augment, ConvBlock, Epoch, FloatNetwork, NetworkParams, TrainedNetwork,
    circle_holding, train_network,
};
pub use quality::{Fit, Score, score, score_forest};
pub use quantize::{fit_affine, fit_edges, fit_exact, fit_pixels};
pub use simulated::{Simulated, SimulatedQuality, simulated};
pub use svm::{SvmParams, float_svm, train_svm};
pub use tree::{TreeParams, float_tree_accuracy, train_tree};

use crate::data::Dataset;
use fhectl_core::error::Result;
use fhectl_core::model::{Model, Quantizer};
use rayon::prelude::*;

/// The rows of `data`, quantised, in their order.
///
/// # Errors
/// `row_shape` where the quantiser is for another number of features.
pub fn quantize_rows(quantizer: &Quantizer, data: &Dataset) -> Result<Vec<Vec<u32>>> {
    data.rows.par_iter().map(|row| quantizer.quantize(row)).collect()
}

/// The share of rows of `data` whose class `model` predicts, from 0 to 1 (0 without rows).
///
/// # Errors
/// As for [`quantize_rows`].
pub fn accuracy(model: &Model, quantizer: &Quantizer, data: &Dataset) -> Result<f64> {
    let rows = quantize_rows(quantizer, data)?;
    let hits = rows.iter().zip(&data.labels).filter(|(row, label)| model.predict(row) == **label as usize).count();
    Ok(hits as f64 / data.len().max(1) as f64)
}

#[cfg(test)]
mod tabular_tests;
#[cfg(test)]
mod tests;
