//! From an ONNX graph to a [`FloatGraph`].

use super::builder::GraphBuilder;
use super::call::{Call, DYNAMIC_BATCH, refused};
use super::float_graph::{Affine, FloatGraph};
use super::registry::{Computed, compute};
use super::tail;
use super::tensor::{SymbolicTensor, count};
use super::value::NamedValue;
use crate::data::ImageShape;
use crate::import::onnx::{Graph, Input, Node, invalid, unsupported};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Function as ClearFunction, Output};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most values of a row.
const MAX_INPUTS: usize = 1 << 18;

/// A network out of an ONNX file.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered {
    /// Its outputs are those of [`Output::margins`].
    pub graph: FloatGraph,
    /// What they stand for.
    pub output: Output,
    /// The classes' names, where the file has them.
    pub labels: Option<Vec<String>>,
    /// Whether the rows are images or sequences: all their values are alike.
    pub image: bool,
    /// The size of a row that is one image, whose values are channel after channel.
    pub picture: Option<ImageShape>,
    /// What a client computes of the number that is the output.
    pub link: Option<ClearFunction>,
    /// Where there is pooling after an activation, or max pooling: the same network with average pooling in its place,
    /// before the activation.
    pub averaged: Option<FloatGraph>,
}

/// Lowers a network for rows whose values are those of the graph's inputs in their order, flattened.
///
/// Probabilities at the end become the scores they are made from: softmax, sigmoid and arg max do not change which class
/// is first.
///
/// # Errors
/// `onnx_unsupported` naming the operator and the node that cannot be run, and what could replace it; `onnx_invalid` for a
/// graph whose shapes do not fit; `onnx_output` where the network's outputs are no scores and no number.
pub fn lower(graph: &Graph) -> Result<Lowered> {
    let (mut lowered, pooled) = lower_as(graph, false)?;
    if pooled > 0 {
        lowered.averaged = lower_as(graph, true).ok().map(|(averaged, _)| averaged.graph);
    }
    Ok(lowered)
}

/// Lowers a network, with average pooling before activations for all pooling where `averages`. Also returns how many values
/// came out of what changes.
fn lower_as(graph: &Graph, averages: bool) -> Result<(Lowered, usize)> {
    let batch = graph.inputs.iter().map(fixed_batch).max().unwrap_or(1);
    let mut lowering = Lowering { graph, values: BTreeMap::new(), builder: GraphBuilder::new(0), batch };
    let inputs = lowering.inputs()?;
    lowering.builder.averages = averages;
    for node in &graph.nodes {
        lowering.node(node).map_err(|error| error.context(layer(node, graph)))?;
    }
    let Ended { scores, settled, link } = lowering.output()?;
    // Only what was written for a batch of a fixed size makes more than one row of one.
    if scores.shape.len() > 1 && scores.shape[0] > 1 && batch > 1 {
        return Err(refused(format!("scores of the shape {:?} of one row", scores.shape), DYNAMIC_BATCH));
    }
    let rows: Vec<Affine> = (0..scores.len()).map(|index| scores.row(index)).collect();
    let GraphBuilder { inputs: width, blocks, pooled, .. } = lowering.builder;
    let lowered = FloatGraph { inputs: width, blocks, outputs: rows };
    let labels = tail::labels(graph)?;
    let (lowered, output) = tail::settle(lowered, labels.as_deref(), settled)?;
    let (image, picture) = (inputs.iter().any(|shape| shape.len() > 2), picture(&inputs));
    Ok((Lowered { graph: lowered.pruned(), output, labels, image, picture, link, averaged: None }, pooled))
}

/// A node as a message names it, with the layer that its weights belong to, as PyTorch names it.
fn layer(node: &Node, graph: &Graph) -> String {
    let weights = node.inputs.iter().filter(|name| graph.constant(name).is_some());
    match weights.filter_map(|name| name.rsplit_once('.')).map(|(layer, _)| layer).next() {
        Some(layer) => format!("{} (layer `{}`)", node.label(), layer.escape_debug()),
        None => node.label(),
    }
}

/// The end of a network.
struct Ended {
    scores: Rc<SymbolicTensor>,
    /// Whether the scores are behind a class or probabilities.
    settled: bool,
    /// What a client computes of them.
    link: Option<ClearFunction>,
}

struct Lowering<'a> {
    graph: &'a Graph,
    values: BTreeMap<&'a str, NamedValue>,
    builder: GraphBuilder,
    /// The rows that the file is written for; 1 where their number is open.
    batch: usize,
}

impl<'a> Lowering<'a> {
    /// Makes the inputs' atoms and returns their shapes. A batch of a fixed size is one row: nothing else of a network
    /// depends on the size, and what does is refused where it stands.
    fn inputs(&mut self) -> Result<Vec<Vec<usize>>> {
        let mut total = 0;
        let mut shapes = Vec::new();
        for input in &self.graph.inputs {
            let name = input.name.escape_debug();
            let shape = match input.shape.as_slice() {
                [] => {
                    return Err(unsupported(format!("input `{name}` has no shape"))
                        .hint("export the network with an example row, so that sizes are known"));
                }
                // Without an axis for the batch.
                [Some(size)] => vec![*size],
                [_, sizes @ ..] => {
                    let sizes: Option<Vec<usize>> = sizes.iter().copied().collect();
                    let sizes = sizes.filter(|sizes| !sizes.is_empty()).ok_or_else(|| {
                        unsupported(format!("input `{name}` has a size that is not fixed"))
                            .hint("only the first axis, the batch, may be dynamic: export with fixed sizes")
                    })?;
                    [vec![1], sizes].concat()
                }
            };
            let size = count(&shape).map_err(|error| error.context(format!("input `{name}`")))?;
            shapes.push(shape.clone());
            let rows = (total..total + size).map(|atom| Affine::atom(atom as u32)).collect();
            total += size;
            if total > MAX_INPUTS {
                return Err(unsupported(format!("rows of more than {MAX_INPUTS} values")).hint("use smaller inputs"));
            }
            self.values.insert(&input.name, NamedValue::Tensor(Rc::new(SymbolicTensor::computed(shape, rows))));
        }
        if total == 0 {
            return Err(invalid("the graph has no input"));
        }
        self.builder = GraphBuilder::new(total);
        Ok(shapes)
    }

    fn node(&mut self, node: &'a Node) -> Result<()> {
        if tail::takes(node, &self.values) {
            let value = tail::pass(node, &self.values)?;
            self.values.insert(node.output(0)?, value);
            return Ok(());
        }
        let inputs = node.inputs.iter().map(|name| self.tensor(name)).collect::<Result<Vec<_>>>()?;
        let elements = node.inputs.iter().map(|name| self.graph.element(name)).collect();
        let call = Call { node, inputs, elements, opset: self.graph.opset(), batch: self.batch };
        if let Some(Some(input)) = call.inputs.first()
            && let Some(function) = tail::link(node, input, self.graph)
        {
            self.values.insert(node.output(0)?, NamedValue::Linked(input.clone(), function));
            return Ok(());
        }
        let outputs = match compute(&mut self.builder, &call, self.graph)? {
            Computed::Values(values) => {
                values.into_iter().map(|value| self.builder.keep(value)).collect::<Result<Vec<_>>>()?
            }
            Computed::Tail => {
                let value = tail::begin(&call)?;
                self.values.insert(node.output(0)?, value);
                return Ok(());
            }
        };
        for (name, tensor) in node.outputs.iter().zip(outputs) {
            self.values.insert(name, NamedValue::Tensor(Rc::new(tensor)));
        }
        Ok(())
    }

    /// The tensor of a name; `None` for an input that is not given.
    fn tensor(&mut self, name: &'a str) -> Result<Option<Rc<SymbolicTensor>>> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(constant) = self.graph.constant(name).filter(|_| !self.values.contains_key(name)) {
            let tensor = self.builder.keep(SymbolicTensor::constant(constant.shape.clone(), constant.floats()?))?;
            self.values.insert(name, NamedValue::Tensor(Rc::new(tensor)));
        }
        match self.values.get(name) {
            Some(NamedValue::Tensor(tensor)) => Ok(Some(tensor.clone())),
            Some(_) => Err(refused("it takes a class or probabilities", "let softmax or arg max be the last step")),
            None => Err(invalid(format!("nothing gives `{}`", name.escape_debug()))),
        }
    }

    /// The scores of the graph's outputs.
    fn output(&self) -> Result<Ended> {
        let values: Vec<&NamedValue> =
            self.graph.outputs.iter().filter_map(|name| self.values.get(name.as_str())).collect();
        let first = |wanted: fn(&NamedValue) -> Option<&Rc<SymbolicTensor>>| {
            values.iter().find_map(|value| wanted(value)).cloned()
        };
        let scores = first(|value| if let NamedValue::Scores(tensor) = value { Some(tensor) } else { None });
        let class = first(|value| if let NamedValue::Class(tensor) = value { Some(tensor) } else { None });
        if let Some(tensor) = scores.or(class) {
            return Ok(Ended { scores: tensor, settled: true, link: None });
        }
        match values.as_slice() {
            [NamedValue::Tensor(tensor)] => Ok(Ended { scores: tensor.clone(), settled: false, link: None }),
            [NamedValue::Linked(tensor, function)] => {
                Ok(Ended { scores: tensor.clone(), settled: false, link: Some(*function) })
            }
            _ => {
                Err(Error::new(ErrorCode::OnnxOutput, format!("the network has {} outputs", self.graph.outputs.len()))
                    .hint("export the network with its scores as the only output"))
            }
        }
    }
}

/// The size of the first of several axes; 1 where it is open.
fn fixed_batch(input: &Input) -> usize {
    match input.shape.as_slice() {
        [Some(batch), _, ..] => *batch,
        _ => 1,
    }
}

/// The image that the one input is.
fn picture(inputs: &[Vec<usize>]) -> Option<ImageShape> {
    match inputs {
        [shape] => match shape.as_slice() {
            [1, channels, height, width] => Some(ImageShape { height: *height, width: *width, channels: *channels }),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
