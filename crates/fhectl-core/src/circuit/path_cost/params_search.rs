//! The parameters of `PathCost`: a prime plaintext modulus that holds the counts, flooded, and as few bits as carry it.

use super::params::{MAX_LEAVES, PathCostParams};
use crate::circuit::boxes::Boxes;
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{
    Candidate, Guarantees, PlanRequest, Search, SumNoise, WireBits, close_wire_bits, no_parameters,
};
use crate::circuit::prime::is_prime;
use crate::circuit::reveal::Reveal;
use crate::circuit::thermometer;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::{GlweShape, SeededLayout, cost, noise, public_key};
use crate::model::{Model, Output, Quantizer};

/// Sizes of the key's one polynomial.
pub(in crate::circuit) const SIZES: [usize; 2] = [2048, 4096];

impl Search for PathCostParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Tree(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        if request.reveal == Reveal::Nothing {
            return Err(Error::new(ErrorCode::CircuitUnfit, "path-cost shows a client the rounded number of leaves")
                .hint("allow it with --reveal size, or choose --circuit leaf-sum"));
        }
        search(&Boxes::leaves(tree, quantizer), quantizer, output.classes(), request)
    }
}

/// Finds parameters for a tree's leaf tests, the smaller key first.
///
/// # Errors
/// `no_parameters` where the tree has too many leaves, or its depth leaves no room for flooding.
fn search(
    tests: &Boxes,
    quantizer: &Quantizer,
    classes: usize,
    request: &PlanRequest,
) -> Result<Candidate<PathCostParams>> {
    let leaves = tests.tests.len().max(1).next_power_of_two();
    if leaves > MAX_LEAVES {
        return Err(no_parameters(format!(
            "path-cost answers at most {MAX_LEAVES} leaves, the tree has {} outside its largest class",
            tests.tests.len()
        ))
        .hint("lower --max-depth or raise --min-leaf"));
    }
    let values = tests.needs_values() || classes > 2;
    let residues = u64::from(tests.depth()).max(if values { classes as u64 - 1 } else { 2 });
    let modulus = (residues + 1..).find(|p| is_prime(*p)).unwrap_or(3);
    for size in SIZES {
        let input = SeededLayout { shape: GlweShape::new(1, size), bodies: thermometer::bits(quantizer), bits: 0 };
        let params = PathCostParams {
            input,
            modulus,
            leaves,
            values,
            classes,
            default_class: tests.base as usize,
            response_bits: 0,
            noise_flooding: None,
        };
        if let Some(params) = close_wire_bits(params, tests, request) {
            return Ok(candidate(tests, params));
        }
    }
    Err(no_parameters(format!(
        "a plaintext modulus of {modulus} (depth {}, {classes} classes) leaves no room for the noise that hides the tree",
        tests.depth()
    ))
    .hint("lower --max-depth, or choose --circuit leaf-sum"))
}

impl SumNoise<PathCostParams> for Boxes {
    fn wire_bits<'a>(&self, params: &'a mut PathCostParams) -> WireBits<'a> {
        WireBits {
            input: &mut params.input.bits,
            response: &mut params.response_bits,
            noise_flooding: &mut params.noise_flooding,
        }
    }

    fn failure_log2(&self, params: &PathCostParams) -> f64 {
        failure(self, params)
    }

    fn margin(&self, params: &PathCostParams) -> f64 {
        margin(params)
    }

    fn widest_flooding(&self, params: &PathCostParams, p_fail_log2: f64) -> Option<u64> {
        let budget = p_fail_log2 - (params.answers() as f64).log2();
        noise::widest_flooding(margin(params), variance(self, params), budget)
    }

    fn flooding_log2(&self, params: &PathCostParams) -> Option<f64> {
        flooding(self, params)
    }
}

/// The largest magnitude of a random factor: residues are taken centered.
fn largest_factor(params: &PathCostParams) -> f64 {
    (params.modulus / 2) as f64
}

/// The variance of one answer before flooding and rounding, for the widest test and the largest factor. Of at least one
/// bit: a client, who does not know that a model is a constant, reckons with that.
fn model_variance(tests: &Boxes, params: &PathCostParams) -> f64 {
    let bits = tests.widest().max(1) as f64 * noise::seeded_variance(params.input.shape, params.input.bits);
    let zero = if params.noise_flooding.is_some() { public_key::zero_variance(params.input.shape) } else { 0.0 };
    largest_factor(params).powi(2) * bits + zero
}

fn flooding(tests: &Boxes, params: &PathCostParams) -> Option<f64> {
    params
        .noise_flooding
        .map(|flood| noise::log2_flooding_distance(model_variance(tests, params), flood, params.answers()))
}

/// Half of a step, but for what is bounded: steps are 2^64/p rounded down, and counts up to p^2 of them are added.
fn margin(params: &PathCostParams) -> f64 {
    params.margin() - (params.modulus as f64).powi(2) * (-64f64).exp2()
}

/// The variance of an answer as it reaches the client, but for flooding.
fn variance(tests: &Boxes, params: &PathCostParams) -> f64 {
    model_variance(tests, params)
        + noise::answer_rounding_variance(params.input.shape.lwe_dimension(), params.response_bits)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(tests: &Boxes, params: &PathCostParams) -> f64 {
    let margin = margin(params) - noise::flooding_reach(params.noise_flooding);
    noise::log2_failure(margin, variance(tests, params)) + (params.answers() as f64).log2()
}

fn candidate(tests: &Boxes, params: PathCostParams) -> Candidate<PathCostParams> {
    let terms: usize = tests.tests.iter().map(|test| test.terms.len()).sum();
    let per_leaf = if params.values { 2 } else { 1 };
    let rerandomize = if params.noise_flooding.is_some() { cost::rerandomize_seconds(params.input.shape) } else { 0.0 };
    let guarantees = Guarantees { p_fail_log2: Some(failure(tests, &params)), flooding_log2: flooding(tests, &params) };
    Candidate {
        core_seconds: cost::expand_seconds(&params.input)
            + cost::linear_seconds(terms * per_leaf, params.input.shape.lwe_dimension())
            + rerandomize * params.answers() as f64
            + cost::answer_seconds(params.answers(), params.input.shape.lwe_dimension()),
        parallelism: params.leaves,
        device_seconds: None,
        guarantees,
        spec: params,
    }
}
