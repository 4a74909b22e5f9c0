//! What a bundle is, as labelled facts: the one list that `create`, `inspect` and model cards show.

use super::bytes;
use fhectl_core::bundle::ClientSpec;
use fhectl_core::circuit::network::StageParams;
use fhectl_core::circuit::{CircuitSpec, Reveal};
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
        match spec.output() {
            Output::Classes(classes) => ("classes", format!("{classes}: {}", shorten(&spec.classes, 12))),
            Output::Value => ("output", format!("a number: {}", spec.target)),
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
        ("parameters", parameters(&spec.circuit)),
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
        ("answers", hiding(spec)),
        ("an answer's capacity", capacity(&spec.circuit)),
        ("a client learns", learns(spec)),
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

fn parameters(circuit: &CircuitSpec) -> String {
    match circuit {
        CircuitSpec::Linear(p) => format!(
            "N={}, score step 2^{}, {} input bits, {} answer bits on the wire",
            p.shape.size, p.step_log2, p.input_bits, p.response_bits
        ),
        CircuitSpec::PathCost(p) => format!(
            "N={}, p={}, {} leaves x {} ciphertext(s), {} input bits, {} answer bits on the wire",
            p.input.shape.size,
            p.modulus,
            p.leaves,
            if p.values { 2 } else { 1 },
            p.input.bits,
            p.response_bits
        ),
        CircuitSpec::PathCostSum(p) => format!(
            "k={}, N={}, {} tree(s), {} leaves x {} coefficient(s), {} a ciphertext, circles of {:?} steps (one list a copy of the \
             input), counts modulo {}, {} score(s) a sum, {} input bits, {} answer bits on the wire",
            p.input.shape.dimension,
            p.input.shape.size,
            p.trees,
            p.slots,
            p.messages() / p.slots,
            p.stride,
            p.circles,
            p.count_modulus,
            p.together,
            p.input.bits,
            p.response_bits
        ),
        CircuitSpec::LeafSum(p) => format!(
            "n={}, k={}, N={}, base 2^{}, {} level(s), circle of {} steps, {} input bits, {} key bits, {} answer bits on the wire",
            p.bootstrap.lwe_dimension,
            p.bootstrap.output.dimension,
            p.bootstrap.output.size,
            p.bootstrap.base_log,
            p.bootstrap.levels,
            p.circle,
            p.input.bits,
            p.bootstrap.key_bits,
            p.response_bits
        ),
        CircuitSpec::CmuxForest(p) => format!(
            "k={}, N={}, base 2^{}, {} level(s), {} input bits in GGSW ciphertexts of {} bits a word, {} score(s) modulo {}, {} \
             answer bits on the wire",
            p.bits.shape.dimension,
            p.bits.shape.size,
            p.bits.base_log,
            p.bits.levels,
            p.bits.count,
            p.bits.key_bits,
            p.scores,
            p.moduli.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            p.response_bits
        ),
        CircuitSpec::Table(p) => format!(
            "k={}, N={}, base 2^{}, {} level(s), {} input bits in GGSW ciphertexts of {} bits a word, {} score(s) of {} bits a \
             ciphertext, {} answer bits on the wire",
            p.bits.shape.dimension,
            p.bits.shape.size,
            p.bits.base_log,
            p.bits.levels,
            p.bits.count,
            p.bits.key_bits,
            p.together,
            p.score_bits,
            p.response_bits
        ),
        CircuitSpec::Network(p) => {
            let bootstrap = |stage: &StageParams| {
                let b = &stage.bootstrap;
                format!(
                    "{} bootstraps of n={}, k={}, N={}, base 2^{}, {} level(s), {} key bits",
                    stage.activations,
                    b.lwe_dimension,
                    b.output.dimension,
                    b.output.size,
                    b.base_log,
                    b.levels,
                    b.key_bits
                )
            };
            let inner = p.inner.map_or(String::new(), |inner| {
                let k = &inner.keyswitch;
                format!(
                    "; keyswitch to n={}, base 2^{}, {} level(s), {} key bits; {}",
                    k.to.lwe_dimension(),
                    k.base_log,
                    k.levels,
                    k.key_bits,
                    bootstrap(&inner.stage)
                )
            });
            format!(
                "{}{inner}; input circle of {} steps, {} input bits, score circle of {} steps, {} answer bits on the wire",
                bootstrap(&p.first),
                p.circle,
                p.input.bits,
                p.score_circle,
                p.response_bits
            )
        }
    }
}

/// What the failure rate is: a theorem or a formula.
fn failure_claim(circuit: &CircuitSpec) -> &'static str {
    match circuit {
        CircuitSpec::Linear(_) | CircuitSpec::PathCost(_) | CircuitSpec::PathCostSum(_) => {
            "by a bound on tails (sub-Gaussian noise, uniform masks)"
        }
        _ => "by the same bound on tails with the noise formulas of bootstraps and CMUXes, which are a heuristic",
    }
}

/// How much an answer can tell at most.
fn capacity(circuit: &CircuitSpec) -> String {
    match circuit.capacity_bits() {
        Some(bits) => format!("at most {bits:.1} bits an answer, to any client, whatever it sends"),
        None => "not limited: not re-randomised".into(),
    }
}

fn hiding(spec: &ClientSpec) -> String {
    match (spec.flooding_log2, &spec.circuit) {
        (None, _) => "not re-randomised: the model is taken to be public".into(),
        (Some(distance), CircuitSpec::Table(_) | CircuitSpec::CmuxForest(_) | CircuitSpec::LeafSum(_) | CircuitSpec::Network(_))
            if distance > -1.0 => {
            "masks re-randomised, and what noise the answer can take is added; its own noise is too large to drown, so this is \
             a heuristic without a bound"
                .into()
        }
        (Some(distance), CircuitSpec::Table(_) | CircuitSpec::CmuxForest(_) | CircuitSpec::LeafSum(_) | CircuitSpec::Network(_)) => {
            format!(
                "masks re-randomised; noise new in each evaluation and flooded to a statistical distance of 2^{distance} an \
                 answer (a heuristic: too large a distance to be a proof)"
            )
        }
        (Some(distance), _) => {
            format!("re-randomised; noise flooded to a statistical distance of at most 2^{distance} an answer")
        }
    }
}

fn learns(spec: &ClientSpec) -> String {
    match (&spec.circuit, spec.reveal) {
        (_, Reveal::Model) => "the answers, and possibly the model (--reveal model)".into(),
        (CircuitSpec::PathCost(p), _) => format!(
            "the class, the number of leaves rounded up to a power of two ({}), and that no path tests {} features or more",
            p.leaves, p.modulus
        ),
        (CircuitSpec::PathCostSum(p), _) => format!(
            "the {}, exactly, the number of trees that are no constants ({}), of their leaves in all, rounded up ({}), and that no \
             path tests {} features or more; from the public parameters: that scores lie in {} to {} (rounded outwards)",
            if spec.output() == Output::Value { "value" } else { "scores" },
            p.trees,
            p.slots,
            p.count_modulus,
            p.low,
            p.low + p.width as i64 - 1
        ),
        (CircuitSpec::LeafSum(p), _) => format!(
            "the class; from the public parameters: {} bootstraps, each of a box of at most {} features",
            p.boxes,
            p.circle / 2
        ),
        (CircuitSpec::CmuxForest(p), _) => format!(
            "the score(s), exactly, and of single trees nothing; from the public parameters: about {} CMUXes, and that scores lie in \
             {} to {} (rounded outwards)",
            p.cmuxes,
            p.low,
            p.low + p.moduli.iter().product::<u64>() as i64 - 1
        ),
        (CircuitSpec::Table(p), _) => format!(
            "the scores, exactly; from the public parameters: that all lie in {} to {} (rounded outwards)",
            p.low,
            p.low + (1 << p.score_bits) - 1
        ),
        (CircuitSpec::Network(p), _) => format!(
            "the scores, with noise, rounded; from the public parameters: {} bootstraps{}, bounds on the weights' norms, and how far the \
             first layer's sums and the scores reach on the training rows",
            spec.circuit.bootstraps(),
            p.inner.map_or(String::new(), |inner| format!(
                ", {} of them in the first layer",
                spec.circuit.bootstraps() - inner.stage.activations
            ))
        ),
        (CircuitSpec::Linear(p), _) => {
            format!(
                "the scores, exactly: {} answers to ordinary rows are enough to solve for the weights; from the public \
                 parameters: that no score is beyond 2^{}",
                p.features + 1,
                63 - p.step_log2
            )
        }
    }
}
