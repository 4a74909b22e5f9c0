//! The most noise that a network in integers bears.

use super::candidate::{CLOSE, Candidate, less};
use super::judge::{holds, nearly_holds};
use super::searched::{Fixed, Searched};
use crate::import::agreement::Agreement;
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::{QuantizedNetwork, quantize_levels};
use fhectl_core::error::{Error, ErrorCode, Result};

/// Standard deviations in turns, from the most to the least that keys are made for.
const NOISES: [f64; 23] = [
    0.03, 0.027, 0.024, 0.0215, 0.019, 0.017, 0.015, 0.0135, 0.012, 0.0107, 0.0095, 0.0085, 0.0075, 0.0067, 0.006,
    0.0052, 0.0045, 0.004, 0.0035, 0.003, 0.0026, 0.002, 0.001,
];
/// Noise of scores, in parts of the noise before activations.
const SCORE_SHARES: [f64; 3] = [1.0, 0.5, 0.25];
/// Steps down when keys turn out noisier than foreseen, each to so many parts of the noise.
const RETRIES: usize = 3;
const RETRY: f64 = 0.85;

/// A network in integers and the most noise that it bears.
pub(super) struct Rung {
    params: PtqParams,
    quantized: QuantizedNetwork,
    pub(super) holds: bool,
    pub(super) quality: f64,
    /// Grows with what keys cost: the norm of weights over the noise that their sums may have.
    pub(super) proxy: f64,
    asked: Asked,
}

/// How much of the original a rung is to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Asked {
    Enough,
    Nearly,
}

/// For each share of noise at the scores the most noise under which enough is kept of the original. Where noise or not,
/// too little is kept, the most that takes little more.
///
/// # Errors
/// Those of the quantization.
pub(super) fn climb(searched: &Searched<'_>, fixed: &Fixed, params: &PtqParams, asked: Asked) -> Result<Vec<Rung>> {
    let Searched { levels, scales, image, rows, judge, .. } = *searched;
    let quantized = quantize_levels(levels, image, rows, params, scales)?.network;
    let clear = judge.clear(&quantized)?;
    let kept = |agreement: &Agreement| if asked == Asked::Enough { holds(agreement) } else { nearly_holds(agreement) };
    let enough = |agreement: &Agreement| {
        if kept(&clear) { kept(agreement) } else { agreement.share() >= clear.share() - CLOSE }
    };
    let noises: Vec<f64> = fixed.noise.map_or(NOISES.to_vec(), |noise| vec![noise]);
    let shares: &[f64] = if fixed.score_noise.is_some() { &[1.0] } else { &SCORE_SHARES };
    let mut rungs: Vec<Rung> = Vec::new();
    for share in shares {
        let at = |noise: f64| PtqParams { noise, score_noise: fixed.score_noise.unwrap_or(share * noise), ..*params };
        let tried = |noise: f64| {
            let params = at(noise);
            let network = quantized.with_noise(params.noise, params.score_noise);
            let agreement = judge.allowed(&network)?;
            Ok::<_, Error>((params, network, agreement))
        };
        // More noise keeps less: the first rung that is enough is found by halving.
        let (mut low, mut high) = (0, noises.len() - 1);
        while low < high {
            let middle = (low + high) / 2;
            if enough(&tried(noises[middle])?.2) { high = middle } else { low = middle + 1 }
        }
        let (params, network, agreement) = tried(noises[low])?;
        if low > 0 && !enough(&agreement) && kept(&clear) && fixed.noise.is_none() {
            continue;
        }
        let proxy = proxy(&network);
        rungs.push(Rung {
            params,
            quantized: network,
            holds: kept(&agreement),
            quality: agreement.share(),
            proxy,
            asked,
        });
    }
    if rungs.is_empty() {
        let least = noises[noises.len() - 1];
        let params = PtqParams { noise: least, score_noise: least * SCORE_SHARES[2], ..*params };
        let network = quantized.with_noise(params.noise, params.score_noise);
        let agreement = judge.allowed(&network)?;
        let proxy = proxy(&network);
        rungs.push(Rung { params, quantized: network, holds: false, quality: agreement.share(), proxy, asked });
    }
    Ok(rungs)
}

fn proxy(network: &QuantizedNetwork) -> f64 {
    let layers = &network.network.layers;
    let demand = |layer: &fhectl_core::model::NetworkLayer| {
        let norm = layer.map.squared_norms().into_iter().fold(1.0, f64::max).sqrt();
        (norm / layer.noise).log2()
    };
    let outputs = layers.iter().map(|layer| if layer.activation.is_some() { layer.map.shape.outputs() } else { 0 });
    // The first layer's keys grow with it alone; those of later ones with the worst of them.
    let later = layers[1..].iter().map(demand).fold(f64::NEG_INFINITY, f64::max);
    outputs.sum::<usize>() as f64 * (demand(&layers[0]) + 2.0 * later)
}

impl Rung {
    /// With the cheapest keys. Those may have more noise than was drawn (in inputs, which several sums share), and then less
    /// is asked for.
    ///
    /// # Errors
    /// Those of the plan; `internal` without one.
    pub(super) fn planned(self, searched: &Searched<'_>) -> Result<Candidate> {
        let mut params = self.params;
        let mut quantized = self.quantized;
        for retry in 0.. {
            let candidate = Candidate::planned(params, quantized, searched)?;
            let kept = if self.asked == Asked::Enough { candidate.holds() } else { nearly_holds(&candidate.agreement) };
            if !self.holds || kept || retry == RETRIES {
                return Ok(candidate);
            }
            (params.noise, params.score_noise) = (less(params.noise, RETRY), less(params.score_noise, RETRY));
            quantized = candidate.quantized.with_noise(params.noise, params.score_noise);
        }
        Err(Error::new(ErrorCode::Internal, "no plan"))
    }
}
