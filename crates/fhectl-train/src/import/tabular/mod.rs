//! Linear models and trees in ONNX graphs: a client's program on the row, encrypted sums, and a client's program on scores.
//!
//! [`evaluate`] computes a graph with sums of [`atom`]s instead of numbers; [`model`] cuts what comes out into the three.

mod arena;
mod atom;
mod bounds;
mod center;
mod chains;
mod cut;
mod evaluate;
mod inputs;
mod lin;
mod model;
mod operators;
mod outputs;
mod prefix;
mod program;
mod registry;
mod scope;
mod simplify;
mod split;
mod steps;
mod univariate;
mod value;

pub use evaluate::read;
