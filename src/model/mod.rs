//! Quantisers and the integer models in clear: what the encrypted computation must equal.

mod linear;
mod network;
mod quantizer;
mod tree;

pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, Trace};
pub use quantizer::{FeatureQuantizer, Quantizer};
pub use tree::{IntegerTree, Node};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A trained, quantised model: a function from quantised features to class scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Model {
    Tree(IntegerTree),
    Linear(IntegerLinear),
    Network(IntegerNetwork),
}

impl Model {
    /// The integer scores of one quantised row, exactly as the encrypted circuit returns them.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        match self {
            Self::Tree(tree) => tree.scores(quantized),
            Self::Linear(linear) => linear.scores(quantized),
            Self::Network(network) => network.scores(quantized),
        }
    }

    /// The predicted class of one quantised row.
    pub fn predict(&self, quantized: &[u32]) -> usize {
        class_of_scores(&self.scores(quantized))
    }

    /// Checks every index against the quantiser's shape.
    ///
    /// # Errors
    /// `model_invalid` with the place that is wrong.
    pub fn check(&self, quantizer: &Quantizer, classes: usize) -> Result<()> {
        match self {
            Self::Tree(tree) => tree.check(quantizer, classes),
            Self::Linear(linear) => linear.check(quantizer, classes),
            Self::Network(network) => network.check(quantizer, classes),
        }
    }
}

/// The class that integer scores stand for.
///
/// One score is a signed margin: class 1 where it is positive. Several are one score a class: the
/// first of the largest wins.
pub fn class_of_scores(scores: &[i64]) -> usize {
    match scores {
        [margin] => usize::from(*margin > 0),
        _ => {
            let mut best = 0;
            for (class, score) in scores.iter().enumerate() {
                if *score > scores[best] {
                    best = class;
                }
            }
            best
        }
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::user("model_invalid", message)
        .hint("the bundle was damaged or edited; create the model again with `fhectl create`")
}
