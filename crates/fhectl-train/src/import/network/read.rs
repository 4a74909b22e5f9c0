//! A network as an imported model.

use super::lower::{Lowered, lower};
use crate::import::model::{FloatModel, Imported, Linear};
use crate::import::onnx::Graph;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::Result;
use fhectl_core::model::Output;

/// Reads a graph as a network, or as a linear model where nothing but its end is no sum.
///
/// Classes without a name are numbered. A network of one output predicts a number, unless it ends in a sigmoid.
///
/// # Errors
/// Those of [`lower`]; `import_invalid` and `import_large`.
pub fn read(graph: &Graph) -> Result<Imported> {
    let lowered = lower(graph)?;
    let classes = match (&lowered.labels, lowered.output) {
        (Some(labels), _) => labels.clone(),
        (None, Output::Classes(classes)) => (0..classes).map(|class| class.to_string()).collect(),
        (None, Output::Value) => Vec::new(),
    };
    let producer = if graph.producer.is_empty() { "an unnamed tool" } else { &graph.producer };
    let imported = Imported {
        source: format!("a network in ONNX from {}", producer.escape_debug()),
        features: lowered.graph.inputs,
        feature_names: Vec::new(),
        classes,
        unit: ScoreUnit::Logit,
        preparation: Vec::new(),
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
