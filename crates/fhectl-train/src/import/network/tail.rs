//! The end of a network: probabilities and classes become the scores behind them.

use super::call::{Call, refused};
use super::float_graph::{Affine, FloatGraph, combined};
use super::function::Function;
use super::tensor::SymbolicTensor;
use super::value::NamedValue;
use crate::import::onnx::{Graph, Node, TensorData, invalid};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Function as ClearFunction, Output};
use std::collections::BTreeMap;

/// The classes' names, where the last nodes tell them.
///
/// # Errors
/// `onnx_invalid` for attributes of another type.
pub(super) fn labels(graph: &Graph) -> Result<Option<Vec<String>>> {
    for node in &graph.nodes {
        let integers = |values: &[i64]| values.iter().map(i64::to_string).collect::<Vec<_>>();
        let labels = match node.op.as_str() {
            "ZipMap" => {
                let labels = integers(node.ints("classlabels_int64s")?);
                if labels.is_empty() { node.texts("classlabels_strings")?.to_vec() } else { labels }
            }
            "ArrayFeatureExtractor" => match graph.constant(node.input(0)?).map(|tensor| &tensor.data) {
                Some(TensorData::Ints(values)) => integers(values),
                Some(TensorData::Texts(values)) => values.clone(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        if !labels.is_empty() {
            return Ok(Some(labels));
        }
    }
    Ok(None)
}

/// What may stand behind probabilities, a class or a number and changes none of them.
const MOVES: [&str; 7] = ["Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout"];

/// The function that a client computes of the network's number, where this node does so as the last one.
pub(super) fn link(node: &Node, input: &SymbolicTensor, graph: &Graph) -> Option<ClearFunction> {
    let function = match (node.domain.as_str(), node.op.as_str()) {
        ("", "Exp") => ClearFunction::Exp,
        ("", "Softplus") => ClearFunction::Softplus,
        _ => return None,
    };
    let [output] = graph.outputs.as_slice() else { return None };
    let mut name = node.outputs.first()?;
    // Each step goes on to a later node.
    while name != output {
        let mut users = graph.users(name);
        let next =
            users.next().filter(|next| MOVES.contains(&next.op.as_str()) && next.inputs.first() == Some(name))?;
        if users.next().is_some() {
            return None;
        }
        name = next.outputs.first()?;
    }
    (input.len() == 1 && input.values().is_none()).then_some(function)
}

/// Whether a node takes what an earlier one of the tail made.
pub(super) fn takes(node: &Node, values: &BTreeMap<&str, NamedValue>) -> bool {
    node.inputs
        .iter()
        .any(|name| values.get(name.as_str()).is_some_and(|value| !matches!(value, NamedValue::Tensor(_))))
}

/// What the first node of a tail makes.
///
/// # Errors
/// `onnx_unsupported` where it is not over all scores of a row.
pub(super) fn begin(call: &Call<'_>) -> Result<NamedValue> {
    let tensor = call.inputs.first().cloned().flatten().ok_or_else(|| invalid("input 0 is not given"))?;
    let (axis, rank) = (call.node.int("axis", -1)?, tensor.shape.len().max(2) as i64);
    if !(-rank..rank).contains(&axis) {
        return Err(invalid(format!("axis {axis} of {rank}")));
    }
    if tensor.shape.iter().any(|size| *size != 1 && *size != tensor.len()) {
        return Err(refused(
            format!("{} over one axis of {:?}", call.node.op, tensor.shape),
            "attention is not run; let softmax be the last step, over one score a class",
        ));
    }
    Ok(if call.node.op == "ArgMax" { NamedValue::Class(tensor) } else { NamedValue::Scores(tensor) })
}

/// What a later node makes.
///
/// # Errors
/// `onnx_unsupported` where it computes with probabilities or classes.
pub(super) fn pass(node: &Node, values: &BTreeMap<&str, NamedValue>) -> Result<NamedValue> {
    let kept = node.input(usize::from(node.op == "ArrayFeatureExtractor"))?;
    match (node.op.as_str(), values.get(kept).cloned()) {
        (op, Some(value)) if MOVES.contains(&op) => Ok(value),
        ("Log" | "ZipMap", Some(NamedValue::Scores(scores))) => Ok(NamedValue::Scores(scores)),
        ("ArgMax", Some(NamedValue::Scores(scores))) => Ok(NamedValue::Class(scores)),
        ("ArrayFeatureExtractor", Some(NamedValue::Class(scores))) => Ok(NamedValue::Class(scores)),
        _ => Err(refused(
            format!("{} after probabilities or a class", node.op.escape_debug()),
            "let softmax, sigmoid or arg max be the last step",
        )),
    }
}

/// The graph with its outputs as [`Output::margins`] are, and what they stand for. `settled` says that its outputs are behind
/// a class or probabilities.
///
/// # Errors
/// `onnx_output`.
pub(super) fn settle(mut graph: FloatGraph, labels: Option<&[String]>, settled: bool) -> Result<(FloatGraph, Output)> {
    let outputs = graph.outputs.len();
    if labels.is_some_and(|labels| labels.len() != outputs && (labels.len(), outputs) != (2, 1)) {
        let classes = labels.map_or(0, <[String]>::len);
        return Err(wrong(format!("the network has {outputs} scores for {classes} classes")));
    }
    match graph.outputs.as_slice() {
        [one] => {
            let probability = one.single().and_then(|(atom, _)| graph.atom(atom));
            let probability = probability.is_some_and(|(block, _)| block.function == Function::Sigmoid);
            if !probability && labels.is_none() {
                let number = if settled { Err(wrong("one class only".into())) } else { Ok(Output::Value) };
                return number.map(|output| (graph, output));
            }
            let mut margin = one.clone();
            margin.bias -= if probability { 0.5 } else { 0.0 };
            graph.outputs = vec![logit(&graph, &margin).unwrap_or(margin)];
            Ok((graph, Output::Classes(2)))
        }
        [first, second] => {
            let margin = combined(&[(1.0, second), (-1.0, first)]);
            graph.outputs = vec![logit(&graph, &margin).unwrap_or(margin)];
            Ok((graph, Output::Classes(2)))
        }
        _ => {
            if let Some(rows) = behind(&graph) {
                graph.outputs = rows;
            }
            Ok((graph, Output::Classes(outputs)))
        }
    }
}

fn wrong(what: String) -> Error {
    Error::new(ErrorCode::OnnxOutput, what)
        .hint("export the network with one score a class, one probability of the second of two, or one number")
}

/// What is positive where `margin`, of one sigmoid, is: the sum below it, less its threshold.
fn logit(graph: &FloatGraph, margin: &Affine) -> Option<Affine> {
    let (atom, factor) = margin.single()?;
    let (block, row) = graph.atom(atom)?;
    let at = -margin.bias / factor;
    if block.function != Function::Sigmoid || at <= 0.0 || at >= 1.0 {
        return None;
    }
    let threshold = (at / (1.0 - at)).ln();
    let sign = factor.signum();
    Some(Affine {
        bias: sign * (row.bias - threshold),
        terms: row.terms.iter().map(|(atom, coefficient)| (*atom, sign * coefficient)).collect(),
    })
}

/// The sums below scores that are all the same increasing function of one sum each.
fn behind(graph: &FloatGraph) -> Option<Vec<Affine>> {
    let first = graph.outputs.first()?;
    let (_, factor) = first.single()?;
    if graph.outputs.len() < 2 || factor <= 0.0 {
        return None;
    }
    let below = |output: &Affine| {
        let (atom, own) = output.single()?;
        let (block, row) = graph.atom(atom)?;
        let same = own == factor && output.bias == first.bias;
        (same && matches!(block.function, Function::Sigmoid | Function::Tanh)).then(|| row.clone())
    };
    graph.outputs.iter().map(below).collect()
}
