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

mod any_model;
mod class;
mod clear_step;
mod feature_names;
mod forest;
mod input_schema;
mod integer_tree;
mod invalid;
mod linear;
mod network;
mod output;
mod quantizer;
mod tree;

pub use any_model::Model;
pub use class::class_of_scores;
pub use clear_step::{
    ClearStep, Column, ColumnRule, Function, MAX_CLEAR_VALUES, Neighbors, Norm, Part, Vote, VoteWeights,
};
pub use feature_names::feature_names;
pub use forest::{IntegerForest, ValueLeaf, ValueNode, ValueTree};
pub use input_schema::{
    ColumnKind, InputColumn, InputSchema, MISSING, Vocabulary, Words, WordsNorm, boolean, days_since_1970, is_missing,
    number_hint,
};
pub use integer_tree::{ClassLeaf, ClassNode, IntegerTree};
pub(crate) use invalid::invalid;
pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, SparseShape, Trace};
pub use output::Output;
pub use quantizer::{FeatureQuantizer, MAX_LEVELS, Quantizer};
pub use tree::{Branch, Fold, MAX_DEPTH, Tree, TreeError, TreeNode};
