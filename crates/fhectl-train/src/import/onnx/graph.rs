//! A checked view of an ONNX graph: nodes in an order in which they can be computed, constants as bounded tensors.

use super::errors::{invalid, unsupported};
use super::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto};
use super::tensor::{Tensor, TensorData};
use super::{external, scan};
use fhectl_core::error::Result;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The most nodes of a graph.
const MAX_NODES: usize = 1 << 16;

/// A graph without constants and identities among its nodes.
///
/// Every name that a node takes is an input, a constant or an output of an earlier node; every name has one source.
/// Nodes that no output needs are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Who wrote the file, e.g. `skl2onnx 1.20.0`.
    pub producer: String,
    /// What it says of the model in its own words.
    pub properties: BTreeMap<String, String>,
    /// The version of each operator set by its domain; the default domain is empty.
    pub opsets: BTreeMap<String, i64>,
    /// Inputs that are not constants, in the file's order.
    pub inputs: Vec<Input>,
    /// Names of the outputs, in the file's order.
    pub outputs: Vec<String>,
    /// Each after all those whose outputs it takes.
    pub nodes: Vec<Node>,
    constants: BTreeMap<String, Tensor>,
    /// `TensorProto.DataType` of the constants, where the file states it.
    elements: BTreeMap<String, i32>,
    /// The nodes that make and that take each name.
    makers: BTreeMap<String, usize>,
    takers: BTreeMap<String, Vec<usize>>,
}

/// An input of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    /// `TensorProto.DataType`: 1 for float, 11 for double, 0 where the file does not say.
    pub element: i32,
    /// `None` where a dimension is not fixed, as that of the batch.
    pub shape: Vec<Option<usize>>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub op: String,
    /// Empty for the default domain, else e.g. `ai.onnx.ml`.
    pub domain: String,
    pub name: String,
    /// Names; an empty one is an optional input that is not given.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: BTreeMap<String, Attribute>,
}

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Tensor),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    /// The operators of a graph within the node.
    Body(Vec<String>),
    /// Another `AttributeProto.AttributeType`, e.g. 10 for a list of graphs.
    Other(i32),
}

impl Graph {
    /// Reads the bytes of an ONNX file.
    ///
    /// # Errors
    /// `onnx_invalid` for bytes that are no ONNX model, cycles, names without a source or with two, and tensors whose
    /// shape is not that of their data; `onnx_unsupported` for what no model here needs (external data, sparse
    /// constants, functions of the model's own).
    pub fn read(bytes: &[u8]) -> Result<Self> {
        scan::check(bytes)?;
        Self::new(&ModelProto::decode(bytes).map_err(|error| scan::not_a_model(&error))?)
    }

    /// As [`Graph::read`], of a file in this folder: tensors may have their data in files beside it, of `most` bytes
    /// together.
    ///
    /// # Errors
    /// As [`Graph::read`]; `import_read` for a file beside it that cannot be read, `import_large` beyond `most`.
    pub fn read_in(bytes: &[u8], folder: &Path, most: u64) -> Result<Self> {
        scan::check(bytes)?;
        let mut model = ModelProto::decode(bytes).map_err(|error| scan::not_a_model(&error))?;
        external::fill(&mut model, folder, most)?;
        Self::new(&model)
    }

    /// As [`Graph::read`], from a decoded file.
    ///
    /// # Errors
    /// As [`Graph::read`].
    pub fn new(model: &ModelProto) -> Result<Self> {
        let graph = model.graph.as_ref().ok_or_else(|| invalid("the file holds no graph"))?;
        if model.functions.iter().any(|function| function.name.contains("knn_imputer")) {
            return Err(unsupported("a KNNImputer, which looks for rows that are near to each gap")
                .hint("take a SimpleImputer, or fill gaps in the table before the model"));
        }
        if let Some(function) = model.functions.first() {
            return Err(unsupported(format!("the model defines its own operator `{}`", function.name.escape_debug()))
                .hint("export it without local functions, e.g. with `onnx.inliner.inline_local_functions`"));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(unsupported("sparse constants").hint("save the model with dense weights"));
        }
        if graph.node.len() > MAX_NODES {
            return Err(unsupported(format!("{} nodes, at most {MAX_NODES} are read", graph.node.len())));
        }
        let mut names = Names::default();
        let mut constants = BTreeMap::new();
        let mut elements = BTreeMap::new();
        for tensor in &graph.initializer {
            names.define(&tensor.name)?;
            elements.insert(tensor.name.clone(), tensor.data_type);
            constants.insert(tensor.name.clone(), Tensor::read(tensor)?);
        }
        // Old files list constants among the inputs as well.
        let inputs: Vec<Input> = graph
            .input
            .iter()
            .filter(|input| !constants.contains_key(&input.name))
            .map(input)
            .collect::<Result<_>>()?;
        for input in &inputs {
            names.define(&input.name)?;
        }
        let mut nodes = Vec::with_capacity(graph.node.len());
        for proto in &graph.node {
            let node = node(proto)?;
            node.outputs.iter().filter(|name| !name.is_empty()).try_for_each(|name| names.define(name))?;
            match node.op.as_str() {
                "Constant" if node.domain.is_empty() => {
                    let name = node.output(0)?.to_owned();
                    let stated = proto.attribute.iter().find_map(|attribute| attribute.t.as_ref());
                    elements.extend(stated.map(|tensor| (name.clone(), tensor.data_type)));
                    constants.insert(name, constant(&node)?);
                }
                "Identity" if node.domain.is_empty() => {
                    names.aliases.insert(node.output(0)?.to_owned(), node.input(0)?.to_owned());
                }
                _ => nodes.push(node),
            }
        }
        for node in &mut nodes {
            for name in node.inputs.iter_mut().filter(|name| !name.is_empty()) {
                *name = names.source(name)?;
            }
        }
        let outputs = outputs(graph, &names)?;
        let ready = constants.keys().chain(inputs.iter().map(|input| &input.name));
        let nodes = sort(needed(nodes, &outputs), ready.cloned().collect())?;
        // CatBoost has a page of its build in the place of a version.
        let version = if model.producer_version.contains('\n') { "" } else { &model.producer_version };
        let producer = format!("{} {version}", model.producer_name).trim().to_owned();
        let properties = model.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        let opsets = model.opset_import.iter().map(|set| (domain(&set.domain), set.version)).collect();
        let mut makers = BTreeMap::new();
        let mut takers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            makers.extend(node.outputs.iter().map(|name| (name.clone(), index)));
            for name in node.inputs.iter().collect::<BTreeSet<_>>() {
                takers.entry(name.clone()).or_default().push(index);
            }
        }
        Ok(Self { producer, properties, opsets, inputs, outputs, nodes, constants, elements, makers, takers })
    }

    #[cfg(test)]
    pub(super) fn empty(opsets: BTreeMap<String, i64>) -> Self {
        Self {
            producer: String::new(),
            properties: BTreeMap::new(),
            opsets,
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            constants: BTreeMap::new(),
            elements: BTreeMap::new(),
            makers: BTreeMap::new(),
            takers: BTreeMap::new(),
        }
    }

    /// The constant of a name.
    pub fn constant(&self, name: &str) -> Option<&Tensor> {
        self.constants.get(name)
    }

    /// The element type of a constant, as `TensorProto.DataType` numbers it.
    pub fn element(&self, name: &str) -> Option<i32> {
        self.elements.get(name).copied()
    }

    /// The node that makes a name.
    pub fn source(&self, name: &str) -> Option<&Node> {
        self.makers.get(name).map(|index| &self.nodes[*index])
    }

    /// The nodes that take a name, in their order.
    pub fn users(&self, name: &str) -> impl Iterator<Item = &Node> {
        self.takers.get(name).into_iter().flatten().map(|index| &self.nodes[*index])
    }

    /// The version of the default operator set; 1 where the file does not say.
    pub fn opset(&self) -> i64 {
        self.opsets.get("").copied().unwrap_or(1)
    }
}

impl Node {
    /// The node as a message names it.
    pub fn label(&self) -> String {
        let name = if self.name.is_empty() { self.outputs.first().unwrap_or(&self.name) } else { &self.name };
        format!("{} `{}`", self.op.escape_debug(), name.escape_debug())
    }

    /// # Errors
    /// `onnx_invalid` where the input is not given.
    pub fn input(&self, index: usize) -> Result<&str> {
        match self.inputs.get(index) {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(invalid(format!("{} has no input {index}", self.label()))),
        }
    }

    /// # Errors
    /// `onnx_invalid` where there is none.
    pub fn output(&self, index: usize) -> Result<&str> {
        match self.outputs.get(index) {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(invalid(format!("{} has no output {index}", self.label()))),
        }
    }

    /// A float attribute or what stands for it.
    ///
    /// # Errors
    /// `onnx_invalid` where the attribute is of another type; so for those below.
    pub fn float(&self, name: &str, default: f32) -> Result<f32> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// An integer attribute or what stands for it.
    pub fn int(&self, name: &str, default: i64) -> Result<i64> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A text attribute or what stands for it.
    pub fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Text(value)) => Ok(value),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A list of floats; none where it is not given.
    pub fn floats(&self, name: &str) -> Result<&[f32]> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Floats(values)) => Ok(values),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A list of integers; none where it is not given.
    pub fn ints(&self, name: &str) -> Result<&[i64]> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Ints(values)) => Ok(values),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A list of texts; none where it is not given.
    pub fn texts(&self, name: &str) -> Result<&[String]> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Texts(values)) => Ok(values),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A tensor, where it is given.
    pub fn tensor(&self, name: &str) -> Result<Option<&Tensor>> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Tensor(value)) => Ok(Some(value)),
            Some(_) => Err(self.wrong(name)),
        }
    }

    fn wrong(&self, attribute: &str) -> fhectl_core::error::Error {
        invalid(format!("{}: attribute `{attribute}` is of another type", self.label()))
    }
}

/// Names that have a source, and those that are another name for it.
#[derive(Default)]
struct Names {
    known: BTreeSet<String>,
    aliases: BTreeMap<String, String>,
}

impl Names {
    fn define(&mut self, name: &str) -> Result<()> {
        if name.is_empty() || !self.known.insert(name.to_owned()) {
            return Err(invalid(format!("the name `{}` has two sources or none", name.escape_debug())));
        }
        Ok(())
    }

    /// The name behind identities.
    fn source(&self, name: &str) -> Result<String> {
        let mut at = name;
        for _ in 0..=self.aliases.len() {
            match self.aliases.get(at) {
                Some(next) => at = next,
                None if self.known.contains(at) => return Ok(at.to_owned()),
                None => return Err(invalid(format!("nothing makes `{}`", at.escape_debug()))),
            }
        }
        Err(invalid(format!("`{}` depends on itself", name.escape_debug())))
    }
}

fn domain(text: &str) -> String {
    if text == "ai.onnx" { String::new() } else { text.to_owned() }
}

fn input(proto: &ValueInfoProto) -> Result<Input> {
    let tensor = proto.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let dims = tensor.and_then(|tensor| tensor.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
    let size = |dim: Option<i64>| match dim {
        // Some exporters write 0 or -1 for a dimension that is not fixed.
        None | Some(0 | -1) => Ok(None),
        Some(size) => match u32::try_from(size) {
            Ok(size) => Ok(Some(size as usize)),
            Err(_) => Err(invalid(format!("input `{}` has a dimension of {size}", proto.name.escape_debug()))),
        },
    };
    Ok(Input {
        name: proto.name.clone(),
        element: tensor.map_or(0, |tensor| tensor.elem_type),
        shape: dims.iter().map(|dim| size(dim.dim_value)).collect::<Result<_>>()?,
    })
}

fn node(proto: &NodeProto) -> Result<Node> {
    let mut attributes = BTreeMap::new();
    for attribute in &proto.attribute {
        let value = value(attribute).map_err(|error| {
            error.context(format!("{} `{}`", proto.op_type.escape_debug(), attribute.name.escape_debug()))
        })?;
        if attributes.insert(attribute.name.clone(), value).is_some() {
            return Err(invalid(format!("attribute `{}` is given twice", attribute.name.escape_debug())));
        }
    }
    Ok(Node {
        op: proto.op_type.clone(),
        domain: domain(&proto.domain),
        name: proto.name.clone(),
        inputs: proto.input.clone(),
        outputs: proto.output.clone(),
        attributes,
    })
}

fn value(proto: &AttributeProto) -> Result<Attribute> {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_| invalid("a text is not UTF-8"));
    // Files from before IR version 2 leave the type out.
    let kind = match proto.r#type {
        0 if proto.t.is_some() => 4,
        0 if !proto.floats.is_empty() => 6,
        0 if !proto.ints.is_empty() => 7,
        0 if !proto.strings.is_empty() => 8,
        0 if !proto.s.is_empty() => 3,
        0 if proto.f != 0.0 => 1,
        0 => 2,
        kind => kind,
    };
    Ok(match kind {
        1 => Attribute::Float(proto.f),
        2 => Attribute::Int(proto.i),
        3 => Attribute::Text(text(&proto.s)?),
        4 => Attribute::Tensor(Tensor::read(proto.t.as_ref().ok_or_else(|| invalid("no tensor"))?)?),
        5 => {
            let body = proto.g.as_ref().ok_or_else(|| invalid("no graph"))?;
            Attribute::Body(body.node.iter().map(|node| node.op_type.clone()).collect())
        }
        6 => Attribute::Floats(proto.floats.clone()),
        7 => Attribute::Ints(proto.ints.clone()),
        8 => Attribute::Texts(proto.strings.iter().map(text).collect::<Result<_>>()?),
        other => Attribute::Other(other),
    })
}

fn constant(node: &Node) -> Result<Tensor> {
    let ints = |values: &[i64], shape| Tensor { shape, data: TensorData::Ints(values.to_vec()) };
    match node.attributes.iter().next() {
        Some((name, Attribute::Tensor(tensor))) if name == "value" => Ok(tensor.clone()),
        Some((name, Attribute::Float(value))) if name == "value_float" => Ok(Tensor::of_floats(&[*value], vec![])),
        Some((name, Attribute::Floats(values))) if name == "value_floats" => {
            Ok(Tensor::of_floats(values, vec![values.len()]))
        }
        Some((name, Attribute::Int(value))) if name == "value_int" => Ok(ints(&[*value], vec![])),
        Some((name, Attribute::Ints(values))) if name == "value_ints" => Ok(ints(values, vec![values.len()])),
        Some((name, _)) => Err(unsupported(format!("{} has a `{}`", node.label(), name.escape_debug()))),
        None => Err(invalid(format!("{} has no value", node.label()))),
    }
}

fn outputs(graph: &GraphProto, names: &Names) -> Result<Vec<String>> {
    if graph.output.is_empty() {
        return Err(invalid("the graph has no output"));
    }
    graph.output.iter().map(|output| names.source(&output.name)).collect()
}

/// The nodes that outputs depend on, in their order.
fn needed(nodes: Vec<Node>, outputs: &[String]) -> Vec<Node> {
    let mut maker: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        maker.extend(node.outputs.iter().map(|name| (name.as_str(), index)));
    }
    let mut wanted = vec![false; nodes.len()];
    let mut open: Vec<usize> = outputs.iter().filter_map(|name| maker.get(name.as_str()).copied()).collect();
    while let Some(index) = open.pop() {
        if !wanted[index] {
            wanted[index] = true;
            open.extend(nodes[index].inputs.iter().filter_map(|name| maker.get(name.as_str()).copied()));
        }
    }
    nodes.into_iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(node, _)| node).collect()
}

/// The nodes, each after those it depends on (Kahn's algorithm, the file's order where there is a choice).
fn sort(nodes: Vec<Node>, ready: BTreeSet<String>) -> Result<Vec<Node>> {
    let mut waiting: Vec<usize> = Vec::with_capacity(nodes.len());
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let missing: BTreeSet<&str> =
            node.inputs.iter().map(String::as_str).filter(|name| !name.is_empty() && !ready.contains(*name)).collect();
        waiting.push(missing.len());
        missing.into_iter().for_each(|name| users.entry(name).or_default().push(index));
    }
    let mut open: BTreeSet<usize> = (0..nodes.len()).filter(|index| waiting[*index] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(index) = open.pop_first() {
        order.push(index);
        for name in nodes[index].outputs.iter().filter(|name| !name.is_empty()) {
            for user in users.remove(name.as_str()).into_iter().flatten() {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    open.insert(user);
                }
            }
        }
    }
    if order.len() < nodes.len() {
        let stuck = waiting.iter().position(|count| *count > 0).map_or(String::new(), |index| nodes[index].label());
        return Err(invalid(format!("{stuck} depends on itself")));
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| nodes[index].take()).collect())
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
