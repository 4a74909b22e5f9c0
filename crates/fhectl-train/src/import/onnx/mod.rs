//! Models in ONNX files.

mod evaluate;
pub mod graph;
mod operators;
pub mod proto;
mod row;
mod scan;
mod sum;
mod tensor;
mod trees;
mod vectors;

pub use graph::{Attribute, Graph, Input, Node};
pub use tensor::{Tensor, TensorData};

use super::model::Imported;
use super::network;
use fhectl_core::error::{Error, Result};

/// Operators of `ai.onnx.ml` that stand around networks, too.
const AROUND: [&str; 4] = ["Scaler", "ZipMap", "ArrayFeatureExtractor", "Normalizer"];

/// Reads an ONNX file: as a linear model or trees where it is one, else as a network.
///
/// # Errors
/// Those of [`Graph::read`]; `onnx_unsupported` naming the operator that no model here is made of.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let graph = Graph::read(bytes)?;
    let classical = |node: &Node| !node.domain.is_empty() && !AROUND.contains(&node.op.as_str());
    evaluate::read(&graph).or_else(|error| match graph.nodes.iter().any(classical) {
        true => Err(error),
        false => network::read(&graph),
    })
}

/// A file that breaks its own format.
pub fn invalid(message: impl Into<String>) -> Error {
    Error::user("onnx_invalid", message)
        .hint("the file is damaged or was not written by an ONNX exporter; export it again")
}

/// A model that ONNX allows and fhectl does not run.
pub fn unsupported(message: impl Into<String>) -> Error {
    Error::user("onnx_unsupported", message)
}
