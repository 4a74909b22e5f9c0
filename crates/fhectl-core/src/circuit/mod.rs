//! Circuits: how a model becomes something that runs on ciphertexts.
//!
//! Each circuit is a folder of four parts: its public parameters (`mod.rs`), `needs` (the search for parameters
//! whose noise fits), `client` (encode and decode) and `evaluate` (the server's work). What is common to all, and
//! the choice between them, stands here and in [`plan`].

#[cfg(feature = "evaluate")]
pub mod boxes;
pub mod cmux_forest;
pub mod leaf_sum;
pub mod linear;
pub mod network;
#[cfg(all(test, feature = "evaluate"))]
mod parameter_tests;
pub mod path_cost;
pub mod path_cost_sum;
#[cfg(feature = "evaluate")]
pub mod plan;
mod reading;
pub mod residues;
mod scores;
pub mod table;
pub mod tag;
pub mod thermometer;

pub use scores::Scores;

use crate::error::{Error, Result};
use crate::fhe::{Entropy, GlweSecret, GlweShape, SeededLayout, bad_parameters, public_key};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The circuits there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CircuitKind {
    Linear,
    PathCost,
    LeafSum,
    CmuxForest,
    Table,
    Network,
}

impl fmt::Display for CircuitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Linear => "linear",
            Self::PathCost => "path-cost",
            Self::LeafSum => "leaf-sum",
            Self::CmuxForest => "cmux-forest",
            Self::Table => "table",
            Self::Network => "network",
        })
    }
}

/// What a client may learn of the model beyond its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reveal {
    /// Nothing but the answers and the public parameters (which name the number of bootstraps).
    Nothing,
    /// Also its size: a rounded count of leaves.
    Size,
    /// The model is public: answers are not re-randomised.
    Model,
}

impl fmt::Display for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing",
            Self::Size => "size",
            Self::Model => "model",
        })
    }
}

/// A circuit with its parameters: all that a client must know to encrypt and decrypt, and nothing secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "circuit", rename_all = "kebab-case")]
pub enum CircuitSpec {
    Linear(linear::LinearParams),
    PathCost(path_cost::PathCostParams),
    PathCostSum(path_cost_sum::PathCostSumParams),
    LeafSum(leaf_sum::LeafSumParams),
    CmuxForest(cmux_forest::CmuxForestParams),
    Table(table::TableParams),
    Network(network::NetworkParams),
}

/// A secret key and what it is for, as `inspect` shows it.
#[derive(Debug, Clone, Copy)]
pub struct KeyFact {
    pub role: &'static str,
    pub shape: GlweShape,
}

impl CircuitSpec {
    pub fn kind(&self) -> CircuitKind {
        match self {
            Self::Linear(_) => CircuitKind::Linear,
            Self::PathCost(_) | Self::PathCostSum(_) => CircuitKind::PathCost,
            Self::LeafSum(_) => CircuitKind::LeafSum,
            Self::CmuxForest(_) => CircuitKind::CmuxForest,
            Self::Table(_) => CircuitKind::Table,
            Self::Network(_) => CircuitKind::Network,
        }
    }

    fn reading(&self) -> reading::Reading {
        match self {
            Self::Linear(params) => params.reading(),
            Self::PathCost(params) => params.reading(),
            Self::PathCostSum(params) => params.reading(),
            Self::LeafSum(params) => params.reading(),
            Self::CmuxForest(params) => params.reading(),
            Self::Table(params) => params.reading(),
            Self::Network(params) => params.reading(),
        }
    }

    /// Whether answers are re-randomised before they leave the server.
    pub fn rerandomized(&self) -> bool {
        self.reading().noise_flooding.is_some()
    }

    /// The bits that one answer can carry at most to whoever sent the question, honest or not: messages times log2 of the
    /// circle over the width of the flooding noise ([`crate::fhe::noise::message_capacity`]). `None` where answers are not
    /// re-randomised.
    pub fn capacity_bits(&self) -> Option<f64> {
        self.reading().capacity()
    }

    /// log2 of the chance of a wrong answer that the public parameters have at least, whatever the model: fresh noise, cut
    /// bits, flooding and one term. `None` for networks, whose answers carry noise.
    pub fn least_failure_log2(&self) -> Option<f64> {
        match self {
            Self::Linear(params) => Some(params.least_failure()),
            Self::PathCost(params) => Some(params.least_failure()),
            Self::PathCostSum(params) => Some(params.least_failure()),
            Self::LeafSum(params) => Some(params.least_failure()),
            Self::CmuxForest(params) => Some(params.least_failure()),
            Self::Table(params) => Some(params.least_failure()),
            Self::Network(_) => None,
        }
    }

    /// Checks that the parameters can be computed with and fit the model's shape, so that nothing after can panic.
    ///
    /// # Errors
    /// `parameters_invalid`.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        match self {
            Self::Linear(params) => params.check(quantizer, output),
            Self::PathCost(params) => params.check(quantizer, output),
            Self::PathCostSum(params) => params.check(quantizer, output),
            Self::LeafSum(params) => params.check(quantizer, output),
            Self::CmuxForest(params) => params.check(quantizer, output),
            Self::Table(params) => params.check(quantizer, output),
            Self::Network(params) => params.check(quantizer, output),
        }
    }

    /// Exact bytes of one client's evaluation key; 0 where none is needed.
    pub fn key_bytes(&self) -> usize {
        let public = if self.rerandomized() { public_key::layout(self.answer_shape()).wire_len() } else { 0 };
        public
            + match self {
                Self::LeafSum(params) => params.bootstrap.layout().wire_len(),
                Self::Network(params) => params.key_bytes(),
                _ => 0,
            }
    }

    /// Exact bytes of one encrypted input.
    pub fn request_bytes(&self) -> usize {
        self.input_layout().wire_len()
    }

    /// What an encrypted input is made of.
    pub fn input_layout(&self) -> SeededLayout {
        match self {
            Self::Linear(params) => params.input(),
            Self::PathCost(params) => params.input,
            Self::PathCostSum(params) => params.input,
            Self::LeafSum(params) => params.input,
            Self::CmuxForest(params) => params.bits.layout(),
            Self::Table(params) => params.bits.layout(),
            Self::Network(params) => params.input,
        }
    }

    /// Exact bytes of one encrypted answer.
    pub fn response_bytes(&self) -> usize {
        match self {
            Self::Linear(params) => params.response_bytes(),
            Self::PathCost(params) => params.response_bytes(),
            Self::PathCostSum(params) => params.response_bytes(),
            Self::LeafSum(params) => params.response_bytes(),
            Self::CmuxForest(params) => params.response_bytes(),
            Self::Table(params) => params.response_bytes(),
            Self::Network(params) => params.response_bytes(),
        }
    }

    /// What a tag of this circuit is made of; `None` where it has no evaluation key.
    pub fn tag(&self) -> Option<tag::TagLayout> {
        tag::TagLayout::of(self)
    }

    /// Exact bytes of one encrypted tag; 0 where the circuit has none.
    pub fn tag_request_bytes(&self) -> usize {
        self.tag().map_or(0, |tag| tag.request.wire_len())
    }

    /// Exact bytes of one encrypted tag's answer; 0 where the circuit has none.
    pub fn tag_response_bytes(&self) -> usize {
        self.tag().map_or(0, |tag| tag.response_bytes())
    }

    /// Bytes that one client's evaluation key takes in a server's memory once it is unpacked.
    pub fn unpacked_key_bytes(&self) -> usize {
        let public = if self.rerandomized() { public_key::unpacked_bytes(self.answer_shape()) } else { 0 };
        public
            + match self {
                Self::LeafSum(params) => params.bootstrap.fourier_bytes(),
                Self::Network(params) => params.unpacked_key_bytes(),
                _ => 0,
            }
    }

    /// CMUXes an inference, those of bootstraps not counted.
    pub fn cmuxes(&self) -> usize {
        match self {
            Self::CmuxForest(params) => params.cmuxes,
            Self::Table(params) => params.answers() * params.cmuxes(),
            _ => 0,
        }
    }

    /// Bootstraps an inference.
    pub fn bootstraps(&self) -> usize {
        match self {
            Self::LeafSum(params) => params.boxes,
            Self::Network(params) => params.bootstraps(),
            _ => 0,
        }
    }

    /// The key that answers are decrypted with.
    pub fn answer_shape(&self) -> GlweShape {
        match self {
            Self::Linear(params) => params.shape,
            Self::PathCost(params) => params.input.shape,
            Self::PathCostSum(params) => params.input.shape,
            Self::LeafSum(params) => params.bootstrap.output,
            Self::CmuxForest(params) => params.bits.shape,
            Self::Table(params) => params.bits.shape,
            Self::Network(params) => params.output(),
        }
    }

    /// The client's secret keys.
    pub fn keys(&self) -> Vec<KeyFact> {
        match self {
            Self::LeafSum(params) => vec![
                KeyFact { role: "inputs", shape: params.input.shape },
                KeyFact { role: "answers", shape: params.bootstrap.output },
            ],
            Self::Network(params) => {
                let inner = params.inner.map(|inner| KeyFact { role: "inner layers", shape: inner.keyswitch.to });
                let inputs = KeyFact { role: "inputs", shape: params.input.shape };
                let answers = KeyFact { role: "activations and answers", shape: params.output() };
                [Some(inputs), inner, Some(answers)].into_iter().flatten().collect()
            }
            _ => vec![KeyFact { role: "inputs and answers", shape: self.answer_shape() }],
        }
    }
}

/// A client's secret keys for one model. Has no `Debug`; wiped when dropped.
pub struct ClientKey {
    /// In the order of [`CircuitSpec::keys`].
    secrets: Vec<GlweSecret>,
}

impl ClientKey {
    /// Draws new keys for a checked spec.
    pub fn generate(spec: &CircuitSpec, entropy: &mut dyn Entropy) -> Self {
        Self { secrets: spec.keys().iter().map(|key| GlweSecret::generate(key.shape, entropy)).collect() }
    }

    /// The key that inputs are encrypted under.
    pub fn input(&self) -> &GlweSecret {
        &self.secrets[0]
    }

    /// The key between the layers of a network that has one.
    fn inner(&self) -> &GlweSecret {
        &self.secrets[1]
    }

    /// The key that answers come back under.
    pub fn answer(&self) -> &GlweSecret {
        &self.secrets[self.secrets.len() - 1]
    }

    /// The evaluation key to send, exactly [`CircuitSpec::key_bytes`] long: encryptions only, made anew each time.
    pub fn evaluation_key(&self, spec: &CircuitSpec, entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut bytes = match spec {
            CircuitSpec::LeafSum(params) => {
                crate::fhe::bootstrap::generate(&params.bootstrap, self.input(), self.answer(), entropy)
            }
            CircuitSpec::Network(params) => network::client::evaluation_key(params, self, entropy),
            _ => Vec::new(),
        };
        if spec.rerandomized() {
            bytes.extend(public_key::generate(self.answer(), entropy));
        }
        bytes
    }

    /// The secret bits, for the client's own key file and nowhere else.
    pub fn write(&self, out: &mut Vec<u8>) {
        for secret in &self.secrets {
            secret.write(out);
        }
    }

    /// Reads what [`ClientKey::write`] wrote for the same spec.
    ///
    /// # Errors
    /// `key_file_invalid` where the length is wrong.
    pub fn read(spec: &CircuitSpec, mut bytes: &[u8]) -> Result<Self> {
        let wrong = || Error::user("key_file_invalid", "the secret keys have the wrong length");
        let mut secrets = Vec::new();
        for key in spec.keys() {
            let (own, rest) = bytes.split_at_checked(GlweSecret::stored_len(key.shape)).ok_or_else(wrong)?;
            secrets.push(GlweSecret::read(key.shape, own)?);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(Self { secrets }) } else { Err(wrong()) }
    }
}

/// Encrypts one quantised row, exactly [`CircuitSpec::request_bytes`] long.
///
/// # Panics
/// Where the row does not come from the model's quantiser.
pub fn encode(
    spec: &CircuitSpec,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    match spec {
        CircuitSpec::Linear(params) => linear::client::encode(params, key, quantized, entropy),
        CircuitSpec::PathCost(params) => path_cost::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::PathCostSum(params) => path_cost_sum::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::LeafSum(params) => leaf_sum::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::CmuxForest(params) => cmux_forest::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::Table(params) => table::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::Network(params) => network::client::encode(params, key, quantized, entropy),
    }
}

/// Decrypts one answer into the scores that [`crate::model::Model::scores`] gives in clear (`Network`: with noise,
/// rounded).
///
/// # Errors
/// `ciphertext_invalid` where the bytes are not an answer of this circuit.
pub fn decode(spec: &CircuitSpec, key: &ClientKey, answer: &[u8]) -> Result<Scores> {
    let scores = match spec {
        CircuitSpec::Linear(params) => linear::client::decode(params, key, answer),
        CircuitSpec::PathCost(params) => path_cost::client::decode(params, key, answer),
        CircuitSpec::PathCostSum(params) => path_cost_sum::client::decode(params, key, answer),
        CircuitSpec::LeafSum(params) => leaf_sum::client::decode(params, key, answer),
        CircuitSpec::CmuxForest(params) => cmux_forest::client::decode(params, key, answer),
        CircuitSpec::Table(params) => table::client::decode(params, key, answer),
        CircuitSpec::Network(params) => network::client::decode(params, key, answer),
    };
    scores.map(Scores::new)
}

/// One-hot scores of a class, as a tree gives them.
fn one_hot(class: usize, classes: usize) -> Vec<i64> {
    (0..classes).map(|c| i64::from(c == class)).collect()
}

/// The torus word of `message` in a circle cut into `modulus` steps.
fn torus(message: u64, modulus: u64) -> u64 {
    ((u128::from(message % modulus) << 64) / u128::from(modulus)) as u64
}

/// An answer that decrypts to nothing that the circuit gives. Says no more: what it decrypted to is a number of the server's
/// choice times the secret key.
fn undecrypted() -> Error {
    Error::fault("answer_invalid", "an answer does not decrypt to what the circuit gives")
        .hint("the server's answer does not decrypt under this key; check that keys and model belong together")
}

/// Refuses an answer of another length than the circuit's.
fn expect_len(answer: &[u8], expected: usize) -> Result<()> {
    if answer.len() == expected {
        return Ok(());
    }
    Err(Error::user("ciphertext_invalid", format!("an answer of {} bytes, expected {expected}", answer.len()))
        .hint("the server runs another model than client.zip describes, or the answer was truncated"))
}

fn check_bits(name: &str, bits: u32) -> Result<()> {
    if (1..=64).contains(&bits) { Ok(()) } else { Err(bad_parameters(format!("{name} is {bits}, want 1 to 64"))) }
}

fn check_flood(noise_flooding: Option<u64>) -> Result<()> {
    match noise_flooding {
        Some(flooding) if !(1..=1 << 62).contains(&flooding) => {
            Err(bad_parameters(format!("flooding noise of {flooding} units, want 1 to 2^62")))
        }
        _ => Ok(()),
    }
}
