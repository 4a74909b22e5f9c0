//! Shapes: they hold one row, so every dimension is known.

use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Texts, Value};
use super::broadcast::{MAX_ELEMENTS, broadcast};
use crate::import::model::large;
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;
use std::rc::Rc;

/// An axis from the front, of one from either end.
pub(super) fn axis(node: &Node, axis: i64, rank: usize) -> Result<usize> {
    let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    match usize::try_from(from_front) {
        Ok(at) if at < rank => Ok(at),
        _ => Err(invalid(format!("{}: axis {axis} of {rank}", node.label()))),
    }
}

/// # Errors
/// `import_large` for more elements than are read.
pub(super) fn count(node: &Node, shape: &[usize]) -> Result<usize> {
    match shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size)) {
        Some(count) if count <= MAX_ELEMENTS => Ok(count),
        _ => Err(large(format!("{}: a tensor of shape {shape:?}", node.label()))),
    }
}

pub(in super::super) fn reshape(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let value = scope.value(node, 0)?;
    let old = value.shape().to_vec();
    let all = count(node, &old)?;
    let shape: Vec<usize> = match node.op.as_str() {
        "Flatten" => {
            let rank = old.len().max(1) as i64;
            let at = match node.int("axis", 1)? {
                at if at == rank => rank as usize,
                at => axis(node, at, rank as usize)?,
            };
            let before: usize = old.iter().take(at).product();
            vec![before, all / before.max(1)]
        }
        "Squeeze" => {
            let axes = scope.integers_or(node, 1, "axes")?;
            let axes: Vec<usize> = axes.iter().map(|at| axis(node, *at, old.len())).collect::<Result<_>>()?;
            let gone = |at: usize| if axes.is_empty() { old[at] == 1 } else { axes.contains(&at) };
            (0..old.len()).filter(|at| !gone(*at)).map(|at| old[at]).collect()
        }
        "Unsqueeze" => {
            let axes = scope.integers_or(node, 1, "axes")?;
            let rank = old.len() + axes.len();
            let axes: Vec<usize> = axes.iter().map(|at| axis(node, *at, rank)).collect::<Result<_>>()?;
            let mut rest = old.iter().copied();
            (0..rank).map(|at| if axes.contains(&at) { 1 } else { rest.next().unwrap_or(1) }).collect()
        }
        _ => wanted(node, &scope.integers_or(node, 1, "shape")?, &old, all)?,
    };
    if count(node, &shape)? != all {
        return Err(invalid(format!("{}: {old:?} does not fit {shape:?}", node.label())));
    }
    Ok(value.take(shape, &(0..all).collect::<Vec<_>>()))
}

/// A shape in which -1 stands for what is left and 0 for what was there.
fn wanted(node: &Node, shape: &[i64], old: &[usize], all: usize) -> Result<Vec<usize>> {
    let mut made = Vec::with_capacity(shape.len());
    let mut open = None;
    for (at, size) in shape.iter().enumerate() {
        made.push(match *size {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if at < old.len() => old[at],
            size => usize::try_from(size)
                .ok()
                .filter(|size| *size <= MAX_ELEMENTS)
                .ok_or_else(|| invalid(format!("{}: a dimension of {size}", node.label())))?,
        });
    }
    if let Some(at) = open {
        made[at] = all / count(node, &made)?.max(1);
    }
    Ok(made)
}

pub(in super::super) fn transpose(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let value = scope.value(node, 0)?;
    let old = value.shape().to_vec();
    let order: Vec<usize> = match node.ints("perm")? {
        [] => (0..old.len()).rev().collect(),
        given => given.iter().map(|at| axis(node, *at, old.len())).collect::<Result<_>>()?,
    };
    let mut seen = order.clone();
    seen.sort_unstable();
    if seen != (0..old.len()).collect::<Vec<_>>() {
        return Err(invalid(format!("{}: axes {order:?}", node.label())));
    }
    let shape: Vec<usize> = order.iter().map(|at| old[*at]).collect();
    let strides = strides(&old);
    let place = |mut at: usize| {
        let mut from = 0;
        for axis in (0..shape.len()).rev() {
            from += at % shape[axis] * strides[order[axis]];
            at /= shape[axis];
        }
        from
    };
    Ok(value.take(shape.clone(), &(0..count(node, &shape)?).map(place).collect::<Vec<_>>()))
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at] * shape[at];
    }
    strides
}

pub(in super::super) fn concat(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let values: Vec<Value> = (0..node.inputs.len()).map(|at| scope.value(node, at)).collect::<Result<_>>()?;
    let first = values.first().ok_or_else(|| invalid(format!("{} of nothing", node.label())))?;
    let at = axis(node, node.int("axis", 1)?, first.shape().len())?;
    joined(node, &values, at)
}

/// All inputs, column after column.
pub(in super::super) fn feature_vectorizer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let values: Vec<Value> = (0..node.inputs.len()).map(|at| scope.value(node, at)).collect::<Result<_>>()?;
    joined(node, &values, 1)
}

fn joined(node: &Node, values: &[Value], at: usize) -> Result<Value> {
    let mut shape = values.first().map(|value| value.shape().to_vec()).unwrap_or_default();
    let fits = |value: &Value| {
        let other = value.shape();
        other.len() == shape.len() && (0..shape.len()).all(|axis| axis == at || other[axis] == shape[axis])
    };
    if at >= shape.len() || !values.iter().all(fits) {
        return Err(invalid(format!("{} of shapes that do not go together", node.label())));
    }
    shape[at] = values.iter().map(|value| value.shape()[at]).sum();
    count(node, &shape)?;
    let before: usize = shape[..at].iter().product();
    let after: usize = shape[at + 1..].iter().product();
    let block = |value: &Value, outer: usize| {
        let size = value.shape()[at] * after;
        outer * size..(outer + 1) * size
    };
    let short = || invalid(format!("{} of values that are fewer than their shape says", node.label()));
    let blocks = || (0..before).flat_map(|outer| values.iter().map(move |value| (value, outer)));
    match &values[0] {
        Value::Numbers(head) => {
            let mut numbers = Vec::new();
            let mut made = Tensor::new(shape.clone(), Vec::new(), head.kind, Origin::Data);
            for (value, outer) in blocks() {
                let Value::Numbers(part) = value else { return Err(mixed(node)) };
                numbers.extend_from_slice(part.values.get(block(value, outer)).ok_or_else(short)?);
                made.origin = made.origin.max(part.origin);
                if part.kind == Kind::Single {
                    made.kind = Kind::Single;
                }
            }
            Ok(Tensor { values: numbers, ..made }.value())
        }
        Value::Texts(_) => {
            let mut texts = Vec::new();
            for (value, outer) in blocks() {
                let Value::Texts(part) = value else { return Err(mixed(node)) };
                texts.extend_from_slice(part.values.get(block(value, outer)).ok_or_else(short)?);
            }
            Ok(Value::Texts(Rc::new(Texts { shape: shape.clone(), values: texts, label: None })))
        }
    }
}

fn mixed(node: &Node) -> fhectl_core::error::Error {
    unsupported(format!("{} of texts and numbers", node.label()))
}

pub(in super::super) fn shape_of(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let shape: Vec<Lin> = scope.value(node, 0)?.shape().iter().map(|size| Lin::constant(*size as f64)).collect();
    Ok(Tensor::new(vec![shape.len()], shape, Kind::Whole, Origin::Data).value())
}

pub(in super::super) fn constant_of_shape(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let sizes = scope.integers(node, 0)?;
    let shape = wanted(node, &sizes, &[], 0)?;
    let all = count(node, &shape)?;
    scope.arena.spend(all)?;
    let (number, kind) = match node.tensor("value")? {
        None => (0.0, Kind::Single),
        Some(tensor) => {
            let whole = matches!(tensor.data, crate::import::onnx::TensorData::Ints(_));
            (tensor.floats()?.first().copied().unwrap_or(0.0), if whole { Kind::Whole } else { Kind::Single })
        }
    };
    Ok(Tensor::new(shape, vec![Lin::constant(number); all], kind, Origin::Data).value())
}

/// `Expand`, to a shape that is known.
pub(in super::super) fn expand(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let value = scope.value(node, 0)?;
    let sizes = scope.integers(node, 1)?;
    let asked = wanted(node, &sizes, &[], 0)?;
    let (shape, places) = broadcast(node, value.shape(), &asked)?;
    Ok(value.take(shape, &places.iter().map(|pair| pair.0).collect::<Vec<_>>()))
}
