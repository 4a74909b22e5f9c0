//! Operators of `ai.onnx.ml` on vectors: scalers, normalizers, linear models.

use super::row::Row;
use super::scope::Scope;
use super::value::{Formula, Squash, classifier};
use crate::import::model::{MAX_CLASSES, MAX_VALUES, large};
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::Result;
use fhectl_core::model::Norm;
use std::rc::Rc;

/// `(x - offset) * scale`.
pub(super) fn scaler(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let row = scope.row(node)?;
    let stretched = |name: &str, default: f64| match node.floats(name)? {
        [] => Ok(vec![default; row.columns.len()]),
        [one] => Ok(vec![f64::from(*one); row.columns.len()]),
        list if list.len() == row.columns.len() => Ok(list.iter().map(|x| f64::from(*x)).collect()),
        list => Err(invalid(format!("{}: {} values for {} columns", node.label(), list.len(), row.columns.len()))),
    };
    let row = row.minus(&stretched("offset", 0.0)?)?.times(&stretched("scale", 1.0)?)?;
    Ok(Formula::Row(Rc::new(row)))
}

pub(super) fn normalizer(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match (scope.value(node, 0)?, node.text("norm", "MAX")?) {
        (Formula::Row(row), "MAX") => Ok(Formula::Row(Rc::new(row.normalized(Norm::Max)?))),
        (Formula::Row(row), "L1") => Ok(Formula::Row(Rc::new(row.normalized(Norm::L1)?))),
        (Formula::Row(row), "L2") => Ok(Formula::Row(Rc::new(row.normalized(Norm::L2)?))),
        // Probabilities that are made to add to one.
        (Formula::Scores(sum, squash), _) if squash != Squash::Nothing => Ok(Formula::Scores(sum, squash.normalized())),
        (_, norm) => Err(unsupported(format!("{} with the norm `{}`", node.label(), norm.escape_debug()))),
    }
}

/// Fills in missing values: there are none in rows that are encrypted.
pub(super) fn imputer(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match node.float("replaced_value_float", 0.0)?.is_nan() {
        true => Ok(Formula::Row(scope.row(node)?)),
        false => Err(unsupported(format!("{} of values that are numbers", node.label()))),
    }
}

/// The names of a classifier's classes.
pub(super) fn class_labels(node: &Node, ints: &str) -> Result<Vec<String>> {
    let strings = node.texts("classlabels_strings")?;
    let names: Vec<String> =
        if strings.is_empty() { node.ints(ints)?.iter().map(ToString::to_string).collect() } else { strings.to_vec() };
    if !(2..=MAX_CLASSES).contains(&names.len()) {
        return Err(large(format!("{}: {} classes, want 2 to {MAX_CLASSES}", node.label(), names.len())));
    }
    Ok(names)
}

/// What an operator does to its scores at the end.
pub(super) fn post_transform(node: &Node) -> Result<Squash> {
    match node.text("post_transform", "NONE")? {
        "NONE" => Ok(Squash::Nothing),
        "LOGISTIC" => Ok(Squash::Sigmoid),
        "SOFTMAX" => Ok(Squash::Softmax),
        other => Err(unsupported(format!("{} with the post_transform {}", node.label(), other.escape_debug()))),
    }
}

/// Rows of `coefficients`, each as wide as the row, and `intercepts`.
fn coefficients(node: &Node, row: &Row) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let (list, width) = (node.floats("coefficients")?, row.columns.len());
    if list.is_empty() || list.len() % width != 0 {
        return Err(invalid(format!("{}: {} coefficients for {width} columns", node.label(), list.len())));
    }
    let rows: Vec<Vec<f64>> = list.chunks(width).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
    let biases: Vec<f64> = match node.floats("intercepts")? {
        [] => vec![0.0; rows.len()],
        list if list.len() == rows.len() => list.iter().map(|x| f64::from(*x)).collect(),
        list => return Err(invalid(format!("{}: {} intercepts for {} scores", node.label(), list.len(), rows.len()))),
    };
    Ok((rows, biases))
}

pub(super) fn linear_classifier(node: &Node, scope: &Scope<'_>) -> Result<Vec<Formula>> {
    let row = scope.row(node)?;
    let names = class_labels(node, "classlabels_ints")?;
    let (rows, biases) = coefficients(node, &row)?;
    let mut sum = row.weighted(&rows, biases)?;
    if sum.scores() == 1 && names.len() == 2 {
        // One row of coefficients is the margin of the second class.
        sum = sum.combined(&[vec![(0, -1.0)], vec![(0, 1.0)]])?;
    }
    let post = post_transform(node)?;
    let label = classifier(&sum, post.unit(sum.scores()), names)?;
    Ok(vec![Formula::Label(Rc::new(label)), Formula::Scores(Rc::new(sum), post)])
}

pub(super) fn linear_regressor(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let row = scope.row(node)?;
    let (rows, biases) = coefficients(node, &row)?;
    if rows.len() as i64 != node.int("targets", 1)? {
        return Err(invalid(format!("{}: {} rows of coefficients", node.label(), rows.len())));
    }
    one_target(node, rows.len())?;
    Ok(Formula::Scores(Rc::new(row.weighted(&rows, biases)?), post_transform(node)?))
}

/// Refuses several numbers at once.
pub(super) fn one_target(node: &Node, targets: usize) -> Result<()> {
    if targets == 1 {
        return Ok(());
    }
    Err(unsupported(format!("{} predicts {targets} numbers", node.label())).hint("train a model for each of them"))
}

/// The weights that support vectors with a linear kernel add up to: one for each of `coefficients`.
fn support(node: &Node, coefficients: &[f32], row: &Row) -> Result<Vec<f64>> {
    if node.text("kernel_type", "LINEAR")? != "LINEAR" {
        let kernel = node.text("kernel_type", "LINEAR")?;
        return Err(unsupported(format!("{} with the kernel {}", node.label(), kernel.escape_debug()))
            .hint("only linear kernels can be computed on encrypted data here; train an SVC(kernel=\"linear\")"));
    }
    let (vectors, width) = (node.floats("support_vectors")?, row.columns.len());
    if vectors.len() > MAX_VALUES || coefficients.len().checked_mul(width) != Some(vectors.len()) {
        return Err(invalid(format!("{}: {} support values for {width} columns", node.label(), vectors.len())));
    }
    let mut weights = vec![0.0; width];
    for (vector, coefficient) in vectors.chunks(width).zip(coefficients) {
        weights.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*coefficient));
    }
    Ok(weights)
}

pub(super) fn svm_classifier(node: &Node, scope: &Scope<'_>) -> Result<Vec<Formula>> {
    let row = scope.row(node)?;
    let names = class_labels(node, "classlabels_ints")?;
    if names.len() != 2 || node.ints("vectors_per_class")?.len() != 2 {
        return Err(unsupported(format!("{} of {} classes: its pairs of classes vote", node.label(), names.len()))
            .hint("train a LinearSVC, whose classes have a score each"));
    }
    if !node.floats("prob_a")?.is_empty() {
        return Err(unsupported(format!("{} with calibrated probabilities", node.label()))
            .hint("train the SVC with probability=False"));
    }
    let weights = support(node, node.floats("coefficients")?, &row)?;
    let [rho] = node.floats("rho")? else { return Err(invalid(format!("{} without one rho", node.label()))) };
    // A positive decision is a vote for the first class.
    let sum = row.weighted(&[weights], vec![f64::from(*rho)])?;
    let votes = sum.combined(&[vec![(0, 1.0)], vec![(0, -1.0)]])?;
    let label = classifier(&votes, ScoreUnit::Margin, names)?;
    Ok(vec![Formula::Label(Rc::new(label)), Formula::Scores(Rc::new(votes), Squash::Order)])
}

pub(super) fn svm_regressor(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let row = scope.row(node)?;
    let weights = support(node, node.floats("coefficients")?, &row)?;
    let [rho] = node.floats("rho")? else { return Err(invalid(format!("{} without one rho", node.label()))) };
    if node.int("one_class", 0)? != 0 {
        return Err(unsupported(format!("{} that finds outliers", node.label())));
    }
    Ok(Formula::Scores(Rc::new(row.weighted(&[weights], vec![f64::from(*rho)])?), post_transform(node)?))
}
