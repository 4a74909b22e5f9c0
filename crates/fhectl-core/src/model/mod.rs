//! Quantisers and the integer models in clear: what the encrypted computation must equal.

mod forest;
mod invalid;
mod linear;
mod network;
mod output;
mod quantizer;
mod row_step;
mod tree;

pub use forest::{IntegerForest, ValueNode, ValueTree};
pub(crate) use invalid::invalid;
pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, SparseShape, Trace};
pub use output::Output;
pub use quantizer::{FeatureQuantizer, MAX_LEVELS, Quantizer};
pub use row_step::{Norm, RowStep};
pub use tree::{IntegerTree, Node};

use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A trained, quantised model: a function from quantised features to class scores, or to a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Model {
    Tree(IntegerTree),
    Forest(IntegerForest),
    Linear(IntegerLinear),
    Network(IntegerNetwork),
}

impl Model {
    /// The integer scores of one quantised row, exactly as the encrypted circuit returns them.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        match self {
            Self::Tree(tree) => tree.scores(quantized),
            Self::Forest(forest) => forest.scores(quantized),
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
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        match self {
            Self::Tree(tree) => tree.check(quantizer, output),
            Self::Forest(forest) => forest.check(quantizer, output),
            Self::Linear(linear) => linear.check(quantizer, output),
            Self::Network(network) => network.check(quantizer, output),
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
