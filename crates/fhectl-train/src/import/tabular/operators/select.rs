//! Parts of tensors: slices, and elements by their indices.

use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Tensor, Text, Texts, Value};
use super::labels;
use super::shape::{axis, count};
use crate::import::model::large;
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;
use std::rc::Rc;

/// The most entries of a table that indices are looked up in.
const MAX_TABLE: usize = 1 << 20;

pub(in super::super) fn slice(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let value = scope.value(node, 0)?;
    let old = value.shape().to_vec();
    let starts = scope.integers_or(node, 1, "starts")?;
    let ends = scope.integers_or(node, 2, "ends")?;
    let mut axes = scope.integers_or(node, 3, "axes")?;
    if axes.is_empty() {
        axes = (0..starts.len() as i64).collect();
    }
    let steps = if scope.given(node, 4) { scope.integers(node, 4)? } else { vec![1; starts.len()] };
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(invalid(format!("{}: lists of different lengths", node.label())));
    }
    let mut ranges: Vec<(usize, usize)> = old.iter().map(|size| (0, *size)).collect();
    for (at, given) in axes.iter().enumerate() {
        if steps[at] != 1 {
            return Err(unsupported(format!("{} by steps of {}", node.label(), steps[at])));
        }
        let axis = axis(node, *given, old.len())?;
        let size = old[axis] as i64;
        let bound = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(0, size) as usize;
        ranges[axis] = (bound(starts[at]), bound(ends[at]).max(bound(starts[at])));
    }
    let shape: Vec<usize> = ranges.iter().map(|(from, to)| to - from).collect();
    let place = |mut at: usize| {
        let (mut from, mut stride) = (0, 1);
        for axis in (0..shape.len()).rev() {
            from += (at % shape[axis] + ranges[axis].0) * stride;
            at /= shape[axis];
            stride *= old[axis];
        }
        from
    };
    let all = count(node, &shape)?;
    Ok(value.take(shape.clone(), &(0..all).map(place).collect::<Vec<_>>()))
}

pub(in super::super) fn gather(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (value, indices) = (scope.value(node, 0)?, scope.numbers(node, 1)?);
    let at = axis(node, node.int("axis", 0)?, value.shape().len())?;
    taken(node, scope, (&value, at), &indices, &indices.shape)
}

/// `ArrayFeatureExtractor`: along the last axis.
pub(in super::super) fn extract(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (value, indices) = (scope.value(node, 0)?, scope.numbers(node, 1)?);
    let Some(at) = value.shape().len().checked_sub(1) else {
        return Err(invalid(format!("{} of a scalar", node.label())));
    };
    let flat = [indices.values.len()];
    let made = taken(node, scope, (&value, at), &indices, &flat)?;
    // Of a list it makes a row.
    Ok(if at == 0 { reshaped(&made, vec![1, flat[0]]) } else { made })
}

fn reshaped(value: &Value, shape: Vec<usize>) -> Value {
    let all = shape.iter().product();
    value.take(shape, &(0..all).collect::<Vec<_>>())
}

fn taken(
    node: &Node,
    scope: &mut Scope<'_>,
    (value, at): (&Value, usize),
    indices: &Tensor,
    inner: &[usize],
) -> Result<Value> {
    let old = value.shape();
    let size = old[at];
    let shape: Vec<usize> = old[..at].iter().chain(inner).chain(&old[at + 1..]).copied().collect();
    let all = count(node, &shape)?;
    scope.arena.spend(all)?;
    let Some(known) = indices.numbers() else { return picked(node, scope, value, indices, shape) };
    let place = |index: &f64| {
        let index = if *index < 0.0 { index + size as f64 } else { *index };
        (index >= 0.0 && index < size as f64).then_some(index as usize)
    };
    let places: Option<Vec<usize>> = known.iter().map(place).collect();
    let places = places.ok_or_else(|| invalid(format!("{}: an index beyond {size}", node.label())))?;
    let after: usize = old[at + 1..].iter().product();
    let before: usize = old[..at].iter().product();
    let mut from = Vec::with_capacity(all);
    for outer in 0..before {
        for place in &places {
            from.extend((0..after).map(|last| (outer * size + place) * after + last));
        }
    }
    Ok(value.take(shape, &from))
}

/// Entries of a list that is known, at indices that are computed: names of classes, or a table's numbers.
fn picked(node: &Node, scope: &mut Scope<'_>, value: &Value, indices: &Tensor, shape: Vec<usize>) -> Result<Value> {
    if value.shape().iter().filter(|size| **size != 1).count() > 1 {
        return Err(unsupported(format!("{} with indices that are computed", node.label())));
    }
    match value {
        Value::Texts(texts) => {
            let known = |text: &Text| match text {
                Text::Known(text) => Ok(text.to_string()),
                _ => Err(unsupported(format!("{} of computed texts", node.label()))),
            };
            let names: Vec<String> = texts.values.iter().map(known).collect::<Result<_>>()?;
            let label = indices.label.as_ref().map(|label| labels::renamed(label, &names)).transpose()?;
            let values = vec![Text::Computed; indices.values.len()];
            Ok(Value::Texts(Rc::new(Texts { shape, values, label })))
        }
        Value::Numbers(numbers) => {
            let table = numbers.numbers().filter(|table| table.len() <= MAX_TABLE);
            let table = table.ok_or_else(|| match numbers.values.len() > MAX_TABLE {
                true => large(format!("{}: a table of {} numbers", node.label(), numbers.values.len())),
                false => unsupported(format!("{} with indices that are computed", node.label())),
            })?;
            let names: Vec<String> = table.iter().map(ToString::to_string).collect();
            let label = indices.label.as_ref().map(|label| labels::renamed(label, &names)).transpose()?;
            let as_score = scope.as_score(node, indices.origin, false)?;
            let table: Rc<[f64]> = table.into();
            let values =
                indices.values.iter().map(|index| scope.pick(&table, index, as_score)).collect::<Result<_>>()?;
            let kind = if numbers.kind == Kind::Truth { Kind::Whole } else { numbers.kind };
            Ok(Tensor { label, ..Tensor::new(shape, values, kind, indices.origin) }.value())
        }
    }
}

impl Scope<'_> {
    /// The number of a table at a computed index.
    pub fn pick(&mut self, table: &Rc<[f64]>, index: &Lin, as_score: bool) -> Result<Lin> {
        if table.iter().enumerate().all(|(at, value)| *value == at as f64) {
            return Ok(index.clone());
        }
        self.arena.one(super::super::atom::Op::Pick(Rc::clone(table)), vec![index.clone()], as_score)
    }
}
