//! Circuits: how a model becomes something that runs on ciphertexts.
//!
//! Each circuit is a folder of four parts: its public parameters (`mod.rs`), `needs` (the search for parameters
//! whose noise fits), `client` (encode and decode) and `evaluate` (the server's work). What is common to all, and
//! the choice between them, stands here and in [`plan`].

#[cfg(feature = "client")]
mod answer;
#[cfg(feature = "evaluate")]
pub mod boxes;
#[cfg(feature = "client")]
mod client_key;
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
#[cfg(feature = "client")]
mod scores;
pub mod table;
pub mod tag;
pub mod thermometer;

#[cfg(feature = "client")]
pub use client_key::{ClientKey, decode, encode};
#[cfg(feature = "client")]
pub use scores::Scores;

use crate::error::Result;
use crate::fhe::{GlweShape, SeededLayout, bad_parameters, public_key};
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

/// The torus word of `message` in a circle cut into `modulus` steps.
fn torus(message: u64, modulus: u64) -> u64 {
    ((u128::from(message % modulus) << 64) / u128::from(modulus)) as u64
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
