//! Networks of so few bits of input that a table holds all their answers.

use super::candidate::{Candidate, cost};
use super::searched::{Fixed, Searched};
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::quantize_levels;
use fhectl_core::circuit::input_bits::widths;
use fhectl_core::circuit::plan::plan;
use fhectl_core::circuit::{CircuitKind, table};
use fhectl_core::error::Result;
use fhectl_core::model::Model;

/// The fewest bits of a feature that are tried.
const LEAST_BITS: u32 = 2;
/// In a table nothing of the network costs anything: it is computed in clear for every cell.
const ACTIVATION_BITS: u32 = 8;
const WEIGHT_BITS: u32 = 10;

/// The network in a table, where it fits, is exact and keeps enough of the original.
///
/// # Errors
/// Those of the quantization.
pub(super) fn table(searched: &Searched<'_>, fixed: &Fixed) -> Result<Option<Candidate>> {
    let Searched { levels, image, rows, output, judge, request, .. } = *searched;
    let asked = request.circuit.is_none_or(|circuit| circuit == CircuitKind::Table);
    if !asked
        || searched.scales.is_some()
        || fixed.noise.is_some()
        || fixed.score_noise.is_some()
        || rows.features.len() > table::MAX_BITS
    {
        return Ok(None);
    }
    let bits = fixed.bits.map_or((LEAST_BITS..=PtqParams::default().bits).rev().collect(), |bits| vec![bits]);
    for bits in bits {
        let params = PtqParams {
            bits,
            activation_bits: fixed.activation_bits.unwrap_or(ACTIVATION_BITS),
            weight_bits: fixed.weight_bits.unwrap_or(WEIGHT_BITS),
            percentile: fixed.percentile.unwrap_or(100.0),
            coarse_edges: fixed.coarse_edges,
            ..PtqParams::default()
        };
        params.check()?;
        let Ok(quantization) = quantize_levels(levels, image, rows, &params, None) else { continue };
        let quantized = quantization.network;
        if widths(&quantized.quantizer).iter().sum::<u32>() as usize > table::MAX_BITS {
            continue;
        }
        let model = Model::Network(quantized.network.clone());
        let Ok(plans) = plan(&model, &quantized.quantizer, output, request) else { continue };
        let Some(chosen) = plans.first().filter(|plan| plan.guarantees.p_fail_log2.is_some()) else { continue };
        let agreement = judge.simulated(&quantized, &chosen.spec)?;
        let cost = cost(chosen, request);
        let nearly = judge.nearly(&agreement);
        let candidate = Candidate { params, quantized, plans, agreement, nearly, cost };
        // Fewer bits keep less.
        return Ok(candidate.holds().then_some(candidate));
    }
    Ok(None)
}
