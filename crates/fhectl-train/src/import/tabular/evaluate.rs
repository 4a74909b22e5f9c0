//! Computes a graph with formulas instead of numbers: what every name is, as a function of the row.
//!
//! skl2onnx writes a model as one operator or as dozens, by its version and the type of its input. Formulas do not care: a
//! scaler is one whether it is `Scaler`, or `Sub` and `Div`.

use super::registry::run;
use super::row::{Column, Row};
use super::scope::Scope;
use super::value::{Classifier, Formula, Squash, classifier};
use crate::import::edge::Precision;
use crate::import::model::{FloatModel, Imported, MAX_FEATURES, invalid, large};
use crate::import::onnx::{Graph, Input, Node, unsupported};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::{Error, Result};
use fhectl_core::model::ClearStep;
use std::cell::RefCell;
use std::rc::Rc;

/// The most numbers in all formulas of a graph.
const MAX_WORK: usize = 1 << 26;

/// Reads a graph as a linear model or trees.
///
/// # Errors
/// `onnx_unsupported` naming the operator that is neither; `onnx_invalid` and `import_invalid` for attributes that
/// contradict one another; `import_large`.
pub fn read(graph: &Graph) -> Result<Imported> {
    let (rows, feature_names) = rows(&graph.inputs)?;
    let features = rows.iter().map(|row| row.columns.len()).sum();
    let inputs = graph.inputs.iter().map(|input| input.name.as_str());
    let values = inputs.zip(rows.into_iter().map(|row| Ok(Formula::Row(Rc::new(row))))).collect();
    let mut scope = Scope { graph, values, derived: RefCell::default() };
    let mut work = 0usize;
    for node in &graph.nodes {
        let outcome = run(node, &scope).map_err(|error| name_node(error, node));
        let size = outcome.iter().flatten().map(Formula::size).fold(0, usize::saturating_add);
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
    let preprocessing = sum.preprocessing.clone();
    let (preprocessing, model) = match sum.model()? {
        FloatModel::Forest(forest) => {
            let width = ClearStep::check_all(&preprocessing, features).map_err(|error| invalid(error.message))?;
            let (steps, forest) = scope.derived.take().finish(forest, width)?;
            ([preprocessing, steps].concat(), FloatModel::Forest(forest))
        }
        model => (preprocessing, model),
    };
    let imported = Imported {
        source: format!("ONNX from {}", producer.escape_debug()),
        features,
        feature_names,
        classes,
        unit,
        input: None,
        preprocessing,
        head: None,
        model,
    };
    imported.checked()
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
        rows.push(Row { features, preprocessing: Vec::new(), columns, precision });
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
    let values: Vec<Result<Formula>> = scope.graph.outputs.iter().map(value).collect();
    for value in values.iter().flatten() {
        if let Formula::Label(classifier) = value {
            return Ok((**classifier).clone());
        }
    }
    let numbered = |classes: usize| (0..classes).map(|class| class.to_string()).collect::<Vec<_>>();
    for value in values.iter().flatten() {
        let (sum, squash) = match value {
            Formula::Scores(sum, Squash::Nothing) if sum.scores() == 1 => {
                return Ok(Classifier { sum: (**sum).clone(), classes: Vec::new(), unit: ScoreUnit::Logit });
            }
            Formula::Scores(sum, Squash::Sigmoid) if sum.scores() == 1 => {
                return Ok(Classifier { sum: (**sum).clone(), classes: numbered(2), unit: ScoreUnit::Logit });
            }
            Formula::Index(sum, squash) | Formula::Scores(sum, squash) if sum.scores() > 1 => (sum, *squash),
            _ => continue,
        };
        return classifier(sum, squash.unit(sum.scores()), numbered(sum.scores()));
    }
    match values.into_iter().find_map(Result::err) {
        Some(error) => Err(error),
        None => Err(unsupported("no output is a class, a number or scores")),
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
