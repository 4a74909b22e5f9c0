//! The parameters of `Linear`: a step that holds the scores, with room below it for noise that drowns the model's.

use super::params::LinearParams;
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{
    Candidate, Guarantees, PlanRequest, Search, SumNoise, WireBits, close_wire_bits, no_parameters,
};
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::{GlweShape, cost, noise, public_key};
use crate::model::{IntegerLinear, Model, Output, Quantizer};

/// Sizes of the key's one polynomial.
pub(in crate::circuit) const SIZES: [usize; 2] = [2048, 4096];

impl Search for LinearParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Linear(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, _: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        let Model::Linear(model) = model else { return Err(unfit()) };
        search(model, quantizer, request)
    }
}

/// Finds parameters for an integer linear model, the smaller key first.
///
/// The step is the largest that the range of scores allows. The answer keeps so many bits that flooding can take most of
/// the margin, the input as many as the flooding distance asks for.
///
/// # Errors
/// `no_parameters` where no key size leaves enough room between the model's noise and the step.
fn search(model: &IntegerLinear, quantizer: &Quantizer, request: &PlanRequest) -> Result<Candidate<LinearParams>> {
    let (low, high) = model.score_range(quantizer);
    let bound = low.unsigned_abs().max(high.unsigned_abs()).max(1);
    let score_bits = bound.ilog2() + 2; // magnitude and sign
    let norm2 = norm2(model);
    for size in SIZES {
        let shape = GlweShape::new(1, size);
        if let Some(params) = fit(model, shape, score_bits, norm2, request) {
            return Ok(candidate(model, params, norm2));
        }
    }
    Err(no_parameters(format!(
        "scores of {score_bits} bits leave no room for the noise that hides the weights (2^{} at most)",
        request.flooding_log2
    ))
    .hint("lower --bits, or use --reveal model where the weights are no secret"))
}

fn fit(
    model: &IntegerLinear,
    shape: GlweShape,
    score_bits: u32,
    norm2: f64,
    request: &PlanRequest,
) -> Option<LinearParams> {
    let step_log2 = 64u32.checked_sub(score_bits).filter(|step| *step >= 4)?.min(62);
    let params = LinearParams {
        shape,
        features: model.weights[0].len(),
        scores: model.weights.len(),
        step_log2,
        input_bits: 64,
        response_bits: 64,
        noise_flooding: None,
    };
    close_wire_bits(params, &Norm2(norm2), request)
}

/// The largest squared norm of a score's weights: all that noise depends on.
struct Norm2(f64);

impl SumNoise<LinearParams> for Norm2 {
    fn wire_bits<'a>(&self, params: &'a mut LinearParams) -> WireBits<'a> {
        WireBits {
            input: &mut params.input_bits,
            response: &mut params.response_bits,
            noise_flooding: &mut params.noise_flooding,
        }
    }

    fn failure_log2(&self, params: &LinearParams) -> f64 {
        failure(params, self.0)
    }

    fn margin(&self, params: &LinearParams) -> f64 {
        params.margin()
    }

    fn widest_flooding(&self, params: &LinearParams, p_fail_log2: f64) -> Option<u64> {
        noise::widest_flooding(params.margin(), variance(params, self.0), p_fail_log2 - log2(params.scores))
    }

    fn flooding_log2(&self, params: &LinearParams) -> Option<f64> {
        flooding(params, self.0)
    }
}

fn log2(count: usize) -> f64 {
    (count as f64).log2()
}

/// The variance of a score's phase before flooding and rounding.
fn model_variance(params: &LinearParams, norm2: f64) -> f64 {
    let inputs = norm2 * noise::seeded_variance(params.shape, params.input_bits);
    inputs + if params.noise_flooding.is_some() { public_key::zero_variance(params.shape) } else { 0.0 }
}

fn flooding(params: &LinearParams, norm2: f64) -> Option<f64> {
    params
        .noise_flooding
        .map(|flood| noise::log2_flooding_distance(model_variance(params, norm2), flood, params.scores))
}

/// The same as it reaches the client.
fn variance(params: &LinearParams, norm2: f64) -> f64 {
    model_variance(params, norm2) + noise::answer_rounding_variance(params.shape.lwe_dimension(), params.response_bits)
}

/// The largest squared norm of a score's weights.
pub(in crate::circuit) fn norm2(model: &IntegerLinear) -> f64 {
    model.weights.iter().map(|row| row.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>()).fold(1.0, f64::max)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(params: &LinearParams, norm2: f64) -> f64 {
    let margin = params.margin() - noise::flooding_reach(params.noise_flooding);
    noise::log2_failure(margin, variance(params, norm2)) + log2(params.scores)
}

fn candidate(model: &IntegerLinear, params: LinearParams, norm2: f64) -> Candidate<LinearParams> {
    let terms = model.weights.iter().flatten().filter(|w| **w != 0).count();
    let dimension = params.shape.lwe_dimension();
    let rerandomize = if params.noise_flooding.is_some() { cost::rerandomize_seconds(params.shape) } else { 0.0 }
        * params.scores as f64;
    let guarantees = Guarantees { p_fail_log2: Some(failure(&params, norm2)), flooding_log2: flooding(&params, norm2) };
    Candidate {
        core_seconds: cost::expand_seconds(&params.input_layout())
            + cost::linear_seconds(terms, dimension)
            + rerandomize
            + cost::answer_seconds(params.scores, dimension),
        parallelism: params.scores,
        device_seconds: None,
        guarantees,
        spec: params,
    }
}
