//! The last layer's integers: scores whose steps are all worth the same.

use super::float_graph::{Affine, combined};
use super::layer::{Before, IntegerSum, assemble, score_reach};
use super::ptq_params::PtqParams;
use crate::train::modulus_holding;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{NetworkLayer, Output};

pub(super) struct Scores {
    pub(super) layer: NetworkLayer,
    /// How far half the modulus must reach, before noise.
    pub(super) reach: f64,
    /// What a step is worth.
    pub(super) scale: f64,
    /// What is added to a number.
    pub(super) offset: f64,
}

/// Quantizes the outputs; with the factor that a student has learned, as they are.
///
/// # Errors
/// `onnx_constant` where they do not depend on the row.
pub(super) fn quantize_scores(
    outputs: &[Affine],
    before: &Before,
    output: Output,
    params: &PtqParams,
    learned: Option<f64>,
) -> Result<Scores> {
    let outputs = if learned.is_some() { outputs.to_vec() } else { compared(outputs) };
    let rows: Vec<Affine> = outputs.iter().map(|row| before.on_steps(row)).collect();
    let largest = rows.iter().flat_map(|row| &row.terms).fold(0.0f64, |largest, (_, w)| largest.max(w.abs()));
    if largest == 0.0 {
        return Err(Error::new(ErrorCode::OnnxConstant, "the scores do not depend on the row")
            .hint("are the calibration rows scaled as the network expects them?"));
    }
    let top = f64::from((1u32 << (params.weight_bits + params.score_bits - 1)) - 1);
    let factor = learned.unwrap_or(top / largest);
    let mut sums: Vec<IntegerSum> = rows.iter().map(|row| IntegerSum::rounded(row, factor)).collect();
    let mut values = before.sums(&sums);
    for (index, row) in outputs.iter().enumerate().filter(|_| learned.is_none()) {
        let floats = before.floats.iter().map(|inputs| row.value(inputs) * factor);
        let moved: f64 = floats.zip(&values).map(|(float, z)| float - z[index] as f64).sum();
        let correction = (moved / values.len() as f64).round() as i64;
        sums[index].bias += correction;
        values.iter_mut().for_each(|row| row[index] += correction);
    }
    let ends = |list: &mut dyn Iterator<Item = (i64, i64)>| {
        list.fold((i64::MAX, i64::MIN), |(low, high), (least, most)| (low.min(least), high.max(most)))
    };
    let seen = ends(&mut values.iter().flatten().map(|z| (*z, *z)));
    let tops = before.tops();
    let possible = ends(&mut sums.iter().map(|sum| sum.bounds(&tops)));
    // A margin is compared with zero; a step that is common to all classes, or known, may go.
    let middle = match output {
        Output::Classes(_) if sums.len() == 1 => 0,
        _ => (seen.0 + seen.1).div_euclid(2),
    };
    sums.iter_mut().for_each(|sum| sum.bias -= middle);
    let reach = |(low, high): (i64, i64)| (high - middle).max(middle - low);
    let reach = score_reach(reach(seen), reach(possible));
    let plaintext_modulus = modulus_holding(reach, params.score_noise);
    let map = assemble(before.inputs(), sums.len(), sums);
    Ok(Scores {
        layer: NetworkLayer { map, plaintext_modulus, noise: params.score_noise, activation: None },
        reach,
        scale: 1.0 / factor,
        offset: if output == Output::Value { middle as f64 / factor } else { 0.0 },
    })
}

/// The outputs that decide: scores of classes less their mean, which no comparison sees.
pub(super) fn compared(outputs: &[Affine]) -> Vec<Affine> {
    if outputs.len() < 2 {
        return outputs.to_vec();
    }
    let share = -1.0 / outputs.len() as f64;
    let mean = combined(&outputs.iter().map(|row| (share, row)).collect::<Vec<_>>());
    outputs.iter().map(|row| combined(&[(1.0, row), (1.0, &mean)])).collect()
}
