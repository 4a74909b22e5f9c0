//! Operators of the default domain on formulas.

use super::scope::Scope;
use super::sum::ScoreSum;
use super::value::{Formula, Squash, classifier};
use crate::import::edge::Precision;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, TensorData, invalid, unsupported};
use fhectl_core::error::{Error, Result};
use fhectl_core::model::Norm;
use std::rc::Rc;

fn refuse(node: &Node, of: &str) -> Error {
    unsupported(format!("{} of {of}", node.label()))
}

fn scores(sum: ScoreSum) -> Formula {
    Formula::Scores(Rc::new(sum), Squash::Nothing)
}

/// What changes no value at inference.
pub(super) fn unchanged(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    scope.value(node, 0)
}

/// Floats become floats of another size, labels integers of another size; all else would change values.
pub(super) fn cast(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match (scope.value(node, 0)?, node.int("to", 0)?) {
        (Formula::Row(row), 1) => {
            let mut row = (*row).clone();
            row.precision = Precision::Single;
            Ok(Formula::Row(Rc::new(row)))
        }
        (
            value @ (Formula::Row(_)
            | Formula::Scores(..)
            | Formula::Positive
            | Formula::Absolute(_)
            | Formula::Norm(..)),
            1 | 11,
        ) => Ok(value),
        (value @ (Formula::Index(..) | Formula::Label(_)), 1 | 6 | 7 | 8 | 11) => Ok(value),
        (_, to) => Err(unsupported(format!("{} to ONNX type {to}", node.label()))),
    }
}

/// A change of shape that leaves a batch of rows what it is.
pub(super) fn reshape(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let value = scope.value(node, 0)?;
    let width = match &value {
        Formula::Row(row) => row.columns.len(),
        Formula::Scores(sum, _) => sum.scores(),
        _ => 1,
    };
    let kept = match node.op.as_str() {
        "Flatten" => node.int("axis", 1)? == 1,
        "Reshape" => scope.indices(node, 1)?.last() == Some(&(width as i64)) && scope.indices(node, 1)?.len() == 2,
        _ => false,
    };
    if kept || width == 1 { Ok(value) } else { Err(refuse(node, &format!("{width} columns"))) }
}

/// `Add`, `Sub`, `Mul` and `Div`: with a constant, or of two sums.
pub(super) fn arithmetic(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let constant_first = scope.graph.constant(node.input(0)?).is_some();
    let value = scope.value(node, usize::from(constant_first))?;
    let width = match &value {
        Formula::Row(row) => row.columns.len(),
        Formula::Scores(sum, _) => sum.scores(),
        _ => return Err(refuse(node, "something else than columns and scores")),
    };
    let other = usize::from(!constant_first);
    let Some(numbers) = scope.constant(node, other, width)? else {
        return of_two(node, value, scope.value(node, 1)?);
    };
    let negative = || numbers.iter().map(|x| -x).collect::<Vec<f64>>();
    let inverse = || match numbers.contains(&0.0) {
        true => Err(invalid(format!("{} by zero", node.label()))),
        false => Ok(numbers.iter().map(|x| 1.0 / x).collect::<Vec<f64>>()),
    };
    let row = |row| Ok(Formula::Row(Rc::new(row)));
    match (value, node.op.as_str(), constant_first) {
        (Formula::Row(x), "Add", _) => row(x.minus(&negative())?),
        (Formula::Row(x), "Sub", false) => row(x.minus(&numbers)?),
        (Formula::Row(x), "Sub", true) => row(x.times(&vec![-1.0; width])?.minus(&negative())?),
        (Formula::Row(x), "Mul", _) => row(x.times(&numbers)?),
        (Formula::Row(x), "Div", false) => row(x.times(&inverse()?)?),
        (Formula::Scores(x, Squash::Nothing), "Add", _) => Ok(scores(shifted(&x, &numbers)?)),
        (Formula::Scores(x, Squash::Nothing), "Sub", false) => Ok(scores(shifted(&x, &negative())?)),
        (Formula::Scores(x, Squash::Nothing), "Sub", true) => {
            Ok(scores(shifted(&x.scaled(&vec![-1.0; width])?, &numbers)?))
        }
        (Formula::Scores(x, Squash::Nothing), "Mul", _) => Ok(scores(x.scaled(&numbers)?)),
        (Formula::Scores(x, Squash::Nothing), "Div", false) => Ok(scores(x.scaled(&inverse()?)?)),
        // 1 - sigmoid(x) = sigmoid(-x)
        (Formula::Scores(x, Squash::Sigmoid), "Sub", true) if numbers.iter().all(|number| *number == 1.0) => {
            Ok(Formula::Scores(Rc::new(x.scaled(&vec![-1.0; width])?), Squash::Sigmoid))
        }
        _ => Err(refuse(node, "these two")),
    }
}

fn shifted(sum: &ScoreSum, by: &[f64]) -> Result<ScoreSum> {
    let mut sum = sum.clone();
    sum.biases.iter_mut().zip(by).for_each(|(bias, by)| *bias += by);
    Ok(sum)
}

fn of_two(node: &Node, first: Formula, second: Formula) -> Result<Formula> {
    match (node.op.as_str(), first, second) {
        ("Add", Formula::Scores(a, Squash::Nothing), Formula::Scores(b, Squash::Nothing)) => Ok(scores(a.plus(&b)?)),
        ("Sub", Formula::Scores(a, Squash::Nothing), Formula::Scores(b, Squash::Nothing)) => {
            Ok(scores(a.plus(&b.scaled(&vec![-1.0; b.scores()])?)?))
        }
        ("Div", Formula::Row(row), Formula::Norm(of, norm)) if row == of => {
            Ok(Formula::Row(Rc::new(row.normalized(norm)?)))
        }
        ("Div", Formula::Scores(a, squash), Formula::Positive) => Ok(Formula::Scores(a, squash.normalized())),
        _ => Err(refuse(node, "these two")),
    }
}

pub(super) fn sum(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let mut values = (0..node.inputs.len()).map(|index| scope.value(node, index));
    let mut total = values.next().ok_or_else(|| invalid(format!("{} of nothing", node.label())))??;
    for value in values {
        total = match (total, value?) {
            (Formula::Scores(a, Squash::Nothing), Formula::Scores(b, Squash::Nothing)) => scores(a.plus(&b)?),
            _ => return Err(refuse(node, "something else than scores")),
        };
    }
    Ok(total)
}

pub(super) fn negated(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match scope.value(node, 0)? {
        Formula::Scores(sum, Squash::Nothing) => Ok(scores(sum.scaled(&vec![-1.0; sum.scores()])?)),
        Formula::Row(row) => Ok(Formula::Row(Rc::new(row.times(&vec![-1.0; row.columns.len()])?))),
        _ => Err(unsupported("what is negated is neither a column nor a score")),
    }
}

pub(super) fn matmul(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let tensor = scope.graph.constant(node.input(1)?).ok_or_else(|| refuse(node, "two computed matrices"))?;
    let (inner, outer) = match tensor.shape[..] {
        [inner] => (inner, 1),
        [inner, outer] => (inner, outer),
        _ => return Err(refuse(node, &format!("a tensor of shape {:?}", tensor.shape))),
    };
    let matrix = tensor.floats()?;
    let rows = (0..outer).map(|column| (0..inner).map(|row| matrix[row * outer + column]).collect()).collect();
    weighted(node, scope.value(node, 0)?, rows, vec![0.0; outer])
}

/// `alpha * x * B + beta * C`.
pub(super) fn gemm(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let tensor = scope.graph.constant(node.input(1)?).ok_or_else(|| refuse(node, "two computed matrices"))?;
    let (&[first, second], 0) = (&tensor.shape[..], node.int("transA", 0)?) else {
        return Err(refuse(node, "these shapes"));
    };
    let (alpha, beta) = (f64::from(node.float("alpha", 1.0)?), f64::from(node.float("beta", 1.0)?));
    let matrix = tensor.floats()?;
    let rows: Vec<Vec<f64>> = if node.int("transB", 0)? != 0 {
        matrix.chunks(second.max(1)).map(|row| row.iter().map(|x| x * alpha).collect()).collect()
    } else {
        (0..second).map(|column| (0..first).map(|row| matrix[row * second + column] * alpha).collect()).collect()
    };
    let mut biases = vec![0.0; rows.len()];
    if node.inputs.get(2).is_some_and(|name| !name.is_empty()) {
        let added = scope.constant(node, 2, rows.len())?.ok_or_else(|| refuse(node, "a computed bias"))?;
        biases = added.iter().map(|x| x * beta).collect();
    }
    weighted(node, scope.value(node, 0)?, rows, biases)
}

fn weighted(node: &Node, value: Formula, rows: Vec<Vec<f64>>, biases: Vec<f64>) -> Result<Formula> {
    match value {
        Formula::Row(row) => Ok(scores(row.weighted(&rows, biases)?)),
        Formula::Scores(sum, Squash::Nothing) => {
            if rows.iter().any(|row| row.len() != sum.scores()) {
                return Err(invalid(format!("{}: {} scores do not fit the matrix", node.label(), sum.scores())));
            }
            let rows: Vec<Vec<(usize, f64)>> =
                rows.iter().map(|row| row.iter().copied().enumerate().collect()).collect();
            Ok(scores(shifted(&sum.combined(&rows)?, &biases)?))
        }
        _ => Err(refuse(node, "something else than columns and scores")),
    }
}

pub(super) fn concat(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match node.int("axis", 1)? {
        1 | -1 => concat_all(node, scope),
        axis => Err(refuse(node, &format!("axis {axis}"))),
    }
}

/// All inputs, column after column.
pub(super) fn concat_all(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let values: Vec<Formula> = (0..node.inputs.len()).map(|index| scope.value(node, index)).collect::<Result<_>>()?;
    match values.first() {
        Some(Formula::Row(first)) => {
            let mut row = (**first).clone();
            let mut columns = Vec::new();
            for value in &values {
                let Formula::Row(part) = value else { return Err(refuse(node, "columns and something else")) };
                // Checks that the two go together; columns are gathered apart, so that many parts take linear time.
                row.columns.clear();
                row = row.concat(part)?;
                columns.extend_from_slice(&part.columns);
                if columns.len() > MAX_VALUES {
                    return Err(large("too many columns"));
                }
            }
            row.columns = columns;
            Ok(Formula::Row(Rc::new(row)))
        }
        Some(Formula::Scores(first, squash @ (Squash::Nothing | Squash::Sigmoid))) => {
            let mut sum = (**first).clone();
            if values.len() > 1 << 12 {
                return Err(large(format!("{} scores beside one another", values.len())));
            }
            for value in &values[1..] {
                match value {
                    Formula::Scores(part, other) if other == squash => sum = sum.concat(part)?,
                    _ => return Err(refuse(node, "scores of different kinds")),
                }
            }
            Ok(Formula::Scores(Rc::new(sum), *squash))
        }
        _ => Err(refuse(node, "something else than columns and scores")),
    }
}

fn select(node: &Node, value: Formula, indices: &[usize]) -> Result<Formula> {
    match value {
        Formula::Row(row) => Ok(Formula::Row(Rc::new(row.select(indices)?))),
        Formula::Scores(sum, squash) => Ok(Formula::Scores(Rc::new(sum.select(indices)?), squash)),
        _ => Err(refuse(node, "something else than columns and scores")),
    }
}

/// Indices from the front, those from the end turned round.
fn places(node: &Node, value: &Formula, indices: &[i64]) -> Result<Vec<usize>> {
    let width = match value {
        Formula::Row(row) => row.columns.len(),
        Formula::Scores(sum, _) => sum.scores(),
        _ => return Err(refuse(node, "something else than columns and scores")),
    };
    let place = |index: &i64| {
        let index = if *index < 0 { index.saturating_add(width as i64) } else { *index };
        usize::try_from(index).ok().filter(|index| *index < width)
    };
    let places: Option<Vec<usize>> = indices.iter().map(place).collect();
    places.ok_or_else(|| invalid(format!("{}: an index beyond {width} columns", node.label())))
}

/// `Slice` along the columns.
pub(super) fn slice(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let value = scope.value(node, 0)?;
    let given = |index: usize| node.inputs.get(index).is_some_and(|name| !name.is_empty());
    let one = |index: usize| match scope.indices(node, index)? {
        [one] => Ok(*one),
        _ => Err(refuse(node, "several axes")),
    };
    let ((start, end), axis) = if given(1) {
        ((one(1)?, one(2)?), if given(3) { one(3)? } else { 0 })
    } else {
        match (node.ints("starts")?, node.ints("ends")?, node.ints("axes")?) {
            ([start], [end], [axis]) => ((*start, *end), *axis),
            _ => return Err(refuse(node, "several axes")),
        }
    };
    if (axis != 1 && axis != -1) || (given(4) && one(4)? != 1) {
        return Err(refuse(node, &format!("axis {axis}")));
    }
    let width = match &value {
        Formula::Row(row) => row.columns.len(),
        Formula::Scores(sum, _) => sum.scores(),
        _ => return Err(refuse(node, "something else than columns and scores")),
    } as i64;
    let bound = |at: i64| (if at < 0 { at.saturating_add(width) } else { at }).clamp(0, width) as usize;
    select(node, value, &(bound(start)..bound(end)).collect::<Vec<_>>())
}

pub(super) fn gather(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    if scope.graph.constant(node.input(0)?).is_some() {
        return class_names(node, scope);
    }
    match node.int("axis", 0)? {
        1 | -1 => by_index(node, scope),
        axis => Err(refuse(node, &format!("axis {axis}"))),
    }
}

/// `ArrayFeatureExtractor`: columns, or the names of classes.
pub(super) fn extract(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    if scope.graph.constant(node.input(0)?).is_some() { class_names(node, scope) } else { by_index(node, scope) }
}

fn by_index(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let value = scope.value(node, 0)?;
    let indices = places(node, &value, scope.indices(node, 1)?)?;
    select(node, value, &indices)
}

fn class_names(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let Formula::Index(sum, squash) = scope.value(node, 1)? else { return Err(refuse(node, "no index of a class")) };
    let tensor = scope.graph.constant(node.input(0)?).ok_or_else(|| refuse(node, "no constant"))?;
    let names = match &tensor.data {
        TensorData::Texts(names) => names.clone(),
        TensorData::Ints(names) => names.iter().map(ToString::to_string).collect(),
        TensorData::Floats { .. } => tensor.floats()?.iter().map(ToString::to_string).collect(),
    };
    Ok(Formula::Label(Rc::new(classifier(&sum, squash.unit(sum.scores()), names)?)))
}

pub(super) fn argmax(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match (scope.value(node, 0)?, node.int("axis", 0)?, node.int("select_last_index", 0)?) {
        (Formula::Scores(sum, squash), 1 | -1, 0) if sum.scores() > 1 => Ok(Formula::Index(sum, squash)),
        _ => Err(refuse(node, "something else than a row's scores")),
    }
}

pub(super) fn sigmoid(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    match scope.value(node, 0)? {
        Formula::Scores(sum, Squash::Nothing) => Ok(Formula::Scores(sum, Squash::Sigmoid)),
        _ => Err(refuse(node, "something else than scores")),
    }
}

/// `Softmax` and `LogSoftmax` over all axes from the given one on.
pub(super) fn softmax_1(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    softmax(node, scope, 1)
}

/// `Softmax` and `LogSoftmax` along one axis, by default the last.
pub(super) fn softmax_13(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    softmax(node, scope, -1)
}

fn softmax(node: &Node, scope: &Scope<'_>, default_axis: i64) -> Result<Formula> {
    match (scope.value(node, 0)?, node.int("axis", default_axis)?) {
        (Formula::Scores(sum, Squash::Nothing), 1 | -1) if sum.scores() > 1 => {
            Ok(Formula::Scores(sum, Squash::Softmax))
        }
        _ => Err(refuse(node, "something else than a row's scores")),
    }
}

/// The parts of a norm that are written out, and sums of probabilities.
pub(super) fn norm(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    let value = scope.value(node, 0)?;
    if node.op != "Abs" {
        let axes = if node.inputs.len() > 1 { scope.indices(node, 1)? } else { node.ints("axes")? };
        if !matches!(axes, [1 | -1]) {
            return Err(refuse(node, &format!("axes {axes:?}")));
        }
    }
    match (node.op.as_str(), value) {
        ("Abs", Formula::Row(row)) => Ok(Formula::Absolute(row)),
        // Probabilities have no sign.
        ("Abs", Formula::Scores(sum, squash)) if squash != Squash::Nothing => Ok(Formula::Scores(sum, squash)),
        ("ReduceSum", Formula::Scores(_, squash)) if squash != Squash::Nothing => Ok(Formula::Positive),
        ("ReduceSum", Formula::Absolute(row)) | ("ReduceL1", Formula::Row(row)) => Ok(Formula::Norm(row, Norm::L1)),
        ("ReduceL2", Formula::Row(row)) => Ok(Formula::Norm(row, Norm::L2)),
        ("ReduceMax", Formula::Absolute(row)) => Ok(Formula::Norm(row, Norm::Max)),
        _ => Err(refuse(node, "something that is not part of a norm")),
    }
}
