//! Linear models and trees in ONNX graphs, read as formulas.

mod evaluate;
mod operators;
mod registry;
mod row;
mod scope;
mod splits;
mod sum;
mod trees;
mod value;
mod vectors;

pub use evaluate::read;
