//! The parameters of `Table`: GGSW ciphertexts that are exact enough, small to send and quick to use.

use super::entries::Entries;
use super::params::TableParams;
use crate::circuit::plan::{Candidate, Guarantees, PlanRequest, Search, cut_beside_flooding, no_parameters};
use crate::circuit::residues;
use crate::circuit::reveal::Reveal;
use crate::error::Result;
use crate::fhe::ggsw::GgswLayout;
use crate::fhe::{GlweShape, cost, noise, public_key};
use crate::model::{Model, Output, Quantizer};

/// What a megabyte of request is worth in seconds of compute: its way through 200 Mbit/s.
const SECONDS_PER_REQUEST_MEGABYTE: f64 = 0.04;
/// A CMUX of a tree beside one of a bootstrap: fewer ciphertexts share a pass over a GGSW.
const SMALL_BATCHES: f64 = 1.45;
/// Shapes of the key.
pub(in crate::circuit) const SHAPES: [(usize, usize); 9] =
    [(3, 256), (4, 256), (2, 512), (3, 512), (4, 512), (1, 1024), (2, 1024), (1, 2048), (1, 4096)];
/// Scores are exact; beyond this many bits no parameters hold one.
const MAX_SCORE_BITS: u32 = 30;

impl Search for TableParams {
    fn runs(_: &Model) -> bool {
        true
    }

    fn search(model: &Model, quantizer: &Quantizer, _: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        search(model, quantizer, request)
    }
}

/// Finds the cheapest parameters for the model's table.
///
/// # Errors
/// `circuit_unfit` where the inputs have too many bits, `no_parameters` where scores are too large to be exact.
fn search(model: &Model, quantizer: &Quantizer, request: &PlanRequest) -> Result<Candidate<TableParams>> {
    let table = Entries::new(model, quantizer)?;
    let (low, high) = table.range();
    let scores = table.scores.iter().flatten().next().map_or(0, Vec::len);
    let (low, score_bits) = residues::coarse_range(low, high);
    let refused = || {
        no_parameters(format!(
            "table: scores from {low} to {high} are not exact at a failure rate of 2^{:.0}",
            request.p_fail_log2
        ))
        .hint("train with smaller weights (--weight-bits), raise --p-fail, or choose --circuit auto")
    };
    if score_bits > MAX_SCORE_BITS {
        return Err(refused());
    }
    let count = table.scores.len().ilog2() as usize;
    let mut best: Option<(f64, TableParams)> = None;
    for (dimension, size) in SHAPES {
        for (base_log, levels) in
            (4..=24).map(|base| (base, 1)).chain((4..=16).map(|base| (base, 2))).chain((3..=12).map(|base| (base, 3)))
        {
            for scores_per_ciphertext in 1..=scores.min((40 / score_bits) as usize).max(1) {
                let shape = GlweShape::new(dimension, size);
                let bits = GgswLayout { count, shape, base_log, levels, key_bits: 64 };
                let open = TableParams {
                    bits,
                    scores,
                    low,
                    score_bits,
                    scores_per_ciphertext,
                    response_bits: 64,
                    noise_flooding: None,
                };
                let Some(params) = close(open, request) else { continue };
                let megabytes = params.bits.layout().wire_len() as f64 / 1e6;
                let worth = core_seconds(&params) + SECONDS_PER_REQUEST_MEGABYTE * megabytes;
                if best.as_ref().is_none_or(|(least, _)| worth < *least) {
                    best = Some((worth, params));
                }
            }
        }
    }
    let (_, params) = best.ok_or_else(refused)?;
    let flooding = |flood| noise::log2_flooding_distance(own_variance(&params), flood, params.answers());
    Ok(Candidate {
        guarantees: Guarantees {
            p_fail_log2: Some(failure(&params)),
            flooding_log2: params.noise_flooding.map(flooding),
        },
        core_seconds: core_seconds(&params),
        parallelism: params.answers().max(2),
        device_seconds: None,
        spec: params,
    })
}

/// The request's bits leave a part of the margin for flooding, of which cutting the answer takes a part.
fn close(mut params: TableParams, request: &PlanRequest) -> Option<TableParams> {
    let budget = request.p_fail_log2;
    if failure(&params) > budget - 2.0 {
        return None;
    }
    let whole = params.bits.cmux_variance();
    params.bits.key_bits = (8..=64).find(|bits| {
        params.bits.key_bits = *bits;
        params.bits.cmux_variance() <= 1.5 * whole.max(f64::MIN_POSITIVE) && failure(&params) <= budget - 2.0
    })?;
    let floods = request.reveal != Reveal::Model;
    params.noise_flooding = floods.then_some(1);
    let budget = budget - (params.answers() as f64).log2();
    let room = |params: &TableParams| noise::widest_flooding(params.margin(), variance(params), budget);
    (params.response_bits, params.noise_flooding) = cut_beside_flooding(floods, |bits| {
        params.response_bits = bits;
        room(&params)
    })?;
    Some(params)
}

/// The variance of an answer before it is flooded: the bits', and two zeros', at the chosen leaf and at the end.
fn own_variance(params: &TableParams) -> f64 {
    let zero = if params.noise_flooding.is_some() { public_key::zero_variance(params.bits.shape) } else { 0.0 };
    params.bits.count as f64 * params.bits.cmux_variance() + 2.0 * zero
}

/// The same as it reaches the client.
fn variance(params: &TableParams) -> f64 {
    own_variance(params) + noise::answer_rounding_variance(params.bits.shape.lwe_dimension(), params.response_bits)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(params: &TableParams) -> f64 {
    let margin = params.margin() - noise::flooding_reach(params.noise_flooding);
    noise::log2_failure(margin, variance(params)) + (params.answers() as f64).log2()
}

fn core_seconds(params: &TableParams) -> f64 {
    let answers = params.answers() as f64;
    cost::unpack_seconds(&params.bits)
        + answers * params.cmuxes_an_answer() as f64 * SMALL_BATCHES * cost::cmux_seconds(&params.bits)
        + answers * cost::rerandomize_seconds(params.bits.shape)
}
