//! The parameters of `Network`: the cheapest keys under which no layer has more noise than training put there.

use super::params::{InnerParams, NetworkParams, StageParams};
use crate::circuit::compiled::unfit;
use crate::circuit::plan::{Candidate, Guarantees, KEY_MEGABYTE_WORTH_SECONDS, PlanRequest, Search, no_parameters};
use crate::circuit::traits::Circuit;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::bootstrap::{BootstrapParams, MOST_DIGIT_BITS};
use crate::fhe::device_profile::DeviceProfile;
use crate::fhe::keyswitch::KeyswitchParams;
use crate::fhe::{GlweShape, SeededLayout, cost, noise, public_key};
use crate::model::{IntegerNetwork, Model, Output, Quantizer};

/// The share of a layer's noise that keys may use up; the rest is for cutting what travels.
const FOR_KEYS: f64 = 0.97;
/// The same at the scores, where flooding takes what is left.
const SCORES_FOR_KEYS: f64 = 0.5;
/// Scores whose steps are finer than their noise are shown in parts of its standard deviation as small as this: rounding
/// adds a 1/48th to the variance.
const SHOWN_PARTS_OF_NOISE: f64 = 2.0;
/// The part of the scores' own noise that cutting the answer may add. A server knows the errors of its cutting, and times the
/// key's bits they are noise in the scores: where it knows the rows and sees the scores, too, they would tell it those
/// bits one by one. So the cut is kept far below what the server does not know.
const CUT_SHARE: f64 = 1.0 / 48.0;
/// More activations than this take minutes an inference.
const MOST_ACTIVATIONS: usize = 1 << 15;

/// What noise has to fit: squared norms of weights and variances that training saw, layer by layer.
struct Demands {
    squared_norms: Vec<f64>,
    variances: Vec<f64>,
    /// Sums of every layer.
    widths: Vec<usize>,
    terms: Vec<usize>,
}

impl Demands {
    fn of(network: &IntegerNetwork) -> Self {
        let layers = &network.layers;
        let largest = |norms: Vec<f64>| norms.into_iter().fold(0.0, f64::max);
        Self {
            squared_norms: layers.iter().map(|layer| largest(layer.map.squared_norms())).collect(),
            variances: layers.iter().map(|layer| layer.noise * layer.noise).collect(),
            widths: layers.iter().map(|layer| layer.map.shape.outputs()).collect(),
            terms: layers.iter().map(|layer| layer.map.shape.terms()).collect(),
        }
    }

    fn last(&self) -> usize {
        self.widths.len() - 1
    }

    /// Whether a layer has no more than `share` of its noise.
    fn holds(&self, params: &NetworkParams, layer: usize, share: f64) -> bool {
        self.variance(params, layer) <= share * self.variances[layer]
    }

    fn variance(&self, params: &NetworkParams, layer: usize) -> f64 {
        let norm = self.squared_norms[layer];
        if layer == self.last() {
            norm * params.output_variance(layer - 1) + params.answer_variance()
        } else {
            params.sum_variance(layer, norm)
        }
    }
}

/// A network before it is trained: what is known of its noise.
#[derive(Debug, Clone)]
pub struct Outline {
    pub features: usize,
    /// Sums of every layer, the scores last.
    pub widths: Vec<usize>,
    /// The norm of a first-layer channel's weights.
    pub first_norm: f64,
    /// Noise of hidden sums and of scores, in turns.
    pub noise: f64,
    pub score_noise: f64,
}

/// Refuses a network that no keys could carry however its training ends, so that nobody trains it.
///
/// # Errors
/// As [`Search::search`].
pub fn check_outline(outline: &Outline) -> Result<()> {
    let layers = outline.widths.len();
    let noise = |layer: usize| if layer + 1 == layers { outline.score_noise } else { outline.noise };
    // Later weights are not known: none are the least that they can be.
    let norm = |layer: usize| if layer == 0 { outline.first_norm.powi(2) } else { 0.0 };
    let demands = Demands {
        squared_norms: (0..layers).map(norm).collect(),
        variances: (0..layers).map(|layer| noise(layer).powi(2)).collect(),
        widths: outline.widths.clone(),
        terms: vec![0; layers],
    };
    find(&demands, outline.features, [4, 4], None).map(drop)
}

impl Search for NetworkParams {
    fn runs(model: &Model) -> bool {
        matches!(model, Model::Network(_))
    }

    fn search(model: &Model, quantizer: &Quantizer, _: Output, request: &PlanRequest) -> Result<Candidate<Self>> {
        let Model::Network(network) = model else { return Err(unfit()) };
        search(network, quantizer, request.device.as_deref())
    }
}

/// Finds the cheapest keys of all layers together.
///
/// # Errors
/// `no_parameters` naming the layer whose noise no keys hold, and what to change; `circuit_unfit` without an
/// activation.
fn search(
    network: &IntegerNetwork,
    quantizer: &Quantizer,
    device: Option<&DeviceProfile>,
) -> Result<Candidate<NetworkParams>> {
    let demands = Demands::of(network);
    let moduli = [network.layers[0].plaintext_modulus, network.layers[demands.last()].plaintext_modulus];
    let params = find(&demands, quantizer.features.len(), moduli, device)?;
    let flooding_log2 = params.noise_flooding.map(|flood| {
        let own = demands.squared_norms[demands.last()] * params.output_variance(demands.last() - 1);
        noise::log2_flooding_distance(own + public_key::zero_variance(params.output()), flood, params.scores)
    });
    Ok(Candidate {
        guarantees: Guarantees { p_fail_log2: None, flooding_log2 },
        core_seconds: core_seconds(&demands, &params),
        device_seconds: device_seconds(&demands, &params, device),
        parallelism: demands.widths[..demands.last()].iter().copied().min().unwrap_or(1),
        spec: params,
    })
}

fn find(demands: &Demands, features: usize, moduli: [u64; 2], device: Option<&DeviceProfile>) -> Result<NetworkParams> {
    if demands.widths.len() < 2 {
        return Err(Error::new(ErrorCode::CircuitUnfit, "a network without an activation is a linear model")
            .hint("train it with `fhectl create logreg`"));
    }
    let activations: usize = demands.widths[..demands.last()].iter().sum();
    if activations > MOST_ACTIVATIONS {
        return Err(no_parameters(format!("{activations} activations, a bootstrap each; at most {MOST_ACTIVATIONS}"))
            .hint("use fewer filters or units, a larger stride, or pooling"));
    }
    let mut furthest = 0;
    let mut best: Option<(f64, NetworkParams)> = None;
    for output in OUTPUTS.map(|(dimension, size)| GlweShape::new(dimension, size)) {
        let open = NetworkParams {
            input: SeededLayout { shape: output, bodies: features, bits: 64 },
            plaintext_modulus: moduli[0],
            first: StageParams { bootstrap: bootstrap(512, output, 1, 1), activations: demands.widths[0] },
            inner: None,
            scores: demands.widths[demands.last()],
            score_plaintext_modulus: moduli[1],
            response_bits: 64,
            // Whatever may be revealed of the model: without it answers would reveal the client's key.
            noise_flooding: Some(1),
        };
        for params in stages(demands, open, &mut furthest) {
            let key_bytes: usize = params.key_parts().iter().map(|part| part.params.wire_len()).sum();
            let seconds = device_seconds(demands, &params, device).unwrap_or_else(|| core_seconds(demands, &params));
            let worth = seconds + KEY_MEGABYTE_WORTH_SECONDS * key_bytes as f64 / 1e6;
            if best.as_ref().is_none_or(|(least, _)| worth < *least) {
                best = Some((worth, params));
            }
        }
    }
    let closed = best.and_then(|(_, params)| close(demands, params));
    closed.ok_or_else(|| too_noisy(demands, furthest))
}

pub(in crate::circuit) const OUTPUTS: [(usize, usize); 14] = [
    (6, 256),
    (7, 256),
    (8, 256),
    (9, 256),
    (3, 512),
    (4, 512),
    (5, 512),
    (6, 512),
    (2, 1024),
    (3, 1024),
    (1, 2048),
    (2, 2048),
    (1, 4096),
    (1, 8192),
];

pub(in crate::circuit) fn dimensions() -> impl Iterator<Item = usize> {
    (noise::MIN_LWE_DIMENSION..=1536).step_by(16)
}

/// Decompositions of a bootstrap: `(base_log, levels)`.
fn gadgets() -> impl Iterator<Item = (u32, u32)> {
    let all =
        (10..=26).map(|base| (base, 1)).chain((6..=17).map(|base| (base, 2))).chain((5..=12).map(|base| (base, 3)));
    all.filter(|(base, levels)| base * levels <= MOST_DIGIT_BITS)
}

/// Decompositions of a keyswitch.
fn switches() -> impl Iterator<Item = (u32, u32)> {
    (1..=8).flat_map(|base| (1..=12).map(move |levels| (base, levels))).filter(|(b, l)| (6..=24).contains(&(b * l)))
}

fn bootstrap(lwe_dimension: usize, output: GlweShape, base_log: u32, levels: u32) -> BootstrapParams {
    BootstrapParams { lwe_dimension, output, base_log, levels, key_bits: 64 }
}

/// All keys of one output shape that hold every layer's noise. `furthest` becomes the last layer that was reached.
fn stages(demands: &Demands, open: NetworkParams, furthest: &mut usize) -> Vec<NetworkParams> {
    let output = open.output();
    // The first small key depends on nothing after it.
    let first = dimensions().find_map(|n| {
        let mut params = open.clone();
        params.input.shape = GlweShape::small(n);
        params.first.bootstrap.lwe_dimension = n;
        demands.holds(&params, 0, FOR_KEYS).then_some(params)
    });
    let Some(first) = first else { return Vec::new() };
    *furthest = (*furthest).max(1);
    let n = first.first.bootstrap.lwe_dimension;
    let mut fitting = Vec::new();
    for (base_log, levels) in gadgets() {
        let mut params = first.clone();
        params.first.bootstrap = bootstrap(n, output, base_log, levels);
        if demands.last() > 1 {
            fitting.extend(inner_stages(demands, &params, furthest));
        } else if demands.holds(&params, 1, SCORES_FOR_KEYS) {
            fitting.push(params);
        }
    }
    fitting
}

/// The keyswitches and bootstraps of later layers, for a first bootstrap.
fn inner_stages(demands: &Demands, params: &NetworkParams, furthest: &mut usize) -> Vec<NetworkParams> {
    let last = demands.last();
    let output = params.output();
    let with = |n: usize, keyswitch: (u32, u32), gadget: (u32, u32)| {
        let (base_log, levels) = keyswitch;
        let from = output.lwe_dimension();
        let keyswitch = KeyswitchParams { from, to: GlweShape::small(n), base_log, levels, key_bits: 64 };
        let activations = demands.widths[1..last].iter().sum();
        let stage = StageParams { bootstrap: bootstrap(n, output, gadget.0, gadget.1), activations };
        NetworkParams { inner: Some(InnerParams { keyswitch, stage }), ..params.clone() }
    };
    let mut fitting = Vec::new();
    // Whatever comes before: the sum itself must leave room for keyswitch and modulus switch.
    if demands.squared_norms[1] * params.output_variance(0) > FOR_KEYS * demands.variances[1] {
        return fitting;
    }
    for keyswitch in switches() {
        // The second layer's noise fixes the small key: its inputs come from the first bootstrap.
        let Some(n) = dimensions().find(|n| demands.holds(&with(*n, keyswitch, (10, 1)), 1, FOR_KEYS)) else {
            continue;
        };
        *furthest = (*furthest).max(2);
        for gadget in gadgets() {
            let params = with(n, keyswitch, gadget);
            let Some(failing) = (2..=last)
                .find(|layer| !demands.holds(&params, *layer, if *layer == last { SCORES_FOR_KEYS } else { FOR_KEYS }))
            else {
                fitting.push(params);
                continue;
            };
            *furthest = (*furthest).max(failing);
        }
    }
    fitting
}

/// Cuts what travels to the bits that matter, and floods the scores with what their noise leaves.
fn close(demands: &Demands, params: NetworkParams) -> Option<NetworkParams> {
    let last = demands.last();
    let all = |params: &NetworkParams, at_scores: f64| {
        (0..last).all(|layer| demands.holds(params, layer, 1.0)) && demands.holds(params, last, at_scores)
    };
    let (first, later) = (params.output_variance(0), params.output_variance(1));
    let switch = params.inner.map_or(0.0, |inner| inner.keyswitch.variance());
    let mut params = params.with_first(8..=64, |p, bits| p.input.bits = bits, |p| demands.holds(p, 0, 1.0))?;
    params = params.with_first(
        8..=64,
        |p, bits| p.first.bootstrap.key_bits = bits,
        |p| p.output_variance(0) <= 1.05 * first && all(p, 0.6),
    )?;
    if params.inner.is_some() {
        let inner = |p: &mut NetworkParams, change: &dyn Fn(&mut InnerParams)| p.inner.iter_mut().for_each(change);
        params = params.with_first(
            8..=64,
            |p, bits| inner(p, &|inner| inner.keyswitch.key_bits = bits),
            |p| p.inner.is_some_and(|inner| inner.keyswitch.variance() <= 1.05 * switch) && all(p, 0.6),
        )?;
        params = params.with_first(
            8..=64,
            |p, bits| inner(p, &|inner| inner.stage.bootstrap.key_bits = bits),
            |p| p.output_variance(1) <= 1.05 * later && all(p, 0.6),
        )?;
    }
    if params.noise_flooding.is_some() {
        let left = 0.98 * demands.variances[last] - demands.variance(&params, last);
        params.noise_flooding = Some(noise::flooding_of_variance(left)?);
    }
    params.with_first(
        2..=64,
        |p, bits| p.response_bits = bits,
        |p| {
            let cut = noise::answer_rounding_variance(p.output().lwe_dimension(), p.response_bits);
            let own = demands.squared_norms[last] * p.output_variance(last - 1);
            // Before training nothing is known of the last weights.
            let hidden = own == 0.0 || cut <= CUT_SHARE * own;
            demands.holds(p, last, 1.0) && is_shown(p, demands.variances[last]) && hidden
        },
    )
}

/// Whether what is written down of scores is as fine as their steps, or finer than their noise: then rounding moves no more
/// classes than noise does.
fn is_shown(params: &NetworkParams, variance: f64) -> bool {
    let finest = (params.score_plaintext_modulus as f64).min(SHOWN_PARTS_OF_NOISE / variance.sqrt());
    params.shown_levels().is_ok_and(|levels| levels as f64 >= finest)
}

impl NetworkParams {
    /// These parameters with the first of `values` set that `holds` accepts.
    fn with_first(
        mut self,
        mut values: impl Iterator<Item = u32>,
        set: impl Fn(&mut Self, u32),
        holds: impl Fn(&Self) -> bool,
    ) -> Option<Self> {
        values
            .any(|value| {
                set(&mut self, value);
                holds(&self)
            })
            .then_some(self)
    }
}

/// Seconds on a device, which computes all layers of a row, with what the processor does for it. Sums and keyswitches, a few
/// percent there, are left out, and so are encryptions of zero, each a few steps of its bootstrap's rotation. Nothing where
/// there is no device, or none with code for these bootstraps.
fn device_seconds(demands: &Demands, params: &NetworkParams, device: Option<&DeviceProfile>) -> Option<f64> {
    let device = device?;
    let mut seconds = 0.0;
    for (layer, width) in demands.widths[..demands.last()].iter().enumerate() {
        let stage = params.inner.filter(|_| layer > 0).map_or(params.first, |inner| inner.stage);
        seconds += device.seconds(&stage.bootstrap, *width)?;
    }
    let answer = params.scores as f64 * cost::rerandomize_seconds(params.output());
    Some(seconds + cost::beside_device_seconds(answer + cost::expand_seconds(&params.input)))
}

fn core_seconds(demands: &Demands, params: &NetworkParams) -> f64 {
    let big = params.output().lwe_dimension();
    let mut seconds = cost::expand_seconds(&params.input)
        + params.first.activations as f64 * cost::bootstrap_seconds(&params.first.bootstrap)
        + params.bootstraps() as f64 * cost::zero_seconds(params.output())
        + params.scores as f64 * cost::rerandomize_seconds(params.output())
        + cost::answer_seconds(params.scores, big);
    for (layer, terms) in demands.terms.iter().enumerate() {
        let dimension = if layer == 0 { params.input.shape.lwe_dimension() } else { big };
        seconds += cost::combine_seconds(*terms, dimension);
    }
    if let Some(inner) = &params.inner {
        let switch = inner.keyswitch.from * inner.keyswitch.levels as usize;
        seconds += inner.stage.activations as f64
            * (cost::bootstrap_seconds(&inner.stage.bootstrap)
                + cost::combine_seconds(switch, inner.keyswitch.to.lwe_dimension()));
    }
    seconds
}

fn too_noisy(demands: &Demands, layer: usize) -> Error {
    let norm = demands.squared_norms[layer].sqrt();
    let allowed = demands.variances[layer].sqrt();
    let what = if layer == demands.last() { "scores".to_owned() } else { format!("layer {}", layer + 1) };
    no_parameters(format!(
        "no keys are quiet enough for the {what}: weights of norm {norm:.0}, noise of at most {allowed:.5} turns"
    ))
    .hint("train with smaller weights (--weight-bits, fewer inputs a unit) or with more noise (--noise)")
}
