//! A model of any kind.

use super::class::class_of_scores;
use super::forest::IntegerForest;
use super::integer_tree::IntegerTree;
use super::linear::IntegerLinear;
use super::network::IntegerNetwork;
use super::output::Output;
use super::quantizer::Quantizer;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A trained, quantized model: a function from quantized features to integer scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Model {
    Tree(IntegerTree),
    Forest(IntegerForest),
    Linear(IntegerLinear),
    Network(IntegerNetwork),
}

impl Model {
    /// The integer scores of one quantized row. Exact circuits return the same; those of a network add noise.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        match self {
            Self::Tree(tree) => tree.scores(quantized),
            Self::Forest(forest) => forest.scores(quantized),
            Self::Linear(linear) => linear.scores(quantized),
            Self::Network(network) => network.scores(quantized),
        }
    }

    /// The predicted class of one quantized row.
    pub fn predict(&self, quantized: &[u32]) -> usize {
        class_of_scores(&self.scores(quantized))
    }

    /// Checks the model, and that it fits the quantizer and the output. The other methods may panic on a model that fails.
    ///
    /// # Errors
    /// `model_invalid`, which says what is wrong and where.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        match self {
            Self::Tree(tree) => tree.check(quantizer, output),
            Self::Forest(forest) => forest.check(quantizer, output),
            Self::Linear(linear) => linear.check(quantizer, output),
            Self::Network(network) => network.check(quantizer, output),
        }
    }
}
