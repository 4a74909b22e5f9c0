//! How far what was made of an imported model agrees with it.

use super::compiled_model::CompiledModel;
use fhectl_core::error::Result;
use fhectl_train::data::Dataset;
use fhectl_train::import::{Agreement, Imported};
use fhectl_train::train;
use rayon::prelude::*;

/// How far the model agrees with the original, with the noise of encryption where there is some; `None` without rows.
pub fn agreement(made: &CompiledModel, imported: &Imported, rows: &Dataset) -> Result<Option<Agreement>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let original: Vec<Vec<f64>> = rows.rows.par_iter().map(|row| imported.model.scores(row)).collect();
    let quantized = train::quantize_rows(&made.quantizer, rows)?;
    let decoder = made.decoder(imported.classes.len());
    // A tree that predicts classes has no scores of its own.
    let simulator = made.plans.first().map(|plan| plan.spec.simulator(&made.model)).transpose()?.flatten();
    let scores = |(index, row): (usize, &Vec<u32>)| match &simulator {
        Some(simulator) => simulator.scores(row, index as u64),
        None => made.model.scores(row),
    };
    let ours: Vec<Vec<f64>> = quantized.par_iter().enumerate().map(|row| decoder.real(&scores(row))).collect();
    let scored = made.score_scale.is_some();
    Ok(Some(Agreement::of(&imported.decoder(), &original, &ours, scored)))
}

/// A warning where the encrypted model will often say something else than the original.
pub fn disagreement(agreement: Agreement) -> Option<String> {
    /// Of predictions, or of their worst class.
    const ENOUGH: f64 = 0.9;
    let low = match agreement {
        Agreement::Classes { same_class, worst_class, .. } => same_class.min(worst_class),
        Agreement::Values { r2 } => r2,
    };
    (low < ENOUGH).then(|| {
        "the encrypted model often differs from the original: try more --bits, --exact-thresholds for trees, or rows of \
         --data that are more like those it was trained on"
            .to_owned()
    })
}
