//! What a bundle is, as labeled facts: the one list that `create`, `inspect` and model cards show.

use super::bytes;
use fhectl_core::bundle::ClientSpec;
use fhectl_core::circuit::{CircuitSpec, NoiseClaim, Reveal};
use fhectl_core::fhe::noise;
use fhectl_core::model::Output;
use fhectl_core::protocol::frame::{KEY_HEADER, answers_len, inputs_len};

/// A label and its text.
pub type Fact = (&'static str, String);

/// What a model's public half says of it.
pub fn facts(spec: &ClientSpec) -> Vec<Fact> {
    let levels: Vec<u32> = spec.quantizer.features.iter().map(|feature| feature.levels()).collect();
    let bits = |levels: u32| f64::from(levels).log2();
    let mut facts = vec![
        ("model", format!("{} ({})", spec.name, spec.kind)),
        match spec.predicts() {
            Output::Classes(classes) => ("classes", format!("{classes}: {}", shorten(&spec.classes, 12))),
            Output::Value | Output::Scores(_) => ("output", format!("a number: {}", spec.target)),
        },
        ("features", format!("{}: {}", spec.features.len(), shorten(&spec.features, 6))),
        (
            "quantisers",
            format!(
                "{} to {} levels a feature ({:.1} to {:.1} bits), {} in all",
                levels.iter().min().copied().unwrap_or(0),
                levels.iter().max().copied().unwrap_or(0),
                bits(levels.iter().min().copied().unwrap_or(1)),
                bits(levels.iter().max().copied().unwrap_or(1)),
                levels.iter().map(|l| *l as usize).sum::<usize>()
            ),
        ),
        ("circuit", spec.circuit.kind().to_string()),
        ("bootstraps", format!("{} an inference", spec.circuit.bootstraps())),
        ("CMUX", format!("{} an inference", spec.circuit.cmuxes())),
        ("parameters", spec.circuit.parameters()),
    ];
    for key in spec.circuit.keys() {
        let dimension = key.shape.lwe_dimension();
        facts.push((
            "secret key",
            format!(
                "{}: binary, k={} N={} (LWE dimension {dimension}), noise TUniform(2^{})",
                key.role,
                key.shape.dimension,
                key.shape.size,
                noise::t_uniform_bound(dimension)
            ),
        ));
    }
    facts.extend([
        ("security", format!("{} bits (tfhe's noise curve, modulus 2^64)", spec.security_bits)),
        (
            "p_fail",
            match spec.p_fail_log2 {
                Some(p_fail) => format!("at most 2^{p_fail} an inference, {}", failure_claim(&spec.circuit)),
                None => {
                    "none stated: answers carry noise that training allowed for; accuracy and agreement are measured"
                        .into()
                }
            },
        ),
        ("answers", noise_flooding(spec)),
        ("an answer's capacity", capacity(&spec.circuit)),
        ("a client learns", leakage(spec)),
        (
            "evaluation key",
            match spec.circuit.key_bytes() {
                0 => "none".into(),
                body => format!(
                    "{} ({} unpacked on the server)",
                    bytes(KEY_HEADER + body),
                    bytes(spec.circuit.unpacked_key_bytes())
                ),
            },
        ),
        ("request", bytes(inputs_len(&spec.circuit, 1))),
        ("response", bytes(answers_len(&spec.circuit, 1))),
    ]);
    facts
}

fn shorten(names: &[String], most: usize) -> String {
    if names.len() <= most {
        return names.join(", ");
    }
    format!("{}, ... {}", names[..most - 1].join(", "), names[names.len() - 1])
}

/// What the failure rate is: a theorem or a formula.
fn failure_claim(circuit: &CircuitSpec) -> &'static str {
    match circuit.noise_claim() {
        NoiseClaim::Bound => "by a bound on tails (sub-Gaussian noise, uniform masks)",
        NoiseClaim::Heuristic => {
            "by the same bound on tails with the noise formulas of bootstraps and CMUXes, which are a heuristic"
        }
    }
}

/// How much an answer can tell at most.
fn capacity(circuit: &CircuitSpec) -> String {
    match circuit.capacity_bits() {
        Some(bits) => format!("at most {bits:.1} bits an answer, to any client, whatever it sends"),
        None => "not limited: not re-randomized".into(),
    }
}

/// What hides the model in an answer's noise.
fn noise_flooding(spec: &ClientSpec) -> String {
    match (spec.flooding_log2, spec.circuit.noise_claim()) {
        (None, _) => "not re-randomized: the model is taken to be public".into(),
        (Some(distance), NoiseClaim::Bound) => {
            format!("re-randomised; noise flooded to a statistical distance of at most 2^{distance} an answer")
        }
        (Some(distance), NoiseClaim::Heuristic) if distance > -1.0 => {
            "masks re-randomised, and what noise the answer can take is added; its own noise is too large to drown, so this is \
             a heuristic without a bound"
                .into()
        }
        (Some(distance), NoiseClaim::Heuristic) => format!(
            "masks re-randomised; noise new in each evaluation and flooded to a statistical distance of 2^{distance} an answer \
             (a heuristic: too large a distance to be a proof)"
        ),
    }
}

fn leakage(spec: &ClientSpec) -> String {
    match spec.reveal {
        Reveal::Model => "the answers, and possibly the model (--reveal model)".into(),
        _ => spec.circuit.leakage(spec.output()),
    }
}
