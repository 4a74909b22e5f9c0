//! Parts of tensors: slices, and elements by their indices.

use super::super::atom::{Atom, Op};
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Text, Texts, Value};
use super::labels;
use super::shape::{axis, count};
use crate::import::model::large;
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnRule, Function};
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

/// `Split` along an axis.
pub(in super::super) fn split(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let value = scope.value(node, 0)?;
    let old = value.shape().to_vec();
    let at = axis(node, node.int("axis", 0)?, old.len())?;
    let mut sizes = scope.integers_or(node, 1, "split")?;
    if sizes.is_empty() {
        let parts = node.outputs.len().max(1);
        let size = old[at].div_ceil(parts);
        sizes = (0..parts).map(|part| size.min(old[at].saturating_sub(part * size)) as i64).collect();
    }
    let after: usize = old[at + 1..].iter().product();
    let before: usize = old[..at].iter().product();
    let mut first = 0;
    let mut made = Vec::with_capacity(sizes.len());
    for size in sizes {
        let size = usize::try_from(size).ok().filter(|size| first + size <= old[at]);
        let size = size.ok_or_else(|| invalid(format!("{}: parts of {} columns", node.label(), old[at])))?;
        let mut shape = old.clone();
        shape[at] = size;
        let mut from = Vec::with_capacity(count(node, &shape)?);
        for outer in 0..before {
            from.extend((first * after..(first + size) * after).map(|inner| outer * old[at] * after + inner));
        }
        made.push(value.take(shape, &from));
        first += size;
    }
    Ok(made)
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
    let Some(known) = indices.numbers() else {
        let plain = old.iter().filter(|size| **size != 1).count() <= 1;
        return if plain {
            picked(node, scope, value, indices, shape)
        } else {
            tables(node, scope, (value, at), indices, shape)
        };
    };
    let place = |index: &f64| {
        let index = if *index < 0.0 { index + size as f64 } else { *index };
        (index >= 0.0 && index < size as f64 && index.fract() == 0.0).then_some(index as usize)
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
            let table = scope.arena.shared(table);
            let mut values = Vec::with_capacity(indices.values.len());
            for index in &indices.values {
                values.push(match scope.stairs(&table, index) {
                    Some((rule, of)) => scope.arena.rule(rule, &of, true)?,
                    None => scope.pick(&table, index, as_score)?,
                });
            }
            let kind = if numbers.kind == Kind::Truth { Kind::Whole } else { numbers.kind };
            Ok(Tensor { label, ..Tensor::new(shape, values, kind, indices.origin) }.value())
        }
    }
}

/// For each row of a table the number in the column of a category of the row: a weight of each category, as naive Bayes
/// has them, so that the table stays unknown.
fn tables(
    node: &Node,
    scope: &mut Scope<'_>,
    (value, at): (&Value, usize),
    indices: &Tensor,
    shape: Vec<usize>,
) -> Result<Value> {
    let Value::Numbers(numbers) = value else {
        return Err(unsupported(format!("{} of texts with indices that are computed", node.label())));
    };
    let table = numbers.numbers().filter(|_| at + 1 == value.shape().len() && !scope.ahead.model);
    let table = table.ok_or_else(|| unsupported(format!("{} with indices that are computed", node.label())))?;
    let width = value.shape()[at].max(1);
    scope.arena.spend(table.len().saturating_mul(indices.values.len()))?;
    let mut categories = Vec::with_capacity(indices.values.len());
    for index in &indices.values {
        let is = |scope: &mut Scope<'_>, category: usize| {
            let rule = ColumnRule::OneOf { values: vec![category as f64], missing: false };
            scope.arena.rule(rule, index, false)
        };
        categories.push((0..width).map(|category| is(scope, category)).collect::<Result<Vec<Lin>>>()?);
    }
    let mut values = Vec::with_capacity(table.len() / width * categories.len());
    for row in table.chunks(width) {
        values.extend(categories.iter().map(|is| Lin::sum(row.iter().copied().zip(is))));
    }
    Ok(Tensor::new(shape, values, numbers.kind, Origin::Mapped).value())
}

impl Scope<'_> {
    /// The line that isotonic calibration is, of which an exporter keeps the points: the value of the nearest one stands
    /// in its place there.
    fn stairs(&self, table: &Rc<[f64]>, index: &Lin) -> Option<(ColumnRule, Lin)> {
        let Atom::Made { op: Op::WhichLargest, of } = self.arena.atom(index.pure()?) else { return None };
        if of.len() != table.len() {
            return None;
        }
        let distance = |negative: &Lin| {
            let (atom, ..) = negative.single().filter(|term| (term.1, term.2) == (-1.0, 0.0))?;
            self.arena.argument(atom, Function::Abs).cloned()
        };
        let own = of.iter().find_map(distance).map(|distance| distance.shifted(-distance.bias))?;
        let place = |negative: &Lin| match distance(negative) {
            Some(distance) => own.minus(&distance).number(),
            // The sum is cut off at both ends, where a distance needs no magnitude.
            None => negative.plus(&own).number().or_else(|| own.minus(negative).number()),
        };
        let xs: Vec<f64> = of.iter().map(place).collect::<Option<_>>()?;
        let mut points: Vec<(f64, f64)> = xs.into_iter().zip(table.iter().copied()).collect();
        points.dedup_by(|next, kept| next.0 == kept.0);
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let (xs, ys) = points.into_iter().unzip();
        Some((ColumnRule::Interpolate { xs, ys }, own)).filter(|_| rising)
    }

    /// The number of a table at a computed index.
    pub fn pick(&mut self, table: &Rc<[f64]>, index: &Lin, as_score: bool) -> Result<Lin> {
        if table.iter().enumerate().all(|(at, value)| *value == at as f64) {
            return Ok(index.clone());
        }
        self.arena.one(Op::Pick(Rc::clone(table)), vec![index.clone()], as_score)
    }
}
