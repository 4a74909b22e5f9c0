//! The parameters of `LeafSum`: a bootstrap that is exact enough at both ends, as cheap as can be.

use super::params::LeafSumParams;
use crate::circuit::boxes::Boxes;
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{
    Candidate, Guarantees, KEY_MEGABYTE_WORTH_SECONDS, PlanRequest, Search, cut_beside_flooding, no_parameters,
};
use crate::circuit::reveal::Reveal;
use crate::circuit::thermometer;
use crate::circuit::traits::AsCircuit;
use crate::error::Result;
use crate::fhe::bootstrap::{BootstrapParams, MOST_DIGIT_BITS};
use crate::fhe::{GlweShape, SeededLayout, cost, noise, public_key};
use crate::model::{Model, Output, Quantizer};

/// Shapes of the answers' key.
pub(in crate::circuit) const OUTPUTS: [(usize, usize); 9] =
    [(6, 256), (5, 256), (4, 512), (3, 512), (2, 1024), (1, 2048), (2, 2048), (1, 4096), (1, 8192)];

/// Dimensions of the inputs' key.
pub(in crate::circuit) fn dimensions() -> impl Iterator<Item = usize> {
    (512..=1216).step_by(32)
}

impl Search for LeafSumParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Tree(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        search(&Boxes::signed(tree, quantizer), quantizer, output.classes(), request)
    }
}

/// Finds the cheapest `(n, k, N, base, level, wire bits)` whose noise fits.
///
/// # Errors
/// `no_parameters` where the tree is too deep for any bootstrap, naming the deepest that fits.
fn search(
    tests: &Boxes,
    quantizer: &Quantizer,
    classes: usize,
    request: &PlanRequest,
) -> Result<Candidate<LeafSumParams>> {
    best(tests, quantizer, classes, request).ok_or_else(|| {
        no_parameters(format!(
            "leaf-sum has no parameters for boxes of {} features and {classes} classes at a failure rate of 2^{:.0}",
            tests.depth(),
            request.p_fail_log2
        ))
        .hint(match deepest(tests, quantizer, classes, request) {
            0 => "raise --p-fail, or choose --circuit path-cost".into(),
            depth => format!("--max-depth {depth} fits; or choose --circuit path-cost"),
        })
    })
}

fn best(
    tests: &Boxes,
    quantizer: &Quantizer,
    classes: usize,
    request: &PlanRequest,
) -> Option<Candidate<LeafSumParams>> {
    let fits = candidates(tests, quantizer, classes)
        .filter_map(|params| fit(tests, params, request))
        .map(|params| candidate(tests, params, request));
    // Among the parameters of nearly the same cost, those whose bootstraps leave the least noise to hide.
    let worth = |candidate: &Candidate<LeafSumParams>| {
        let flooding = candidate.guarantees.flooding_log2.unwrap_or(0.0);
        let key_bytes = candidate.spec.as_circuit().key_bytes();
        candidate.device_seconds.unwrap_or(candidate.core_seconds) * (1.0 + flooding / 100.0)
            + KEY_MEGABYTE_WORTH_SECONDS * key_bytes as f64 / 1e6
    };
    fits.min_by(|a, b| worth(a).total_cmp(&worth(b)))
}

/// The largest depth that has parameters, with tests otherwise alike.
fn deepest(tests: &Boxes, quantizer: &Quantizer, classes: usize, request: &PlanRequest) -> u32 {
    (1..tests.depth())
        .rev()
        .find(|depth| {
            let mut shallow = tests.clone();
            for test in &mut shallow.tests {
                test.features = test.features.min(*depth);
                test.terms.truncate(2 * *depth as usize);
            }
            best(&shallow, quantizer, classes, request).is_some()
        })
        .unwrap_or(0)
}

/// Every combination worth trying, with wire bits still open.
fn candidates<'a>(
    tests: &'a Boxes,
    quantizer: &'a Quantizer,
    classes: usize,
) -> impl Iterator<Item = LeafSumParams> + 'a {
    OUTPUTS.into_iter().flat_map(move |(dimension, size)| {
        dimensions().flat_map(move |n| {
            (1..=3u32).flat_map(move |levels| {
                let bases = if levels == 1 { 8..=24 } else { 5..=16 };
                let bases = bases.filter(move |base_log| base_log * levels <= MOST_DIGIT_BITS);
                bases.map(move |base_log| LeafSumParams {
                    input: SeededLayout { shape: GlweShape::small(n), bodies: thermometer::bits(quantizer), bits: 0 },
                    plaintext_modulus: 2 * u64::from(tests.depth()),
                    bootstrap: BootstrapParams {
                        lwe_dimension: n,
                        output: GlweShape::new(dimension, size),
                        base_log,
                        levels,
                        key_bits: 0,
                    },
                    boxes: tests.tests.len(),
                    classes,
                    default_class: tests.base as usize,
                    response_bits: 0,
                    noise_flooding: None,
                })
            })
        })
    })
}

/// Closes what is open. Half of the failure budget is for the decisions of the boxes. Of the answer's margin, what the
/// bootstraps leave is for flooding, but for what cutting the key and the answer takes.
fn fit(tests: &Boxes, mut params: LeafSumParams, request: &PlanRequest) -> Option<LeafSumParams> {
    let budget = request.p_fail_log2 - 1.0;
    params.input.bits = 64;
    params.bootstrap.key_bits = 64;
    params.response_bits = 64;
    if input_failure(tests, &params) > budget - 1.0 || output_failure(&params) > budget - 1.0 {
        return None;
    }
    params.input.bits = (8..=64).find(|bits| {
        params.input.bits = *bits;
        input_failure(tests, &params) <= budget
    })?;
    let floods = request.reveal != Reveal::Model;
    params.noise_flooding = floods.then_some(1);
    let room = |params: &LeafSumParams| noise::widest_flooding(params.margin(), variance(params), budget);
    let whole = sum_variance(&params);
    let most = noise::flooding_reach(room(&params));
    params.bootstrap.key_bits = (8..=64).find(|bits| {
        params.bootstrap.key_bits = *bits;
        sum_variance(&params) <= 1.05 * whole && noise::flooding_reach(room(&params)) >= 0.9 * most
    })?;
    (params.response_bits, params.noise_flooding) = cut_beside_flooding(floods, |bits| {
        params.response_bits = bits;
        room(&params)
    })?;
    Some(params)
}

/// The variance of a box's point on the torus where the blind rotation starts.
pub fn input_variance(params: &LeafSumParams, terms: usize, scale: f64) -> f64 {
    let input = noise::seeded_variance(params.input.shape, params.input.bits)
        // Backends that compute layers read inputs as words of 32 bits.
        + noise::narrowing_variance(params.input.shape.lwe_dimension());
    scale * scale * terms as f64 * input
        + noise::modulus_switch_variance(params.bootstrap.lwe_dimension, params.bootstrap.output.size)
}

fn input_failure(tests: &Boxes, params: &LeafSumParams) -> f64 {
    noise::log2_union(tests.tests.iter().map(|test| {
        let scale = params.scale(test.features) as f64;
        noise::log2_failure(
            0.5 * scale / params.plaintext_modulus as f64,
            input_variance(params, test.terms.len(), scale),
        )
    }))
}

/// The variance of the sum of all bootstraps, each begun with a zero, before it is re-randomized.
pub fn sum_variance(params: &LeafSumParams) -> f64 {
    let each = params.bootstrap;
    let bootstrap = noise::bootstrap_variance(each.lwe_dimension, each.output, each.gadget());
    // A client reckons with one at least.
    params.boxes.max(1) as f64 * (bootstrap + zero_variance(params))
}

fn answer_variance(params: &LeafSumParams) -> f64 {
    sum_variance(params) + zero_variance(params)
}

/// Of an encryption of zero under the client's public key, where answers are re-randomized.
fn zero_variance(params: &LeafSumParams) -> f64 {
    if params.noise_flooding.is_some() { public_key::zero_variance(params.bootstrap.output) } else { 0.0 }
}

/// The variance of the answer as it reaches the client, but for flooding.
fn variance(params: &LeafSumParams) -> f64 {
    let dimension = params.bootstrap.output.lwe_dimension();
    answer_variance(params) + noise::answer_rounding_variance(dimension, params.response_bits)
}

/// log2 of the chance that an inference goes wrong.
pub(in crate::circuit) fn failure(tests: &Boxes, params: &LeafSumParams) -> f64 {
    noise::log2_union([input_failure(tests, params), output_failure(params)])
}

fn output_failure(params: &LeafSumParams) -> f64 {
    noise::log2_failure(params.margin() - noise::flooding_reach(params.noise_flooding), variance(params))
}

fn candidate(tests: &Boxes, params: LeafSumParams, request: &PlanRequest) -> Candidate<LeafSumParams> {
    let terms: usize = tests.tests.iter().map(|test| test.terms.len()).sum();
    let guarantees = Guarantees {
        p_fail_log2: Some(failure(tests, &params)),
        flooding_log2: params
            .noise_flooding
            .map(|flood| noise::log2_flooding_distance(answer_variance(&params), flood, 1)),
    };
    let around = cost::expand_seconds(&params.input) + cost::rerandomize_seconds(params.bootstrap.output);
    let on_device = request.device.as_ref().and_then(|device| device.seconds(&params.bootstrap, params.boxes));
    Candidate {
        core_seconds: params.boxes as f64
            * (cost::bootstrap_seconds(&params.bootstrap) + cost::zero_seconds(params.bootstrap.output))
            + around
            + cost::linear_seconds(terms, params.bootstrap.lwe_dimension),
        parallelism: params.boxes,
        // The device makes the zeros, each in a few steps of a rotation: they are left out.
        device_seconds: on_device.map(|seconds| seconds + around),
        guarantees,
        spec: params,
    }
}
