//! Quantizers and integer models in clear. The encrypted computation has to give the same result.
//!
//! ```
//! use fhectl_core::model::{FeatureQuantizer, IntegerLinear, Model, Output, Quantizer};
//!
//! let feature = FeatureQuantizer::Affine { low: 0.0, step: 0.5, levels: 8 };
//! let quantizer = Quantizer { features: vec![feature.clone(), feature] };
//! let model = Model::Linear(IntegerLinear { weights: vec![vec![3, -2]], biases: vec![-4], scale: 0.1 });
//! model.check(&quantizer, Output::Classes(2))?;
//!
//! let row = quantizer.quantize(&[1.2, 0.4])?;
//! assert_eq!(row, [2, 1]);
//! assert_eq!(model.scores(&row), [0]);
//! assert_eq!(model.predict(&row), 0);
//! # Ok::<(), fhectl_core::error::Error>(())
//! ```

mod forest;
mod linear;
mod network;
mod quantizer;
mod row_step;
mod tree;

pub use forest::{IntegerForest, ValueNode, ValueTree};
pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, SparseShape, Trace};
pub use quantizer::{FeatureQuantizer, MAX_LEVELS, Quantizer};
pub use row_step::{Norm, RowStep};
pub use tree::{IntegerTree, Node};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One of this many classes, at least 2.
    Classes(usize),
    /// A number (regression).
    Value,
}

impl Output {
    /// The number of classes; 0 where the output is a number.
    pub fn classes(self) -> usize {
        match self {
            Self::Classes(classes) => classes,
            Self::Value => 0,
        }
    }

    /// The number of scores of an additive model (linear, forest): 1 for a number, 1 for two classes (the margin of class 1),
    /// else one per class.
    pub fn margins(self) -> usize {
        match self {
            Self::Classes(2) | Self::Value => 1,
            Self::Classes(classes) => classes,
        }
    }
}

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

/// The class that integer scores predict.
///
/// A single score is a margin: class 1 where it is positive. Several scores are one per class: the largest wins, the first
/// of equal ones.
///
/// ```
/// use fhectl_core::model::class_of_scores;
/// assert_eq!(class_of_scores(&[0]), 0);
/// assert_eq!(class_of_scores(&[-1, 4, 4]), 1);
/// ```
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
