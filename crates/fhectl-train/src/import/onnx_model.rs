//! Models in ONNX files: linear models and trees as formulas, all else as networks.

use super::model::{FloatModel, Imported, Linear};
use super::network::{Lowered, lower};
use super::onnx::{Graph, Node};
use super::tabular;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::Result;
use fhectl_core::model::Output;

/// Operators of `ai.onnx.ml` that stand around networks, too.
const AROUND: [&str; 4] = ["Scaler", "ZipMap", "ArrayFeatureExtractor", "Normalizer"];

/// Reads an ONNX file: as a linear model or trees where it is one, else as a network.
///
/// # Errors
/// Those of [`Graph::read`]; `onnx_unsupported` naming the operator that no model here is made of.
pub fn read_onnx(bytes: &[u8]) -> Result<Imported> {
    let graph = Graph::read(bytes)?;
    let classical = |node: &Node| match node.domain.as_str() {
        "" => false,
        "ai.onnx.ml" => !AROUND.contains(&node.op.as_str()),
        _ => node.op == "Tokenizer",
    };
    tabular::read(&graph).or_else(|error| match graph.nodes.iter().any(classical) {
        true => Err(error),
        // Neither: what is wrong with it as what it looks like.
        false => network(&graph).map_err(|other| if is_layered(&graph) { other } else { error }),
    })
}

/// Whether a graph that is no table's looks like a network.
fn is_layered(graph: &Graph) -> bool {
    let matrix = |node: &&Node| ["MatMul", "Gemm", "Conv"].contains(&node.op.as_str());
    !graph.producer.starts_with("skl2onnx") || graph.nodes.iter().filter(matrix).count() > 1
}

/// Reads a graph as a network, or as a linear model where nothing but its end is no sum.
///
/// Classes without a name are numbered. A network of one output predicts a number, unless it ends in a sigmoid.
///
/// # Errors
/// Those of [`lower`]; `import_invalid` and `import_large`.
fn network(graph: &Graph) -> Result<Imported> {
    let lowered = lower(graph)?;
    let classes = match (&lowered.labels, lowered.output) {
        (Some(labels), _) => labels.clone(),
        (None, Output::Classes(classes)) => (0..classes).map(|class| class.to_string()).collect(),
        (None, Output::Value | Output::Scores(_)) => Vec::new(),
    };
    let producer = if graph.producer.is_empty() { "an unnamed tool" } else { &graph.producer };
    let imported = Imported {
        source: format!("a network in ONNX from {}", producer.escape_debug()),
        features: lowered.graph.inputs,
        feature_names: Vec::new(),
        classes,
        unit: ScoreUnit::Logit,
        input: None,
        preprocessing: Vec::new(),
        head: None,
        reveals_training_rows: false,
        model: linear(&lowered).map_or_else(|| FloatModel::Network(Box::new(lowered)), FloatModel::Linear),
    };
    imported.checked()
}

fn linear(lowered: &Lowered) -> Option<Linear> {
    let graph = &lowered.graph;
    let dense = |terms: &[(u32, f64)]| {
        let mut row = vec![0.0; graph.inputs];
        terms.iter().for_each(|(atom, coefficient)| row[*atom as usize] = *coefficient);
        row
    };
    graph.blocks.is_empty().then(|| Linear {
        weights: graph.outputs.iter().map(|row| dense(&row.terms)).collect(),
        biases: graph.outputs.iter().map(|row| row.bias).collect(),
    })
}
