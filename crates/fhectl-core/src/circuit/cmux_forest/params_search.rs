//! The parameters of `CmuxForest`: GGSW ciphertexts that are small to send and exact enough for all paths together.

use super::params::CmuxForestParams;
use super::walk_program::{Walk, WalkProgram};
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{
    Candidate, Guarantees, PLANNED_CORES, PlanRequest, Search, cut_beside_flooding, no_parameters,
};
use crate::circuit::reveal::Reveal;
use crate::circuit::{input_bits, residues};
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::ggsw::GgswLayout;
use crate::fhe::{GlweShape, cost, noise, public_key};
use crate::model::{IntegerForest, Model, Output, Quantizer};

/// Keys that are tried. Answers need few coefficients, so short polynomials: `(k + 1) N` words a bit are sent.
pub(in crate::circuit) const SHAPES: [(usize, usize); 14] = [
    (12, 128),
    (14, 128),
    (16, 128),
    (6, 256),
    (7, 256),
    (8, 256),
    (10, 256),
    (3, 512),
    (4, 512),
    (5, 512),
    (2, 1024),
    (1, 2048),
    (2, 2048),
    (1, 4096),
];
/// The most moduli a score is carried in.
const MAX_MODULI: usize = 6;
/// The most input bits: at some 8 kB each, 30 MB a request.
const MAX_BITS: usize = 4096;

impl Search for CmuxForestParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Tree(_) | Model::Forest(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, _: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        match model {
            Model::Tree(tree) => search(&IntegerForest::of_tree(tree), quantizer, request),
            Model::Forest(forest) => search(forest, quantizer, request),
            _ => Err(unfit()),
        }
    }
}

/// Finds the parameters with which an inference takes the least time, on the wire and off.
///
/// # Errors
/// `circuit_unfit` where inputs have too many bits, `no_parameters` where no parameters are exact.
fn search(forest: &IntegerForest, quantizer: &Quantizer, request: &PlanRequest) -> Result<Candidate<CmuxForestParams>> {
    let count = input_bits::count(quantizer);
    if count == 0 || count > MAX_BITS {
        return Err(Error::new(
            ErrorCode::CircuitUnfit,
            format!("cmux-forest: the inputs have {count} bits, want 1 to {MAX_BITS}"),
        )
        .hint("give features fewer bits with --bits, or choose --circuit auto"));
    }
    let ranges = forest.score_ranges();
    let low = ranges.iter().map(|range| range.0).min().unwrap_or(0);
    let high = ranges.iter().map(|range| range.1).max().unwrap_or(0);
    let (low, range_bits) = residues::coarse_range(low, high);
    let refused = |what: String| {
        no_parameters(what).hint("use fewer or shallower trees, fewer --bits, raise --p-fail, or choose --circuit auto")
    };
    if range_bits > 60 {
        return Err(refused(format!("cmux-forest: scores of {range_bits} bits are beyond what answers carry")));
    }
    let walk = WalkProgram::new(forest, quantizer, low, &[2]).walk();
    let mut best: Option<(f64, CmuxForestParams)> = None;
    for moduli in (1..=MAX_MODULI).filter_map(|count| residues::moduli(count, 1 << range_bits, |_| true)) {
        for (dimension, size) in SHAPES {
            for (base_log, levels) in (6..=24).map(|base| (base, 1)).chain((4..=14).map(|base| (base, 2))) {
                let shape = GlweShape::new(dimension, size);
                let open = CmuxForestParams {
                    bits: GgswLayout { count, shape, base_log, levels, key_bits: 64 },
                    scores: forest.biases.len(),
                    low,
                    moduli: moduli.clone(),
                    cmuxes: coarse(walk.cmuxes),
                    response_bits: 64,
                    noise_flooding: None,
                };
                if open.coefficients() > size || open.bits.check().is_err() {
                    continue;
                }
                let Some(params) = close(open, &walk, request) else { continue };
                let worth = candidate(params.clone(), &walk).total_seconds(request.bandwidth, PLANNED_CORES);
                if best.as_ref().is_none_or(|(least, _)| worth < *least) {
                    best = Some((worth, params));
                }
            }
        }
    }
    let (_, params) = best.ok_or_else(|| {
        refused(format!(
            "cmux-forest: {} CMUXes on {} paths are not exact at a failure rate of 2^{:.0}",
            walk.cmuxes,
            forest.trees.len(),
            request.p_fail_log2
        ))
    })?;
    Ok(candidate(params, &walk))
}

/// Rounded up to two significant bits: what the public half says of a model's size.
fn coarse(count: usize) -> usize {
    let part = 1 << count.max(4).ilog2().saturating_sub(1);
    count.div_ceil(part) * part
}

/// The fewest bits a word with which half of the failure budget is kept for flooding and for cutting the answer.
fn close(mut params: CmuxForestParams, walk: &Walk, request: &PlanRequest) -> Option<CmuxForestParams> {
    let budget = request.p_fail_log2;
    let mut fits = |bits: u32| {
        params.bits.key_bits = bits;
        failure(&params, walk) <= budget - 2.0
    };
    // Fewer bits, more noise: the threshold is found by halving.
    if !fits(64) {
        return None;
    }
    let (mut low, mut high) = (8, 64);
    while low < high {
        let middle = (low + high) / 2;
        if fits(middle) { high = middle } else { low = middle + 1 }
    }
    params.bits.key_bits = high;
    let floods = request.reveal != Reveal::Model;
    params.noise_flooding = floods.then_some(1);
    let budget = budget - (params.coefficients() as f64).log2();
    let room = |params: &CmuxForestParams| noise::widest_flooding(params.margin(), variance(params, walk), budget);
    (params.response_bits, params.noise_flooding) = cut_beside_flooding(floods, |bits| {
        params.response_bits = bits;
        room(&params)
    })?;
    Some(params)
}

/// The variance of a coefficient before it is flooded. A split that goes into several trees brings its noise into each;
/// each tree has a zero of its leaves', and the answer one. Of at least one bit: a client, who does not know that a model
/// is a constant, reckons with that.
fn own_variance(params: &CmuxForestParams, walk: &Walk) -> f64 {
    let zero = if params.noise_flooding.is_some() { public_key::zero_variance(params.bits.shape) } else { 0.0 };
    (walk.path_bits * walk.shared).max(1) as f64 * params.bits.cmux_variance()
        + (walk.trees * walk.shared + 1) as f64 * zero
}

/// The same as it reaches the client.
fn variance(params: &CmuxForestParams, walk: &Walk) -> f64 {
    let dimension = params.bits.shape.lwe_dimension();
    own_variance(params, walk) + noise::answer_rounding_variance(dimension, params.response_bits)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(params: &CmuxForestParams, walk: &Walk) -> f64 {
    let margin = params.margin() - noise::flooding_reach(params.noise_flooding);
    noise::log2_failure(margin, variance(params, walk)) + (params.coefficients() as f64).log2()
}

fn candidate(params: CmuxForestParams, walk: &Walk) -> Candidate<CmuxForestParams> {
    let flooding = |flood| noise::log2_flooding_distance(own_variance(&params, walk), flood, params.coefficients());
    let shape = params.bits.shape;
    let used = GgswLayout { count: walk.bits, ..params.bits };
    let rerandomize = if params.noise_flooding.is_some() { cost::rerandomize_partial_seconds(shape) } else { 0.0 };
    Candidate {
        guarantees: Guarantees {
            p_fail_log2: Some(failure(&params, walk)),
            flooding_log2: params.noise_flooding.map(flooding),
        },
        core_seconds: cost::unpack_seconds(&used)
            + cost::shared_cmux_seconds(&params.bits, walk.cmuxes, walk.passes)
            + rerandomize
            + cost::answer_seconds(1, shape.lwe_dimension()),
        parallelism: walk.bits.max(1),
        device_seconds: None,
        spec: params,
    }
}
