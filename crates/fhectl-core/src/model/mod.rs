//! Quantizers and the integer models in clear: what the encrypted computation must equal.

mod forest;
mod integer_tree;
mod linear;
mod network;
mod quantizer;
mod row_step;
mod tree;

pub use forest::{IntegerForest, ValueLeaf, ValueNode, ValueTree};
pub use integer_tree::{ClassLeaf, ClassNode, IntegerTree};
pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, SparseShape, Trace};
pub use quantizer::{FeatureQuantizer, MAX_LEVELS, Quantizer};
pub use row_step::{Norm, RowStep};
pub use tree::{Branch, Fold, MAX_DEPTH, Tree, TreeError, TreeNode};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a model's scores stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One of so many classes, at least 2.
    Classes(usize),
    /// A number.
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

    /// Scores of a model whose scores add up: one for a number, one for two classes (the margin of the second), else one
    /// a class.
    pub fn margins(self) -> usize {
        match self {
            Self::Classes(2) | Self::Value => 1,
            Self::Classes(classes) => classes,
        }
    }
}

/// A trained, quantized model: a function from quantized features to class scores, or to a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Model {
    Tree(IntegerTree),
    Forest(IntegerForest),
    Linear(IntegerLinear),
    Network(IntegerNetwork),
}

impl Model {
    /// The integer scores of one quantized row, exactly as the encrypted circuit returns them.
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

    /// Checks every index against the quantizer's shape.
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

/// The class that scores stand for, integers or real numbers.
///
/// One score is a signed margin: class 1 where it is positive. Several are one score a class: the
/// first of the largest wins.
///
/// ```
/// use fhectl_core::model::class_of_scores;
///
/// assert_eq!(class_of_scores(&[-3]), 0);
/// assert_eq!(class_of_scores(&[0.2, 0.5, 0.5]), 1);
/// ```
pub fn class_of_scores<T: Copy + Default + PartialOrd>(scores: &[T]) -> usize {
    match scores {
        [margin] => usize::from(*margin > T::default()),
        _ => (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best }),
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::user("model_invalid", message)
        .hint("the bundle was damaged or edited; create the model again with `fhectl create`")
}
