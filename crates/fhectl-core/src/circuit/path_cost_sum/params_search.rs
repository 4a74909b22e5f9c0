//! The parameters of `PathCost` for sums of trees: the shape, spacing and moduli that take the least time and bytes.

use super::leaf_program::ForestBoxes;
use super::moduli::coprime_moduli;
use super::params::{
    MAX_COPIES, MAX_COPY, MAX_MESSAGES, MAX_MODULUS, MAX_RESPONSE, MAX_SLOTS, MAX_VALUES, PathCostSumParams,
};
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{
    Candidate, Guarantees, PLANNED_CORES, PlanRequest, Search, SumNoise, WireBits, close_wire_bits, no_parameters,
};
use crate::circuit::prime::is_prime;
use crate::circuit::reveal::Reveal;
use crate::circuit::thermometer;
use crate::circuit::traits::Circuit;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::{GlweShape, SeededLayout, cost, noise, public_key};
use crate::model::{Model, Output, Quantizer};

/// Key shapes. The noise curve is flat from dimension 2560 on, so larger keys only serve larger polynomials: fewer masks to draw.
pub(in crate::circuit) const SHAPES: [(usize, usize); 9] =
    [(1, 2048), (9, 256), (19, 128), (20, 128), (10, 256), (5, 512), (3, 1024), (1, 4096), (2, 2048)];
/// The widest spacing that is tried.
const MAX_STRIDE: usize = 256;
/// Moduli of a copy that are tried.
const TRIED_COLUMNS: usize = 5;
/// Leaves are rounded up to a multiple of an eighth of the power of two below, and of this.
const ROUND_LEAVES: usize = 8;

impl Search for PathCostSumParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Forest(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, _: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        let Model::Forest(forest) = model else { return Err(unfit()) };
        if request.reveal == Reveal::Nothing {
            return Err(Error::new(
                ErrorCode::CircuitUnfit,
                "path-cost shows a client the numbers of trees and (rounded) of leaves",
            )
            .hint("allow it with --reveal size, or choose --circuit cmux-forest"));
        }
        search(&ForestBoxes::new(forest, quantizer), quantizer, request)
    }
}

/// Finds parameters for a compiled sum of trees.
///
/// # Errors
/// `no_parameters` where there are too many leaves, or their depth and the scores' range leave no room for flooding.
pub fn search(
    forest: &ForestBoxes,
    quantizer: &Quantizer,
    request: &PlanRequest,
) -> Result<Candidate<PathCostSumParams>> {
    let leaves = forest.leaves();
    if rounded(leaves) > MAX_SLOTS {
        return Err(no_parameters(format!("path-cost answers at most {MAX_SLOTS} leaves, the trees have {leaves}"))
            .hint("train fewer or smaller trees"));
    }
    let (low, high) = forest.range();
    let (low, width) = published_range(low, high);
    let count_modulus = (u64::from(forest.depth()).max(2) + 1..).find(|p| is_prime(*p)).unwrap_or(3);
    let bits = thermometer::bits(quantizer);
    let scores = forest.constants.len();
    let mut best: Option<(f64, PathCostSumParams)> = None;
    for residues in splits(count_modulus, width, scores) {
        for (dimension, size) in SHAPES {
            for stride in (0..=MAX_STRIDE.ilog2()).map(|log| 1 << log) {
                let slots = rounded(leaves).next_multiple_of(stride);
                let bodies = (residues.plaintext_moduli.len() * bits * stride).next_multiple_of(size);
                let params = PathCostSumParams {
                    input: SeededLayout { shape: GlweShape::new(dimension, size), bodies, bits: 0 },
                    stride,
                    plaintext_moduli: residues.plaintext_moduli.clone(),
                    count_modulus,
                    trees: forest.trees.len(),
                    slots,
                    scores,
                    scores_per_sum: residues.scores_per_sum,
                    low,
                    width,
                    response_bits: 0,
                    noise_flooding: None,
                };
                let handled =
                    thermometer::check_spread(quantizer, &params.input, params.plaintext_moduli.len() * stride).is_ok();
                if !handled || params.messages() > MAX_MESSAGES {
                    continue;
                }
                let closed = close_wire_bits(params, forest, request);
                if let Some(params) = closed.filter(|params| params.response_bytes() <= MAX_RESPONSE) {
                    let worth = candidate(forest, params.clone()).total_seconds(request.bandwidth, PLANNED_CORES);
                    if best.as_ref().is_none_or(|(least, _)| worth < *least) {
                        best = Some((worth, params));
                    }
                }
            }
        }
    }
    let (_, params) = best.ok_or_else(|| {
        no_parameters(format!(
            "path-cost: {scores} score(s) from {low} to {} over leaves of {} features leave no room for the noise that \
             hides the trees",
            low + width as i64 - 1,
            forest.depth()
        ))
        .hint("lower the depth or the bits of leaves' values, or choose another circuit with --circuit")
    })?;
    Ok(candidate(forest, params))
}

/// The number of leaves that the public half names.
fn rounded(leaves: usize) -> usize {
    let eighth = 1 << leaves.max(1).ilog2().saturating_sub(3);
    leaves.next_multiple_of(eighth.max(ROUND_LEAVES))
}

/// The range of scores that the public half names, its low end and width: rounded outward to multiples of an eighth
/// of the next power of two, because its ends are sums of the model's values.
fn published_range(low: i64, high: i64) -> (i64, u64) {
    let part = ((high.abs_diff(low) + 1).next_power_of_two() / 8).max(2) as i64;
    let low = low.div_euclid(part) * part;
    (low, (high.abs_diff(low) + 1).next_multiple_of(part as u64))
}

/// How sums are split into residues.
struct Residues {
    scores_per_sum: usize,
    plaintext_moduli: Vec<Vec<u64>>,
}

/// All ways that are tried: scores that make one sum, copies of the input, moduli of a copy.
fn splits(count_modulus: u64, width: u64, scores: usize) -> Vec<Residues> {
    let mut all = Vec::new();
    let mut values = 1u128;
    for scores_per_sum in 1..=scores {
        values *= u128::from(width);
        if values * values > MAX_VALUES * u128::from(MAX_MODULUS) {
            break;
        }
        for (copies, each) in (1..=MAX_COPIES).flat_map(|copies| (1..=TRIED_COLUMNS).map(move |each| (copies, each))) {
            let Some(moduli) = coprime_moduli(count_modulus, values, copies * each, MAX_MODULUS) else { continue };
            // The products of a copy's moduli balanced: the largest with the smallest.
            let mut of_copies = vec![Vec::new(); copies];
            for (index, modulus) in moduli.into_iter().enumerate() {
                let (round, place) = (index / copies, index % copies);
                of_copies[if round % 2 == 0 { place } else { copies - 1 - place }].push(modulus);
            }
            let fits = |copy: &Vec<u64>| copy.iter().map(|c| u128::from(*c)).product::<u128>() <= u128::from(MAX_COPY);
            let product = of_copies.iter().flatten().map(|c| u128::from(*c)).fold(1u128, u128::saturating_mul);
            if of_copies.iter().all(fits) && product < MAX_VALUES {
                all.push(Residues { scores_per_sum, plaintext_moduli: of_copies });
            }
        }
    }
    all
}

impl SumNoise<PathCostSumParams> for ForestBoxes {
    fn wire_bits<'a>(&self, params: &'a mut PathCostSumParams) -> WireBits<'a> {
        WireBits {
            input: &mut params.input.bits,
            response: &mut params.response_bits,
            noise_flooding: &mut params.noise_flooding,
        }
    }

    fn failure_log2(&self, params: &PathCostSumParams) -> f64 {
        failure(self, params)
    }

    fn margin(&self, params: &PathCostSumParams) -> f64 {
        params.margin()
    }

    fn widest_flooding(&self, params: &PathCostSumParams, p_fail_log2: f64) -> Option<u64> {
        let margin = params.margin() - step_error(self, params);
        noise::widest_flooding(margin, variance(self, params), p_fail_log2 - (params.messages() as f64).log2())
    }

    fn flooding_log2(&self, params: &PathCostSumParams) -> Option<f64> {
        flooding(self, params)
    }
}

/// The product of every copy's moduli: factors go up to half of it.
fn largest_copy(params: &PathCostSumParams) -> f64 {
    params.plaintext_moduli.iter().map(|copy| copy.iter().product::<u64>() as f64).fold(0.0, f64::max)
}

fn zero_variance(params: &PathCostSumParams) -> f64 {
    if params.noise_flooding.is_some() { public_key::zero_variance(params.input.shape) } else { 0.0 }
}

/// The variance of a coefficient before flooding and rounding, for the widest tests at all places and the largest
/// factors. Of at least one bit: a client, who does not know that a model is a constant, reckons with that.
pub fn largest_variance(forest: &ForestBoxes, params: &PathCostSumParams) -> f64 {
    let bits =
        (params.stride * forest.widest().max(1)) as f64 * noise::seeded_variance(params.input.shape, params.input.bits);
    (largest_copy(params) / 2.0).powi(2) * bits + zero_variance(params)
}

/// The same on average over the factors and the order of leaves that the server draws, and over columns.
///
/// A factor that is uniform modulo `q` (but for the multiples of `p`, in the first), taken centered, has the mean square
/// `(q^2 + p) / 12` at most; steps of the others of its copy multiply it.
pub fn mean_variance(forest: &ForestBoxes, params: &PathCostSumParams) -> f64 {
    let squares = params.plaintext_moduli.iter().flat_map(|copy| {
        let all = copy.iter().product::<u64>() as f64;
        copy.iter().map(move |modulus| {
            let modulus = *modulus as f64;
            (all / modulus).powi(2) * (modulus * modulus + params.count_modulus as f64) / 12.0
        })
    });
    let squares: Vec<f64> = squares.collect();
    let square = squares.iter().sum::<f64>() / squares.len() as f64;
    let terms = params.stride as f64 * forest.terms() as f64 / params.slots as f64;
    square * terms * noise::seeded_variance(params.input.shape, params.input.bits) + zero_variance(params)
}

/// What rounding steps down to words leaves: up to a unit a bit that is set, times the factor.
fn step_error(forest: &ForestBoxes, params: &PathCostSumParams) -> f64 {
    (largest_copy(params) / 2.0 * forest.widest() as f64 + 1.0) * (-64f64).exp2()
}

/// log2 of the expected statistical distance: over the draws of the server, so with the mean variance.
fn flooding(forest: &ForestBoxes, params: &PathCostSumParams) -> Option<f64> {
    let variance = mean_variance(forest, params) + step_error(forest, params).powi(2);
    params.noise_flooding.map(|flood| noise::log2_flooding_distance(variance, flood, params.messages()))
}

/// The variance of a coefficient as it reaches the client, but for flooding.
fn variance(forest: &ForestBoxes, params: &PathCostSumParams) -> f64 {
    largest_variance(forest, params)
        + noise::answer_rounding_variance(params.input.shape.lwe_dimension(), params.response_bits)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(forest: &ForestBoxes, params: &PathCostSumParams) -> f64 {
    let margin = params.margin() - noise::flooding_reach(params.noise_flooding) - step_error(forest, params);
    noise::log2_failure(margin, variance(forest, params)) + (params.messages() as f64).log2()
}

fn candidate(forest: &ForestBoxes, params: PathCostSumParams) -> Candidate<PathCostSumParams> {
    let shape = params.input.shape;
    let additions = forest.terms() * params.plaintext_moduli.len() + forest.leaves() * params.columns();
    let rerandomize = if params.noise_flooding.is_some() { cost::rerandomize_partial_seconds(shape) } else { 0.0 };
    Candidate {
        guarantees: Guarantees {
            p_fail_log2: Some(failure(forest, &params)),
            flooding_log2: flooding(forest, &params),
        },
        core_seconds: cost::expand_seconds(&params.input)
            + cost::linear_seconds(additions, shape.lwe_dimension())
            + params.ciphertexts() as f64 * rerandomize
            + cost::answer_seconds(params.ciphertexts(), shape.lwe_dimension()),
        parallelism: params.slots / params.stride,
        device_seconds: None,
        spec: params,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_coarse_and_large_enough() {
        for (low, high) in [(0, 0), (0, 1), (-61, 130), (-64, 63), (5, 5), (-4018, 4000), (1000, 1255)] {
            let (published, width) = published_range(low, high);
            assert!(published <= low && high < published + width as i64, "{low} to {high}");
            let part = ((high - low + 1) as u64).next_power_of_two() as i64 / 8;
            assert!(part == 0 || (published % part == 0 && width as i64 % part == 0), "{low} to {high}");
        }
        for leaves in 1..2000 {
            let named = rounded(leaves);
            assert!(named >= leaves && named < (leaves + 8).max(leaves * 9 / 8 + 1), "{leaves} to {named}");
        }
        assert_eq!([1, 8, 9, 100, 400, 500].map(rounded), [8, 8, 16, 104, 416, 512]);
    }
}
