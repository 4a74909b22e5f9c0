//! Models in ONNX files: linear models and trees as formulas, all else as networks.

use super::catboost;
use super::model::{FloatModel, Imported, Linear, NETWORK_SOURCE};
use super::network::{Lowered, lower};
use super::onnx::{Graph, Node, unsupported};
use super::tabular;
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Output};
use std::path::Path;

/// Operators of `ai.onnx.ml` that stand around networks, too.
const AROUND: [&str; 4] = ["Scaler", "ZipMap", "ArrayFeatureExtractor", "Normalizer"];

/// Reads an ONNX file: as a linear model or trees where it is one, else as a network.
///
/// # Errors
/// Those of [`Graph::read`]; `onnx_unsupported` naming the operator that no model here is made of.
pub fn read_onnx(bytes: &[u8]) -> Result<Imported> {
    read_graph(&Graph::read(bytes)?)
}

/// As [`read_onnx`], of a file in this folder, whose weights may lie in files beside it.
///
/// # Errors
/// As [`read_onnx`]; those of [`Graph::read_in`].
pub fn read_onnx_in(bytes: &[u8], folder: &Path, most: u64) -> Result<Imported> {
    read_graph(&Graph::read_in(bytes, folder, most)?)
}

fn read_graph(graph: &Graph) -> Result<Imported> {
    let classical = |node: &Node| match node.domain.as_str() {
        "ai.onnx.ml" => !AROUND.contains(&node.op.as_str()),
        _ => node.op == "Tokenizer",
    };
    let imported = tabular::read(graph).or_else(|error| match graph.nodes.iter().any(classical) {
        true => Err(error),
        false if is_tree_of_products(graph) => Err(unsupported(
            "trees that are written as products of matrices, as Hummingbird and Concrete ML export them",
        )
        .hint("import the model that they were made of, e.g. the fitted scikit-learn model through skl2onnx")),
        false if is_kernel(graph) => Err(unsupported(
            "a model of distances from its training rows, as a Gaussian process or a kernel is exported",
        )
        .hint("of such models nearest neighbors are read; take these, a linear model, trees, or a network of dense layers")),
        // Neither: what is wrong with it as what it looks like.
        false => network(graph).map_err(|other| if is_layered(graph) { other } else { error }),
    })?;
    // A sum written in plain operators is a network of one layer as much as it is a linear model.
    let plain = graph.nodes.iter().all(|node| node.domain.is_empty()) && imported.classes.is_empty();
    let imported = match plain && !imported.source.starts_with(NETWORK_SOURCE) {
        true => Imported {
            source: format!("{NETWORK_SOURCE}{}", imported.source.trim_start_matches("ONNX from ")),
            ..imported
        },
        false => imported,
    };
    Ok(match graph.properties.get("params") {
        Some(params) if graph.producer.starts_with("CatBoost") => catboost::of_onnx(imported, params),
        _ => imported,
    })
}

/// Whether a graph that is no table's looks like a network.
fn is_layered(graph: &Graph) -> bool {
    let matrix = |node: &&Node| ["MatMul", "Gemm", "Conv"].contains(&node.op.as_str());
    !graph.producer.starts_with("skl2onnx") || graph.nodes.iter().filter(matrix).count() > 1
}

/// Whether scikit-learn's distances are what a function is taken of.
fn is_kernel(graph: &Graph) -> bool {
    let has = |operators: &[&str]| graph.nodes.iter().any(|node| operators.contains(&node.op.as_str()));
    graph.producer.starts_with("skl2onnx") && has(&["Scan", "CDist", "Einsum"]) && has(&["Exp", "Tanh", "Pow", "Sin"])
}

/// Whether comparisons of a product of the row are multiplied and compared for equality: the paths of trees.
fn is_tree_of_products(graph: &Graph) -> bool {
    let has = |operators: &[&str]| graph.nodes.iter().any(|node| operators.contains(&node.op.as_str()));
    has(&["LessOrEqual", "Less", "Greater", "GreaterOrEqual"]) && has(&["Equal"]) && has(&["Gemm", "MatMul"])
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
        source: format!("{NETWORK_SOURCE}{}", producer.escape_debug()),
        features: lowered.graph.inputs,
        feature_names: Vec::new(),
        classes,
        unit: ScoreUnit::Logit,
        input: None,
        preprocessing: Vec::new(),
        head: lowered.link.map(|function| Head { scores: 1, steps: vec![ClearStep::Function { function }] }),
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
