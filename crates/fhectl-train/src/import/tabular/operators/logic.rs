//! Comparisons, truths and choices.

use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::simplify::Products;
use super::super::value::{Kind, Tensor, Value};
use super::arithmetic::pairs;
use super::broadcast::broadcast;
use crate::import::onnx::Node;
use fhectl_core::error::Result;
use fhectl_core::model::ColumnRule;

pub(in super::super) fn compare(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (a, b) = (scope.numbers(node, 0)?, scope.numbers(node, 1)?);
    let as_score = scope.as_score(node, a.origin.max(b.origin), false)?;
    let precision = if a.numbers().is_some() { b.precision() } else { a.precision() };
    let mut made = pairs(node, (&a, &b), |x, y| match node.op.as_str() {
        "Greater" => scope.arena.positive(&x.minus(y), false, precision, as_score),
        "GreaterOrEqual" => scope.arena.positive(&x.minus(y), true, precision, as_score),
        "Less" => scope.arena.positive(&y.minus(x), false, precision, as_score),
        "LessOrEqual" => scope.arena.positive(&y.minus(x), true, precision, as_score),
        _ => equal(scope, x, y, as_score),
    })?;
    made.kind = Kind::Truth;
    Ok(made.value())
}

fn equal(scope: &mut Scope<'_>, x: &Lin, y: &Lin, as_score: bool) -> Result<Lin> {
    let (of, value) = match (x.number(), y.number()) {
        (_, Some(value)) => (x.clone(), value),
        (Some(value), _) => (y.clone(), value),
        _ => (x.minus(y), 0.0),
    };
    if !value.is_finite() {
        // No finite number is equal to it.
        return Ok(Lin::constant(of.number().map_or(0.0, |number| f64::from(u8::from(number == value)))));
    }
    scope.arena.rule(ColumnRule::OneOf { values: vec![value + 0.0], missing: false }, &of, as_score)
}

pub(in super::super) fn truth(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let one = Lin::constant(1.0);
    let a = scope.numbers(node, 0)?;
    if node.op == "Not" {
        let values = a.values.iter().map(|x| one.minus(x)).collect();
        return Ok(Tensor::new(a.shape.clone(), values, Kind::Truth, a.origin).value());
    }
    let b = scope.numbers(node, 1)?;
    let as_score = scope.as_score(node, a.origin.max(b.origin), false)?;
    let how = if as_score { Products::Score } else { Products::Row };
    let mut made = pairs(node, (&a, &b), |x, y| match node.op.as_str() {
        "And" => scope.arena.product(x, y, how),
        "Or" => Ok(one.minus(&scope.arena.product(&one.minus(x), &one.minus(y), how)?)),
        _ => Ok(Lin::sum([(1.0, x), (1.0, y), (-2.0, &scope.arena.product(x, y, how)?)])),
    })?;
    made.kind = Kind::Truth;
    Ok(made.value())
}

/// `Where`.
pub(in super::super) fn choose(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (which, yes, no) = (scope.numbers(node, 0)?, scope.numbers(node, 1)?, scope.numbers(node, 2)?);
    let origin = which.origin.max(yes.origin).max(no.origin);
    let as_score = scope.as_score(node, origin, false)?;
    let (_, sides) = broadcast(node, &yes.shape, &no.shape)?;
    let both = pairs(node, (&yes, &no), |x, _| Ok(x.clone()))?;
    let (shape, places) = broadcast(node, &which.shape, &both.shape)?;
    let mut values = Vec::with_capacity(places.len());
    for (at, pair) in places {
        let (yes_at, no_at) = sides[pair];
        let (yes, no) = (&yes.values[yes_at], &no.values[no_at]);
        values.push(match (yes.number(), no.number()) {
            // A truth is 0 or 1: a sum does.
            (Some(yes), Some(no)) if yes.is_finite() && no.is_finite() => which.values[at].scaled(yes - no).shifted(no),
            _ => scope.arena.choose(&which.values[at], yes, no, as_score)?,
        });
    }
    Ok(Tensor::new(shape, values, both.kind, origin).value())
}
