//! Computes a graph with formulas instead of numbers: what every name is, as a function of the row.
//!
//! skl2onnx writes a model as one operator or as dozens, by its version and the type of its input. Formulas do not care: a
//! scaler is one whether it is `Scaler`, or `Sub` and `Div`.

use super::row::{Column, Row};
use super::sum::Sum;
use super::{Graph, Input, Node, invalid, operators, trees, unsupported, vectors};
use crate::import::edge::Precision;
use crate::import::model::{Imported, MAX_FEATURES, large};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::{Error, Result};
use fhectl_core::model::Norm;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most numbers in all formulas of a graph.
const MAX_WORK: usize = 1 << 26;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Columns of the row.
    Row(Rc<Row>),
    /// Sums, seen through a function that keeps their order.
    Scores(Rc<Sum>, Squash),
    /// The index of the largest of these sums.
    Index(Rc<Sum>, Squash),
    /// The name of a class.
    Label(Rc<Classifier>),
    /// The row without its signs.
    Absolute(Rc<Row>),
    /// The row's norm.
    Norm(Rc<Row>, Norm),
    /// A positive number a row; who divides by it keeps the order.
    Positive,
}

/// A classifier's scores are those of [`fhectl_core::model::Output::margins`].
#[derive(Debug, Clone)]
pub(super) struct Classifier {
    pub sum: Sum,
    pub classes: Vec<String>,
    pub unit: ScoreUnit,
}

/// What was done to sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Squash {
    Nothing,
    /// The logistic function of each.
    Sigmoid,
    Softmax,
    /// Something else that keeps the order of a row's scores.
    Order,
}

impl Squash {
    /// The same, divided by the row's sum.
    pub fn normalized(self) -> Self {
        if self == Self::Softmax { self } else { Self::Order }
    }

    /// What sums are whose largest is the class.
    pub fn unit(self, scores: usize) -> ScoreUnit {
        match self {
            Self::Softmax => ScoreUnit::Logit,
            Self::Sigmoid if scores <= 2 => ScoreUnit::Logit,
            _ => ScoreUnit::Margin,
        }
    }
}

/// The value of each name, or why there is none.
pub(super) struct Scope<'a> {
    pub graph: &'a Graph,
    values: BTreeMap<&'a str, Result<Value>>,
}

/// Reads a graph as a linear model or trees.
///
/// # Errors
/// `onnx_unsupported` naming the operator that is neither; `onnx_invalid` and `import_invalid` for attributes that
/// contradict one another; `import_large`.
pub(super) fn read(graph: &Graph) -> Result<Imported> {
    let (rows, feature_names) = rows(&graph.inputs)?;
    let features = rows.iter().map(|row| row.columns.len()).sum();
    let inputs = graph.inputs.iter().map(|input| input.name.as_str());
    let values = inputs.zip(rows.into_iter().map(|row| Ok(Value::Row(Rc::new(row))))).collect();
    let mut scope = Scope { graph, values };
    let mut work = 0usize;
    for node in &graph.nodes {
        let outcome = apply(node, &scope).map_err(|error| name_node(error, node));
        let size = outcome.iter().flatten().map(Value::size).fold(0, usize::saturating_add);
        work = work.saturating_add(size);
        if work > MAX_WORK {
            return Err(large("a graph of too many sums of sums"));
        }
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
    let Classifier { sum, classes, unit } = outputs(&scope)?;
    let producer = if graph.producer.is_empty() { "an unnamed tool" } else { &graph.producer };
    let preparation = sum.preparation.clone();
    let imported = Imported {
        source: format!("ONNX from {}", producer.escape_debug()),
        features,
        feature_names,
        classes,
        unit,
        preparation,
        model: sum.model()?,
    };
    imported.checked()
}

impl Value {
    fn size(&self) -> usize {
        match self {
            Self::Scores(sum, _) | Self::Index(sum, _) => sum.size(),
            Self::Label(classifier) => classifier.sum.size(),
            Self::Row(row) | Self::Absolute(row) | Self::Norm(row, _) => row.columns.len(),
            Self::Positive => 1,
        }
    }
}

impl Scope<'_> {
    /// The value of an input of a node.
    pub fn value(&self, node: &Node, index: usize) -> Result<Value> {
        let name = node.input(index)?;
        match self.values.get(name) {
            Some(value) => value.clone(),
            None => Err(unsupported(format!("{} of constants", node.label()))),
        }
    }

    /// The row that a node takes first.
    pub fn row(&self, node: &Node) -> Result<Rc<Row>> {
        match self.value(node, 0)? {
            Value::Row(row) => Ok(row),
            _ => Err(unsupported(format!("{} of something else than the row's features", node.label()))),
        }
    }

    /// A constant input as floats, stretched to `width`; `None` where the input is no constant.
    pub fn constant(&self, node: &Node, index: usize, width: usize) -> Result<Option<Vec<f64>>> {
        let Some(tensor) = self.graph.constant(node.input(index)?) else { return Ok(None) };
        let values = tensor.floats()?;
        match values[..] {
            [one] => Ok(Some(vec![one; width])),
            _ if values.len() == width && tensor.shape.last() == Some(&width) => Ok(Some(values)),
            _ => Err(unsupported(format!(
                "{}: a constant of shape {:?} beside {width} columns",
                node.label(),
                tensor.shape
            ))),
        }
    }

    /// A constant input as integers.
    pub fn indices(&self, node: &Node, index: usize) -> Result<&[i64]> {
        let tensor = self.graph.constant(node.input(index)?);
        tensor.ok_or_else(|| unsupported(format!("{} with indices that are computed", node.label())))?.ints()
    }
}

/// The parts of the row that the inputs are, and the features' names where every input is one of them.
fn rows(inputs: &[Input]) -> Result<(Vec<Row>, Vec<String>)> {
    let width = |input: &Input| match (&input.shape[..], input.element) {
        (_, element) if ![0, 1, 6, 7, 11].contains(&element) => {
            Err(unsupported(format!("input `{}` is not numeric", input.name.escape_debug()))
                .hint("encode texts as numbers before the model"))
        }
        ([_], _) => Ok(1),
        ([_, Some(width)], _) if *width <= MAX_FEATURES => Ok(*width),
        _ => Err(unsupported(format!("input `{}` is no batch of rows of a fixed length", input.name.escape_debug()))
            .hint("export with a fixed number of features, e.g. FloatTensorType([None, 30])")),
    };
    let widths: Vec<usize> = inputs.iter().map(width).collect::<Result<_>>()?;
    let features = widths.iter().sum();
    if features == 0 || features > MAX_FEATURES {
        return Err(large(format!("{features} features, want 1 to {MAX_FEATURES}")));
    }
    let mut rows = Vec::with_capacity(inputs.len());
    let mut first = 0;
    for (input, width) in inputs.iter().zip(&widths) {
        let columns = (first..first + width).map(|feature| Column { feature, offset: 0.0, scale: 1.0 }).collect();
        let precision = if [0, 1].contains(&input.element) { Precision::Single } else { Precision::Double };
        rows.push(Row { features, preparation: Vec::new(), columns, precision });
        first += width;
    }
    let named = inputs.len() > 1 && widths.iter().all(|width| *width == 1);
    let names = if named { inputs.iter().map(|input| input.name.clone()).collect() } else { Vec::new() };
    Ok((rows, names))
}

/// The model's scores and classes: of the output that is a class, else of one that is a number (which has no classes) or
/// probabilities.
fn outputs(scope: &Scope<'_>) -> Result<Classifier> {
    let value = |name: &String| match scope.values.get(name.as_str()) {
        Some(value) => value.clone(),
        None => Err(unsupported("an output that is a constant")),
    };
    let values: Vec<Result<Value>> = scope.graph.outputs.iter().map(value).collect();
    for value in values.iter().flatten() {
        if let Value::Label(classifier) = value {
            return Ok((**classifier).clone());
        }
    }
    let numbered = |classes: usize| (0..classes).map(|class| class.to_string()).collect::<Vec<_>>();
    for value in values.iter().flatten() {
        let (sum, squash) = match value {
            Value::Scores(sum, Squash::Nothing) if sum.scores() == 1 => {
                return Ok(Classifier { sum: (**sum).clone(), classes: Vec::new(), unit: ScoreUnit::Logit });
            }
            Value::Scores(sum, Squash::Sigmoid) if sum.scores() == 1 => {
                return Ok(Classifier { sum: (**sum).clone(), classes: numbered(2), unit: ScoreUnit::Logit });
            }
            Value::Index(sum, squash) | Value::Scores(sum, squash) if sum.scores() > 1 => (sum, *squash),
            _ => continue,
        };
        return classifier(sum, squash.unit(sum.scores()), numbered(sum.scores()));
    }
    match values.into_iter().find_map(Result::err) {
        Some(error) => Err(error),
        None => Err(unsupported("no output is a class, a number or scores")),
    }
}

/// Scores as classifiers have them: of two classes their difference, or the second where the first is its negative.
fn margins(sum: &Sum) -> Result<Sum> {
    let negative = |first: &[f64], second: &[f64]| first.iter().zip(second).all(|(a, b)| *a == -b);
    let mirrored = sum.trees.is_empty() && sum.weights.len() == 2 && negative(&sum.weights[0], &sum.weights[1]);
    match sum.biases[..] {
        [first, second] if mirrored && first == -second => sum.select(&[1]),
        [_, _] => sum.combined(&[vec![(1, 1.0), (0, -1.0)]]),
        _ => Ok(sum.clone()),
    }
}

/// Class names that stand beside scores, one each.
pub(super) fn classifier(sum: &Sum, unit: ScoreUnit, classes: Vec<String>) -> Result<Classifier> {
    if classes.len() != sum.scores() {
        return Err(invalid(format!("{} classes for {} scores", classes.len(), sum.scores())));
    }
    Ok(Classifier { sum: margins(sum)?, classes, unit })
}

fn apply(node: &Node, scope: &Scope<'_>) -> Result<Vec<Value>> {
    let one = |value: Result<Value>| value.map(|value| vec![value]);
    match (node.domain.as_str(), node.op.as_str()) {
        ("", "Cast") => one(operators::cast(node, scope)),
        ("", "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze") => one(operators::reshape(node, scope)),
        ("", "Dropout") => one(scope.value(node, 0)),
        ("", "Add" | "Sub" | "Mul" | "Div") => one(operators::arithmetic(node, scope)),
        ("", "Sum") => one(operators::sum(node, scope)),
        ("", "Neg") => one(operators::negated(scope.value(node, 0)?)),
        ("", "MatMul") => one(operators::matmul(node, scope)),
        ("", "Gemm") => one(operators::gemm(node, scope)),
        ("", "Concat") => one(operators::concat(node, scope)),
        ("", "Slice") => one(operators::slice(node, scope)),
        ("", "Gather") => one(operators::gather(node, scope)),
        ("", "ArgMax") => one(operators::argmax(node, scope)),
        ("", "Sigmoid") => one(operators::sigmoid(node, scope)),
        ("", "Softmax" | "LogSoftmax") => one(operators::softmax(node, scope)),
        ("", "Abs" | "ReduceSum" | "ReduceL1" | "ReduceL2" | "ReduceMax") => one(operators::norm(node, scope)),
        ("ai.onnx.ml", "Scaler") => one(vectors::scaler(node, scope)),
        ("ai.onnx.ml", "Normalizer") => one(vectors::normalizer(node, scope)),
        ("ai.onnx.ml", "Imputer") => one(vectors::imputer(node, scope)),
        ("ai.onnx.ml", "ZipMap") => one(scope.value(node, 0)),
        ("ai.onnx.ml", "FeatureVectorizer") => one(operators::concat_all(node, scope)),
        ("ai.onnx.ml", "ArrayFeatureExtractor") => one(operators::extract(node, scope)),
        ("ai.onnx.ml", "LinearClassifier") => vectors::linear_classifier(node, scope),
        ("ai.onnx.ml", "LinearRegressor") => one(vectors::linear_regressor(node, scope)),
        ("ai.onnx.ml", "SVMClassifier") => vectors::svm_classifier(node, scope),
        ("ai.onnx.ml", "SVMRegressor") => one(vectors::svm_regressor(node, scope)),
        ("ai.onnx.ml", "TreeEnsembleClassifier") => trees::classifier(node, scope),
        ("ai.onnx.ml", "TreeEnsembleRegressor") => one(trees::regressor(node, scope)),
        (domain, op) => {
            let domain = if domain.is_empty() { "ai.onnx" } else { domain };
            Err(unsupported(format!("the operator `{}` of `{}`", op.escape_debug(), domain.escape_debug())).hint(
                "read are linear models, support vector machines with a linear kernel, trees, forests and boosted trees, \
                 with scalers and normalisers before them",
            ))
        }
    }
}

/// Says which node it was, once.
fn name_node(error: Error, node: &Node) -> Error {
    let label = node.label();
    if error.message.contains(&label) || error.message.starts_with("the operator") {
        error
    } else {
        error.context(label)
    }
}
