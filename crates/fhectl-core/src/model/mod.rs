//! Quantizers and the integer models in clear: what the encrypted computation must equal.

mod any_model;
mod class;
mod forest;
mod integer_tree;
mod invalid;
mod linear;
mod network;
mod output;
mod quantizer;
mod row_step;
mod tree;

pub use any_model::Model;
pub use class::class_of_scores;
pub use forest::{IntegerForest, ValueLeaf, ValueNode, ValueTree};
pub use integer_tree::{ClassLeaf, ClassNode, IntegerTree};
pub(crate) use invalid::invalid;
pub use linear::IntegerLinear;
pub use network::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer, SparseShape, Trace};
pub use output::Output;
pub use quantizer::{FeatureQuantizer, MAX_LEVELS, Quantizer};
pub use row_step::{Norm, RowStep};
pub use tree::{Branch, Fold, MAX_DEPTH, Tree, TreeError, TreeNode};
