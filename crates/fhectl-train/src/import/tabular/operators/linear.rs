//! Sums of a row: matrices, scalers, linear models.

use super::super::lin::Lin;
use super::super::scope::{Scope, hidden};
use super::super::value::{Kind, Origin, Tensor, Value};
use super::labels;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::Function;

/// `sum of weights[i] * x[i]` and a bias for each row of weights.
///
/// # Errors
/// `onnx_invalid` for rows of another length, `import_large`.
pub(super) fn weighted(
    node: &Node,
    scope: &mut Scope<'_>,
    x: &[Lin],
    rows: &[Vec<f64>],
    biases: &[f64],
) -> Result<Vec<Lin>> {
    if rows.iter().any(|row| row.len() != x.len()) || rows.len() != biases.len() {
        return Err(invalid(format!("{}: {} rows of weights for {} columns", node.label(), rows.len(), x.len())));
    }
    let size: usize = x.iter().map(Lin::size).sum();
    if size.saturating_mul(rows.len()) > MAX_VALUES {
        return Err(large(format!("{}: {} sums of {size} numbers", node.label(), rows.len())));
    }
    scope.arena.spend(size * rows.len())?;
    let sum = |row: &Vec<f64>| Lin::sum(row.iter().copied().zip(x));
    Ok(rows.iter().zip(biases).map(|(row, bias)| sum(row).shifted(*bias)).collect())
}

/// The columns of a matrix that is known.
fn columns(node: &Node, scope: &Scope<'_>, index: usize) -> Result<Vec<Vec<f64>>> {
    let tensor = scope.graph.constant(node.input(index)?);
    let computed = || unsupported(format!("{} of two computed matrices", node.label()));
    let Some(tensor) = tensor else {
        // What is computed of constants is known as well.
        let Some(Ok(Value::Numbers(made))) = scope.values.get(node.input(index)?) else { return Err(computed()) };
        let numbers = made.numbers().ok_or_else(computed)?;
        return split(node, &made.shape, &numbers);
    };
    split(node, &tensor.shape, &tensor.floats()?)
}

fn split(node: &Node, shape: &[usize], matrix: &[f64]) -> Result<Vec<Vec<f64>>> {
    let (inner, outer) = match shape[..] {
        [inner] => (inner, 1),
        [inner, outer] => (inner, outer),
        _ => return Err(unsupported(format!("{} of a tensor of shape {shape:?}", node.label()))),
    };
    Ok((0..outer).map(|column| (0..inner).map(|row| matrix[row * outer + column]).collect()).collect())
}

fn mapped(node: &Node, scope: &mut Scope<'_>, rows: &[Vec<f64>], biases: &[f64], vector: bool) -> Result<Value> {
    let x = scope.row(node)?;
    if x.values.iter().any(|x| scope.arena.has_score(x)) {
        return Err(hidden(node));
    }
    let values = weighted(node, scope, &x.values, rows, biases)?;
    let shape = if vector { vec![1] } else { vec![1, values.len()] };
    Ok(Tensor::new(shape, values, x.kind, x.origin.max(Origin::Mapped)).value())
}

pub(in super::super) fn matmul(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let rows = columns(node, scope, 1)?;
    let vector = scope.graph.constant(node.input(1)?).is_some_and(|tensor| tensor.shape.len() == 1);
    mapped(node, scope, &rows, &vec![0.0; rows.len()], vector)
}

/// `alpha * x * B + beta * C`.
pub(in super::super) fn gemm(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let tensor = scope.graph.constant(node.input(1)?);
    let tensor = tensor.ok_or_else(|| unsupported(format!("{} of two computed matrices", node.label())))?;
    let (&[first, second], 0) = (&tensor.shape[..], node.int("transA", 0)?) else {
        return Err(unsupported(format!("{} of these shapes", node.label())));
    };
    let (alpha, beta) = (f64::from(node.float("alpha", 1.0)?), f64::from(node.float("beta", 1.0)?));
    let matrix = tensor.floats()?;
    let rows: Vec<Vec<f64>> = if node.int("transB", 0)? != 0 {
        matrix.chunks(second.max(1)).map(|row| row.iter().map(|x| x * alpha).collect()).collect()
    } else {
        (0..second).map(|column| (0..first).map(|row| matrix[row * second + column] * alpha).collect()).collect()
    };
    let mut biases = vec![0.0; rows.len()];
    if scope.given(node, 2) {
        let added = scope.numbers(node, 2)?.numbers();
        let added = added.ok_or_else(|| unsupported(format!("{} with a computed bias", node.label())))?;
        biases = match added[..] {
            [one] => vec![one * beta; rows.len()],
            _ if added.len() == rows.len() => added.iter().map(|x| x * beta).collect(),
            _ => return Err(invalid(format!("{}: {} biases for {} sums", node.label(), added.len(), rows.len()))),
        };
    }
    mapped(node, scope, &rows, &biases, false)
}

/// `(x - offset) * scale`.
pub(in super::super) fn scaler(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let x = scope.row(node)?;
    let width = x.values.len();
    let stretched = |name: &str, default: f64| match node.floats(name)? {
        [] => Ok(vec![default; width]),
        [one] => Ok(vec![f64::from(*one); width]),
        list if list.len() == width => Ok(list.iter().map(|x| f64::from(*x)).collect()),
        list => Err(invalid(format!("{}: {} values for {width} columns", node.label(), list.len()))),
    };
    let (offsets, scales) = (stretched("offset", 0.0)?, stretched("scale", 1.0)?);
    if offsets.iter().chain(&scales).any(|number| !number.is_finite()) {
        return Err(invalid(format!("{}: a scaler's value is not a finite number", node.label())));
    }
    let values =
        x.values.iter().zip(offsets.iter().zip(&scales)).map(|(x, (offset, scale))| x.shifted(-offset).scaled(*scale));
    Ok(Tensor::row(values.collect(), Kind::Single, x.origin).value())
}

/// Rows of `coefficients`, each as wide as the row, and `intercepts`: a row a score, or one for two.
fn coefficients(node: &Node, scope: &Scope<'_>, width: usize, scores: usize) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let list = node.floats("coefficients")?;
    if list.is_empty() || width == 0 || list.len() % width != 0 {
        let message = format!("{}: {} coefficients for {width} columns", node.label(), list.len());
        return Err(scope.other_columns(message));
    }
    let count = list.len() / width;
    if count != scores && (count, scores) != (1, 2) {
        let message = format!("{}: {} coefficients for {scores} scores of {width} columns", node.label(), list.len());
        return Err(scope.other_columns(message));
    }
    let rows: Vec<Vec<f64>> = list.chunks(width).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
    let biases: Vec<f64> = match node.floats("intercepts")? {
        [] => vec![0.0; rows.len()],
        list if list.len() == rows.len() => list.iter().map(|x| f64::from(*x)).collect(),
        list => return Err(invalid(format!("{}: {} intercepts for {} scores", node.label(), list.len(), rows.len()))),
    };
    if rows.iter().flatten().chain(&biases).any(|number| !number.is_finite()) {
        return Err(invalid(format!("{}: a weight is not a finite number", node.label())));
    }
    Ok((rows, biases))
}

/// What an operator does to its scores at the end.
pub(super) fn post_transform(node: &Node, scope: &mut Scope<'_>, scores: Vec<Lin>) -> Result<Vec<Lin>> {
    match node.text("post_transform", "NONE")? {
        "NONE" => Ok(scores),
        "LOGISTIC" => scores.iter().map(|score| scope.arena.sigmoid(score, true)).collect(),
        "SOFTMAX" if scores.len() == 1 => Ok(vec![Lin::constant(1.0)]),
        "SOFTMAX" => scope.arena.softmax(scores, true),
        "PROBIT" => scores.iter().map(|score| scope.arena.function(Function::NormalCdf, score, true)).collect(),
        other => Err(unsupported(format!("{} with the post_transform {}", node.label(), other.escape_debug()))),
    }
}

pub(in super::super) fn classifier(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let x = scope.row(node)?;
    let names = labels::names(node, "classlabels_ints")?;
    let (rows, biases) = coefficients(node, scope, x.values.len(), names.texts.len())?;
    let mut scores = weighted(node, scope, &x.values, &rows, &biases)?;
    if scores.len() == 1 && names.texts.len() == 2 {
        // One row of coefficients is the margin of the second class.
        scores.insert(0, scores[0].negated());
    }
    if scores.len() != names.texts.len() {
        return Err(invalid(format!("{}: {} classes for {} scores", node.label(), names.texts.len(), scores.len())));
    }
    let seen = post_transform(node, scope, scores.clone())?;
    let label = labels::value(scope, names, scores)?;
    Ok(vec![label, Tensor::row(seen, Kind::Single, Origin::Model).value()])
}

pub(in super::super) fn regressor(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let x = scope.row(node)?;
    let targets = usize::try_from(node.int("targets", 1)?).unwrap_or(0);
    let (rows, biases) = coefficients(node, scope, x.values.len(), targets)?;
    if rows.len() != targets {
        return Err(invalid(format!("{}: {} rows of coefficients", node.label(), rows.len())));
    }
    one_target(node, rows.len())?;
    let scores = weighted(node, scope, &x.values, &rows, &biases)?;
    let seen = post_transform(node, scope, scores)?;
    Ok(Tensor::row(seen, Kind::Single, Origin::Model).value())
}

/// Refuses several numbers at once.
pub(super) fn one_target(node: &Node, targets: usize) -> Result<()> {
    if targets == 1 {
        return Ok(());
    }
    Err(unsupported(format!("{} predicts {targets} numbers", node.label())).hint("train a model for each of them"))
}
