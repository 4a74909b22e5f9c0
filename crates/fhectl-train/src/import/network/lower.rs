//! From an ONNX graph to a [`FloatGraph`].

use super::builder::GraphBuilder;
use super::call::{Call, refused};
use super::float_graph::{Affine, FloatGraph};
use super::registry::{Computed, compute};
use super::tail;
use super::tensor::{SymbolicTensor, count};
use super::value::NamedValue;
use crate::import::onnx::{Graph, Node, invalid, unsupported};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
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
    /// Whether the rows are images: all their values are alike.
    pub image: bool,
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
    let mut lowering = Lowering { graph, values: BTreeMap::new(), builder: GraphBuilder::new(0) };
    let image = lowering.inputs()?;
    for node in &graph.nodes {
        lowering.node(node).map_err(|error| error.context(node.label()))?;
    }
    let (scores, settled) = lowering.output()?;
    let rows: Vec<Affine> = (0..scores.len()).map(|index| scores.row(index)).collect();
    let Lowering { builder, .. } = lowering;
    let lowered = FloatGraph { inputs: builder.inputs, blocks: builder.blocks, outputs: rows };
    let labels = tail::labels(graph)?;
    let (lowered, output) = tail::settle(lowered, labels.as_deref(), settled)?;
    Ok(Lowered { graph: lowered.pruned(), output, labels, image })
}

struct Lowering<'a> {
    graph: &'a Graph,
    values: BTreeMap<&'a str, NamedValue>,
    builder: GraphBuilder,
}

impl<'a> Lowering<'a> {
    /// Makes the inputs' atoms and says whether they are an image's.
    fn inputs(&mut self) -> Result<bool> {
        let mut total = 0;
        let mut image = false;
        for input in &self.graph.inputs {
            let name = input.name.escape_debug();
            let shape = match input.shape.as_slice() {
                [] => {
                    return Err(unsupported(format!("input `{name}` has no shape"))
                        .hint("export the network with an example row, so that sizes are known"));
                }
                // Without an axis for the batch.
                [Some(size)] => vec![*size],
                [batch, sizes @ ..] => {
                    if batch.is_some_and(|batch| batch != 1) {
                        return Err(unsupported(format!("input `{name}` has a fixed batch of {}", batch.unwrap_or(0)))
                            .hint("export with an example of one row, or with a dynamic first axis"));
                    }
                    let sizes: Option<Vec<usize>> = sizes.iter().copied().collect();
                    let sizes = sizes.filter(|sizes| !sizes.is_empty()).ok_or_else(|| {
                        unsupported(format!("input `{name}` has a size that is not fixed"))
                            .hint("only the first axis, the batch, may be dynamic: export with fixed sizes")
                    })?;
                    [vec![1], sizes].concat()
                }
            };
            let size = count(&shape).map_err(|error| error.context(format!("input `{name}`")))?;
            image |= shape.len() > 2;
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
        Ok(image)
    }

    fn node(&mut self, node: &'a Node) -> Result<()> {
        if tail::takes(node, &self.values) {
            let value = tail::pass(node, &self.values)?;
            self.values.insert(node.output(0)?, value);
            return Ok(());
        }
        let inputs = node.inputs.iter().map(|name| self.tensor(name)).collect::<Result<Vec<_>>>()?;
        let call = Call { node, inputs, opset: self.graph.opset() };
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

    /// The scores of the graph's outputs, and whether they are behind a class or probabilities.
    fn output(&self) -> Result<(Rc<SymbolicTensor>, bool)> {
        let values: Vec<&NamedValue> =
            self.graph.outputs.iter().filter_map(|name| self.values.get(name.as_str())).collect();
        let first = |wanted: fn(&NamedValue) -> Option<&Rc<SymbolicTensor>>| {
            values.iter().find_map(|value| wanted(value)).cloned()
        };
        let scores = first(|value| if let NamedValue::Scores(tensor) = value { Some(tensor) } else { None });
        let class = first(|value| if let NamedValue::Class(tensor) = value { Some(tensor) } else { None });
        if let Some(tensor) = scores.or(class) {
            return Ok((tensor, true));
        }
        match values.as_slice() {
            [NamedValue::Tensor(tensor)] => Ok((tensor.clone(), false)),
            _ => {
                Err(Error::new(ErrorCode::OnnxOutput, format!("the network has {} outputs", self.graph.outputs.len()))
                    .hint("export the network with its scores as the only output"))
            }
        }
    }
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
