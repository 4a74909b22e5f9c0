//! Computes a graph of one row with sums instead of numbers: what every name is, as a function of the row.
//!
//! skl2onnx writes a model as one operator or as dozens, by its version and the type of its input. Sums do not care: a
//! scaler is one whether it is `Scaler`, or `Sub` and `Div`.

use super::inputs;
use super::model;
use super::registry::{MODELS, run};
use super::scope::{Ahead, Scope};
use super::steps;
use super::value::Value;
use crate::import::model::Imported;
use crate::import::onnx::{Graph, unsupported};
use fhectl_core::error::Result;
use std::collections::BTreeMap;

/// Reads a graph as a linear model or trees, with what a client computes before and after them.
///
/// # Errors
/// `onnx_unsupported` naming the operator or step that is neither; `onnx_invalid` and `import_invalid` for attributes
/// that contradict one another; `import_large`.
pub fn read(graph: &Graph) -> Result<Imported> {
    let mut scope = Scope {
        graph,
        values: BTreeMap::new(),
        arena: super::arena::Arena::default(),
        ahead: Ahead::default(),
        neighbors: false,
    };
    let (table, values) = inputs::read(&graph.inputs, &mut scope.arena)?;
    scope.values = graph.inputs.iter().map(|input| input.name.as_str()).zip(values.into_iter().map(Ok)).collect();
    let ahead = ahead(graph);
    for (node, ahead) in graph.nodes.iter().zip(ahead) {
        scope.ahead = ahead;
        let outcome = run(node, &mut scope).map_err(|error| {
            // What an input lacks was said where it was lacking first.
            let known = node.inputs.iter().filter_map(|name| scope.values.get(name.as_str()));
            let said = known.filter_map(|value| value.as_ref().err()).any(|before| before.message == error.message);
            if said { error } else { steps::named(error, node) }
        });
        let size: usize = outcome.iter().flatten().map(Value::size).sum();
        scope.arena.spend(size)?;
        for (index, name) in node.outputs.iter().enumerate() {
            let value = match &outcome {
                Ok(values) => {
                    values.get(index).cloned().ok_or_else(|| unsupported(format!("output {index} of {}", node.label())))
                }
                Err(error) => Err(error.clone()),
            };
            scope.values.insert(name, value);
        }
    }
    model::of(scope, &table)
}

/// For each node, what takes what it makes, soon or late.
fn ahead(graph: &Graph) -> Vec<Ahead> {
    let mut of_name: BTreeMap<&str, Ahead> = BTreeMap::new();
    let mut ahead = vec![Ahead::default(); graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate().rev() {
        for name in &node.outputs {
            let next = of_name.get(name.as_str()).copied().unwrap_or_default();
            ahead[at].model |= next.model;
            ahead[at].matrix |= next.matrix;
        }
        let model = !node.domain.is_empty() && MODELS.contains(&node.op.as_str());
        let matrix = node.domain.is_empty() && ["MatMul", "Gemm"].contains(&node.op.as_str());
        for name in &node.inputs {
            let entry = of_name.entry(name).or_default();
            entry.model |= ahead[at].model || model;
            entry.matrix |= ahead[at].matrix || matrix;
        }
    }
    ahead
}
