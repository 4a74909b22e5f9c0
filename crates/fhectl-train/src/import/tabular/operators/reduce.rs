//! Sums, means, products, norms and largest numbers along axes.

use super::super::arena::{Arena, Side};
use super::super::atom::Op;
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::simplify::Products;
use super::super::value::{Kind, Origin, Tensor, Value};
use super::labels;
use super::neighbors;
use super::shape::{axis, count};
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::Function;
use std::rc::Rc;

/// For each element of what is left, the elements that are brought together.
fn groups(node: &Node, shape: &[usize], axes: &[usize]) -> Result<Vec<Vec<usize>>> {
    let all = count(node, shape)?;
    let kept: Vec<usize> = (0..shape.len()).filter(|at| !axes.contains(at)).collect();
    let left: usize = kept.iter().map(|at| shape[*at]).product();
    let mut groups = vec![Vec::new(); left];
    for at in 0..all {
        let (mut rest, mut group, mut stride) = (at, 0, 1);
        for axis in (0..shape.len()).rev() {
            let index = rest % shape[axis];
            rest /= shape[axis];
            if !axes.contains(&axis) {
                group += index * stride;
                stride *= shape[axis];
            }
        }
        groups[group].push(at);
    }
    Ok(groups)
}

fn left(shape: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let size = |at: usize| if axes.contains(&at) { keep.then_some(1) } else { Some(shape[at]) };
    (0..shape.len()).filter_map(size).collect()
}

pub(in super::super) fn reduce(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let given = scope.integers_or(node, 1, "axes")?;
    let mut axes: Vec<usize> = given.iter().map(|at| axis(node, *at, of.shape.len())).collect::<Result<_>>()?;
    if axes.is_empty() {
        if node.int("noop_with_empty_axes", 0)? != 0 {
            return Ok(Value::Numbers(of));
        }
        axes = (0..of.shape.len()).collect();
    }
    let shape = left(&of.shape, &axes, node.int("keepdims", 1)? != 0);
    let groups = groups(node, &of.shape, &axes)?;
    let several = groups.iter().any(|group| group.len() > 1);
    let mut origin = of.origin;
    if several && origin == Origin::Data && scope.arena.side(&of.values) == Some(Side::Row) {
        origin = Origin::Summed;
    }
    let mut values = Vec::with_capacity(groups.len());
    for group in &groups {
        let parts: Vec<Lin> = group.iter().map(|at| of.values[*at].clone()).collect();
        scope.arena.spend(parts.iter().map(Lin::size).sum())?;
        values.push(one(node, scope, parts, (of.origin, origin))?);
    }
    Ok(Tensor::new(shape, values, of.kind, origin).value())
}

fn one(node: &Node, scope: &mut Scope<'_>, of: Vec<Lin>, (before, after): (Origin, Origin)) -> Result<Lin> {
    let total = |of: &[Lin]| Lin::sum(of.iter().map(|x| (1.0, x)));
    let count = of.len().max(1) as f64;
    match node.op.as_str() {
        "ReduceSum" => {
            let sum = shares(&scope.arena, total(&of));
            neighbors::gathered(&mut scope.arena, sum)
        }
        "ReduceMean" => {
            let sum = shares(&scope.arena, total(&of)).scaled(1.0 / count);
            neighbors::gathered(&mut scope.arena, sum)
        }
        "ReduceProd" => {
            let how = scope.products(node, before)?;
            let how = if how == Products::Expanded { Products::Row } else { how };
            let mut made = Lin::constant(1.0);
            for x in &of {
                made = scope.arena.product(&made, x, how)?;
            }
            Ok(made)
        }
        "ReduceMax" => {
            let as_score = scope.as_score(node, before, false)?;
            scope.arena.largest(of, as_score)
        }
        "ReduceMin" => {
            let as_score = scope.as_score(node, before, false)?;
            let of = of.iter().map(Lin::negated).collect();
            Ok(scope.arena.largest(of, as_score)?.negated())
        }
        "ReduceLogSumExp" => {
            let as_score = scope.as_score(node, before, true)?;
            scope.arena.log_sum_exp(of, as_score)
        }
        "ReduceL1" => {
            let as_score = scope.as_score(node, before, false)?;
            let of: Vec<Lin> = of.iter().map(|x| scope.arena.abs(x, as_score)).collect::<Result<_>>()?;
            Ok(total(&of))
        }
        "ReduceSumSquare" | "ReduceL2" => {
            let root = node.op == "ReduceL2";
            let how = scope.products(node, if root { after } else { before })?;
            let how = if root && how == Products::Expanded { Products::Row } else { how };
            let squares: Vec<Lin> = of.iter().map(|x| scope.arena.product(x, x, how)).collect::<Result<_>>()?;
            match root {
                true => scope.arena.function(Function::Sqrt, &total(&squares), how == Products::Score),
                false => Ok(total(&squares)),
            }
        }
        other => Err(unsupported(format!("{} by {other}", node.label()))),
    }
}

/// Of all shares of one whole, whose factors are equal, the whole.
fn shares(arena: &Arena, sum: Lin) -> Lin {
    use super::super::atom::Atom;
    let Some((atom, factor)) = sum.terms().first().copied() else { return sum };
    let Atom::Part { op: Op::Softmax, of, index: 0 } = arena.atom(atom) else { return sum };
    let whole = (0..of.len()).all(|at| sum.terms().get(at) == Some(&(atom + at as u32, factor)));
    if !whole {
        return sum;
    }
    Lin::of(sum.terms()[of.len()..].to_vec(), sum.bias + factor)
}

/// Sums of several trees with ties in favor of the first: what 32 bits do not tell apart is equal to the tool.
fn settled(arena: &Arena, scores: Vec<Lin>) -> Vec<Lin> {
    /// Some steps of 32 bits, as a share of the largest score.
    const TIE: f64 = 1e-6;
    let is_leaf = |(atom, _): &(u32, f64)| matches!(arena.side_of(*atom), Side::Leaf(_));
    if arena.side(&scores) != Some(Side::Score) || !scores.iter().flat_map(Lin::terms).all(is_leaf) {
        return scores;
    }
    let ends = scores.iter().map(|score| arena.bounds(score));
    let largest = ends.fold(0.0f64, |largest, (low, high)| largest.max(low.abs()).max(high.abs()));
    let after = |(at, score): (usize, Lin)| score.shifted(-TIE * largest * at as f64);
    scores.into_iter().enumerate().map(after).collect()
}

/// `ArgMax` and `ArgMin`; the index says which class it is.
pub(in super::super) fn which(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let at = axis(node, node.int("axis", 0)?, of.shape.len())?;
    if node.int("select_last_index", 0)? != 0 {
        return Err(unsupported(format!("{} that takes the last of equal numbers", node.label())));
    }
    let least = node.op == "ArgMin";
    let as_score = scope.as_score(node, of.origin, true)?;
    let shape = left(&of.shape, &[at], node.int("keepdims", 1)? != 0);
    let mut label = None;
    let mut values = Vec::new();
    for group in groups(node, &of.shape, &[at])? {
        let scores: Vec<Lin> =
            group.iter().map(|at| if least { of.values[*at].negated() } else { of.values[*at].clone() }).collect();
        if scores.is_empty() {
            return Err(invalid(format!("{} of nothing", node.label())));
        }
        let compared = settled(&scope.arena, scores.clone());
        values.push(scope.arena.one(Op::WhichLargest, compared, as_score)?);
        let names = (0..scores.len()).map(|class| class.to_string()).collect();
        label = Some(Rc::new(labels::label(names, scores)));
    }
    let label = if values.len() == 1 { label } else { None };
    Ok(Tensor { label, ..Tensor::new(shape, values, Kind::Whole, of.origin) }.value())
}

/// `Softmax` and `LogSoftmax` over all axes from the given one on.
pub(in super::super) fn softmax_1(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    softmax(node, scope, 1)
}

/// `Softmax` and `LogSoftmax` along one axis, by default the last.
pub(in super::super) fn softmax_13(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    softmax(node, scope, -1)
}

fn softmax(node: &Node, scope: &mut Scope<'_>, default: i64) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let at = axis(node, node.int("axis", default)?, of.shape.len())?;
    if of.shape[at] != of.values.len() || of.values.len() < 2 {
        return Err(unsupported(format!("{} of a tensor of shape {:?}", node.label(), of.shape)));
    }
    let as_score = scope.as_score(node, of.origin, true)?;
    let values = if node.op == "LogSoftmax" {
        let log = scope.arena.log_sum_exp(of.values.clone(), as_score)?;
        of.values.iter().map(|x| x.minus(&log)).collect()
    } else {
        scope.arena.softmax(of.values.clone(), as_score)?
    };
    Ok(Tensor::new(of.shape.clone(), values, of.kind, of.origin).value())
}

/// `LpNormalization` and, of `ai.onnx.ml`, `Normalizer`.
pub(in super::super) fn normalizer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    use fhectl_core::model::Norm;
    let of = scope.row(node)?;
    let norm = match (node.op.as_str(), node.int("p", 2)?) {
        ("LpNormalization", 1) => Norm::L1,
        ("LpNormalization", _) => Norm::L2,
        _ => match node.text("norm", "MAX")? {
            "MAX" => Norm::Max,
            "L1" => Norm::L1,
            "L2" => Norm::L2,
            norm => return Err(unsupported(format!("{} with the norm `{}`", node.label(), norm.escape_debug()))),
        },
    };
    let shares_of_one = norm == Norm::L1 && {
        let sum = shares(&scope.arena, Lin::sum(of.values.iter().map(|x| (1.0, x))));
        sum.number().is_some_and(|sum| (sum - 1.0).abs() < 1e-9)
            && of.values.iter().all(|x| scope.arena.bounds(x).0 >= -1e-9)
    };
    if shares_of_one {
        return Ok(Value::Numbers(of));
    }
    // Of a projection it is a preparation, of what a model said it is not; before nothing else it is the model's.
    let link = !scope.ahead.model && !scope.ahead.matrix;
    let as_score = scope.as_score(node, of.origin, link && of.origin != Origin::Summed)?;
    let values = scope.arena.apply(Op::Normalize(norm), of.values.clone(), as_score)?;
    Ok(Tensor::new(of.shape.clone(), values, of.kind, of.origin).value())
}
