//! The values of all names that a node may take.

use super::arena::Arena;
use super::lin::Lin;
use super::simplify::Products;
use super::value::{Kind, Origin, Tensor, Text, Texts, Value};
use crate::import::onnx::{Graph, Node, TensorData, invalid, unsupported};
use fhectl_core::error::{Error, Result};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The value of each name, or why there is none, and what the node that is being read stands before.
pub(super) struct Scope<'a> {
    pub graph: &'a Graph,
    pub values: BTreeMap<&'a str, Result<Value>>,
    pub arena: Arena,
    pub ahead: Ahead,
    /// Whether scores say how near a row is to rows that the model was trained on.
    pub neighbors: bool,
}

/// What takes what a node makes, soon or late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    /// An operator that is a model.
    pub model: bool,
    /// A product with a matrix.
    pub matrix: bool,
}

impl Scope<'_> {
    /// Whether an input of a node is given.
    pub fn given(&self, node: &Node, index: usize) -> bool {
        node.inputs.get(index).is_some_and(|name| !name.is_empty())
    }

    /// The value of an input of a node.
    pub fn value(&mut self, node: &Node, index: usize) -> Result<Value> {
        let name = node.input(index)?;
        if let Some(value) = self.values.get(name) {
            return value.clone();
        }
        let tensor =
            self.graph.constant(name).ok_or_else(|| invalid(format!("{} has no input {index}", node.label())))?;
        self.arena.spend(tensor.len())?;
        let shape = tensor.shape.clone();
        let numbers = |values: Vec<f64>, kind| {
            Tensor::new(shape.clone(), values.into_iter().map(Lin::constant).collect(), kind, Origin::Data).value()
        };
        Ok(match &tensor.data {
            TensorData::Floats { values, double } => {
                numbers(values.clone(), if *double { Kind::Double } else { Kind::Single })
            }
            TensorData::Ints(values) => numbers(values.iter().map(|value| *value as f64).collect(), Kind::Whole),
            TensorData::Texts(texts) => {
                let values = texts.iter().map(|text| Text::Known(text.as_str().into())).collect();
                Value::Texts(Rc::new(Texts { shape, values, label: None }))
            }
        })
    }

    /// The numbers of an input of a node.
    pub fn numbers(&mut self, node: &Node, index: usize) -> Result<Rc<Tensor>> {
        match self.value(node, index)? {
            Value::Numbers(numbers) => Ok(numbers),
            Value::Texts(_) => Err(unsupported(format!("{} of texts", node.label()))
                .hint("encode texts as numbers first, e.g. with a OneHotEncoder or a TfidfVectorizer")),
        }
    }

    /// A row of numbers.
    pub fn row(&mut self, node: &Node) -> Result<Rc<Tensor>> {
        let row = self.numbers(node, 0)?;
        match row.shape[..] {
            [1, _] | [_] => Ok(row),
            _ => Err(unsupported(format!("{} of a tensor of shape {:?}", node.label(), row.shape))),
        }
    }

    /// Integers that are known.
    pub fn integers(&mut self, node: &Node, index: usize) -> Result<Vec<i64>> {
        let numbers = self.numbers(node, index)?.numbers();
        let numbers = numbers.ok_or_else(|| unsupported(format!("{} with indices that are computed", node.label())))?;
        let whole = |x: &f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(*x as i64);
        let whole: Option<Vec<i64>> = numbers.iter().map(whole).collect();
        whole.ok_or_else(|| invalid(format!("{}: an index is no whole number", node.label())))
    }

    /// Integers of an input, or of an attribute in older versions; none where neither is given.
    pub fn integers_or(&mut self, node: &Node, index: usize, attribute: &str) -> Result<Vec<i64>> {
        if self.given(node, index) { self.integers(node, index) } else { Ok(node.ints(attribute)?.to_vec()) }
    }

    /// One known number of an input, or of an attribute in older versions.
    pub fn number_or(&mut self, node: &Node, index: usize, attribute: &str, default: f64) -> Result<f64> {
        if !self.given(node, index) {
            return Ok(match node.attributes.contains_key(attribute) {
                true => f64::from(node.float(attribute, 0.0)?),
                false => default,
            });
        }
        match self.numbers(node, index)?.numbers().as_deref() {
            Some([number]) => Ok(*number),
            _ => Err(unsupported(format!("{} with bounds that are computed", node.label()))),
        }
    }

    /// Whether a function of sums of the row is one of scores: what links a model's sum to what it predicts (`link`) is,
    /// what prepares a row for a model is not.
    ///
    /// # Errors
    /// `onnx_unsupported` where a hidden layer and a projection cannot be told apart.
    pub fn as_score(&self, node: &Node, origin: Origin, link: bool) -> Result<bool> {
        let Ahead { model, matrix } = self.ahead;
        match origin {
            Origin::Data => Ok(false),
            Origin::Summed => Ok(link || !(model || matrix)),
            Origin::Mapped if link => Ok(true),
            Origin::Mapped if model => Ok(false),
            Origin::Mapped if matrix => Err(hidden(node)),
            Origin::Mapped | Origin::Model => Ok(true),
        }
    }

    /// What becomes of a product of sums of the row.
    ///
    /// # Errors
    /// As [`Scope::as_score`].
    pub fn products(&self, node: &Node, origin: Origin) -> Result<Products> {
        let Ahead { model, matrix } = self.ahead;
        if !model && !matrix && origin != Origin::Model {
            return Ok(Products::Expanded);
        }
        Ok(if self.as_score(node, origin, false)? { Products::Score } else { Products::Row })
    }
}

impl Scope<'_> {
    /// Says that a model takes other columns than the operators before it make.
    pub fn other_columns(&self, message: String) -> Error {
        if !self.graph.nodes.iter().any(|node| node.op == "Imputer") {
            return invalid(message);
        }
        unsupported(format!("{message}: columns that the model was trained on are not in the file")).hint(
            "skl2onnx leaves out the marks of SimpleImputer(add_indicator=True): put MissingIndicator(features=\"all\") beside \
             the imputer in a FeatureUnion, train and export again",
        )
    }
}

/// Says that there is a layer between matrices.
pub(super) fn hidden(node: &Node) -> Error {
    unsupported(format!("{} of a function of sums: a hidden layer, or a kernel such as KernelPCA's", node.label())).hint(
        "take a PCA, or a kernel that is linear, before linear models and trees; export a network without operators of \
         scikit-learn's models",
    )
}
