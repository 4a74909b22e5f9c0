//! From an ONNX graph to a [`FloatGraph`].

use super::builder::Builder;
use super::call::{Call, refused};
use super::float_graph::{Affine, FloatGraph};
use super::gates::gated;
use super::operators::image::{Pool, conv, global_pool, pool};
use super::operators::linear::{self, Arithmetic, arithmetic};
use super::operators::scalar::scalar;
use super::operators::shape::moved;
use super::tail;
use super::tensor::{Tensor, count};
use crate::import::onnx::{Graph, Node, invalid, unsupported};
use fhectl_core::error::{Error, Result};
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

/// What a name of the graph stands for.
#[derive(Clone)]
pub(super) enum Value {
    Tensor(Rc<Tensor>),
    /// The scores behind probabilities.
    Scores(Rc<Tensor>),
    /// The scores behind a class.
    Class(Rc<Tensor>),
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
    let mut lowering = Lowering { graph, values: BTreeMap::new(), builder: Builder::new(0) };
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
    values: BTreeMap<&'a str, Value>,
    builder: Builder,
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
            self.values.insert(&input.name, Value::Tensor(Rc::new(Tensor::computed(shape, rows))));
        }
        if total == 0 {
            return Err(invalid("the graph has no input"));
        }
        self.builder = Builder::new(total);
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
        let outputs = match compute(&mut self.builder, &call)? {
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
            self.values.insert(name, Value::Tensor(Rc::new(tensor)));
        }
        Ok(())
    }

    /// The tensor of a name; `None` for an input that is not given.
    fn tensor(&mut self, name: &'a str) -> Result<Option<Rc<Tensor>>> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(constant) = self.graph.constant(name).filter(|_| !self.values.contains_key(name)) {
            let tensor = self.builder.keep(Tensor::constant(constant.shape.clone(), constant.floats()?))?;
            self.values.insert(name, Value::Tensor(Rc::new(tensor)));
        }
        match self.values.get(name) {
            Some(Value::Tensor(tensor)) => Ok(Some(tensor.clone())),
            Some(_) => Err(refused("it takes a class or probabilities", "let softmax or arg max be the last step")),
            None => Err(invalid(format!("nothing gives `{}`", name.escape_debug()))),
        }
    }

    /// The scores of the graph's outputs, and whether they are behind a class or probabilities.
    fn output(&self) -> Result<(Rc<Tensor>, bool)> {
        let values: Vec<&Value> = self.graph.outputs.iter().filter_map(|name| self.values.get(name.as_str())).collect();
        let first = |wanted: fn(&Value) -> Option<&Rc<Tensor>>| values.iter().find_map(|value| wanted(value)).cloned();
        let scores = first(|value| if let Value::Scores(tensor) = value { Some(tensor) } else { None });
        let class = first(|value| if let Value::Class(tensor) = value { Some(tensor) } else { None });
        if let Some(tensor) = scores.or(class) {
            return Ok((tensor, true));
        }
        match values.as_slice() {
            [Value::Tensor(tensor)] => Ok((tensor.clone(), false)),
            _ => Err(Error::user("onnx_output", format!("the network has {} outputs", self.graph.outputs.len()))
                .hint("export the network with its scores as the only output")),
        }
    }
}

enum Computed {
    Values(Vec<Tensor>),
    /// The node makes probabilities or a class.
    Tail,
}

fn compute(builder: &mut Builder, call: &Call<'_>) -> Result<Computed> {
    let op = call.node.op.as_str();
    let tensor = match (call.node.domain.as_str(), op) {
        ("ai.onnx.ml", "Scaler") => linear::scaler(builder, call)?,
        ("", "Softmax" | "LogSoftmax" | "ArgMax") | ("ai.onnx.ml", "ZipMap") => return Ok(Computed::Tail),
        ("", "Add") => arithmetic(builder, Arithmetic::Add, call.tensor(0)?, call.tensor(1)?)?,
        ("", "Sub") => arithmetic(builder, Arithmetic::Subtract, call.tensor(0)?, call.tensor(1)?)?,
        ("", "Div") => arithmetic(builder, Arithmetic::Divide, call.tensor(0)?, call.tensor(1)?)?,
        ("", "Mul") => match gated(builder, call.tensor(0)?, call.tensor(1)?)? {
            Some(tensor) => tensor,
            None => arithmetic(builder, Arithmetic::Multiply, call.tensor(0)?, call.tensor(1)?)?,
        },
        ("", "Neg") => {
            arithmetic(builder, Arithmetic::Multiply, call.tensor(0)?, &Tensor::constant(vec![], vec![-1.0]))?
        }
        ("", "Sum") => linear::total(builder, call, false)?,
        ("", "Mean") => linear::total(builder, call, true)?,
        ("", "Gemm") => linear::gemm(builder, call)?,
        ("", "MatMul") => linear::matmul(builder, call)?,
        ("", "BatchNormalization") => linear::batch_normalization(builder, call)?,
        ("", "ReduceMean") => linear::reduce(builder, call, true)?,
        ("", "ReduceSum") => linear::reduce(builder, call, false)?,
        ("", "Conv") => conv(builder, call)?,
        ("", "AveragePool") => pool(builder, call, Pool::Mean)?,
        ("", "MaxPool") => pool(builder, call, Pool::Largest)?,
        ("", "GlobalAveragePool") => global_pool(builder, call, Pool::Mean)?,
        ("", "GlobalMaxPool") => global_pool(builder, call, Pool::Largest)?,
        ("", _) => match scalar(builder, call)? {
            Some(tensor) => tensor,
            None => return moved(call)?.map(Computed::Values).ok_or_else(|| unknown(call)),
        },
        _ => return Err(unknown(call)),
    };
    Ok(Computed::Values(vec![tensor]))
}

fn unknown(call: &Call<'_>) -> Error {
    let Node { op, domain, .. } = call.node;
    let instead = match op.as_str() {
        "LSTM" | "GRU" | "RNN" | "Loop" | "If" | "Scan" => {
            "recurrent and branching networks are not run; use dense layers or convolutions"
        }
        "LayerNormalization" | "InstanceNormalization" | "GroupNormalization" | "LpNormalization" | "LRN" => {
            "replace it by batch normalisation, which needs nothing of the row at inference"
        }
        "ConvTranspose" | "Resize" | "Upsample" => "networks that make images are not run",
        "QLinearConv" | "QLinearMatMul" | "DequantizeLinear" | "QuantizeLinear" | "ConvInteger" | "MatMulInteger" => {
            "export the network in floats: fhectl quantises it itself"
        }
        "Exp" | "Log" | "Sqrt" | "Pow" | "Reciprocal" | "Sin" | "Cos" => {
            "use an activation such as Relu, Tanh or Sigmoid"
        }
        _ => {
            "use dense layers, convolutions, batch normalisation, pooling, shortcuts, and activations such as Relu, Tanh, Sigmoid"
        }
    };
    let domain = if domain.is_empty() { String::new() } else { format!(" of `{}`", domain.escape_debug()) };
    refused(format!("the operator {}{domain} (operator set {}) is not run", op.escape_debug(), call.opset), instead)
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
