//! Functions of one number.

use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Value};
use crate::import::edge::Precision;
use crate::import::onnx::{Node, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnRule, Function};

/// What changes no value at inference.
pub(in super::super) fn unchanged(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    scope.value(node, 0)
}

pub(in super::super) fn negated(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    each(node, scope, |_, x| Ok(x.negated()))
}

fn each(
    node: &Node,
    scope: &mut Scope<'_>,
    mut make: impl FnMut(&mut Scope<'_>, &Lin) -> Result<Lin>,
) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let values = of.values.iter().map(|x| make(scope, x)).collect::<Result<_>>()?;
    Ok(Tensor::new(of.shape.clone(), values, of.kind, of.origin).value())
}

/// Functions by which models make a prediction of a sum.
pub(in super::super) fn link(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let origin = scope.numbers(node, 0)?.origin;
    let as_score = scope.as_score(node, origin, true)?;
    each(node, scope, |scope, x| match node.op.as_str() {
        "Exp" => scope.arena.exp(x, as_score),
        _ => scope.arena.sigmoid(x, as_score),
    })
}

/// Functions that prepare a row, or go on with what a model said.
pub(in super::super) fn function(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let origin = scope.numbers(node, 0)?.origin;
    let as_score = scope.as_score(node, origin, false)?;
    let natural = |scope: &mut Scope<'_>, x: &Lin, function| scope.arena.function(function, x, as_score);
    each(node, scope, |scope, x| match node.op.as_str() {
        "Abs" => scope.arena.abs(x, as_score),
        "Log" => natural(scope, x, Function::Log),
        "Sqrt" => natural(scope, x, Function::Sqrt),
        "Reciprocal" => scope.arena.inverse(x, as_score),
        // The whole number below is minus the one above of the negative; that above is cut off what lies beyond.
        "Floor" => floor(scope, x, as_score),
        _ => Ok(floor(scope, &x.negated(), as_score)?.negated()),
    })
}

/// `Sign`. Of a score that is 0, which none is after rounding, it is taken as -1.
pub(in super::super) fn sign(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let origin = scope.numbers(node, 0)?.origin;
    let as_score = scope.as_score(node, origin, true)?;
    each(node, scope, |scope, x| {
        let above = scope.arena.positive(x, false, Precision::Double, as_score)?;
        if as_score {
            return Ok(above.scaled(2.0).shifted(-1.0));
        }
        Ok(above.minus(&scope.arena.positive(&x.negated(), false, Precision::Double, false)?))
    })
}

fn floor(scope: &mut Scope<'_>, x: &Lin, as_score: bool) -> Result<Lin> {
    if let Some(number) = x.number() {
        return Ok(Lin::constant(number.floor()));
    }
    let cut = scope.arena.function(Function::Truncate, x, as_score)?;
    let over = scope.arena.function(Function::Positive, &cut.minus(x), as_score)?;
    Ok(cut.minus(&over))
}

pub(in super::super) fn clip(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (low, high) = (scope.number_or(node, 1, "min", -f64::MAX)?, scope.number_or(node, 2, "max", f64::MAX)?);
    if low.is_nan() || high.is_nan() || low > high {
        return Err(unsupported(format!("{} between {low} and {high}", node.label())));
    }
    let origin = scope.numbers(node, 0)?.origin;
    let as_score = scope.as_score(node, origin, true)?;
    each(node, scope, |scope, x| scope.arena.clipped(x, low, high, as_score))
}

/// To floats of another size, to truths, and to whole numbers, which loses what is behind the point.
pub(in super::super) fn cast(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let to = node.int("to", 0)?;
    let of = match scope.value(node, 0)? {
        texts @ Value::Texts(_) if to == 8 => return Ok(texts),
        Value::Texts(_) => return Err(unsupported(format!("{} of texts to ONNX type {to}", node.label()))),
        Value::Numbers(of) => of,
    };
    let kind = match to {
        1 | 10 => Kind::Single,
        11 => Kind::Double,
        9 => Kind::Truth,
        2..=7 | 12 | 13 => Kind::Whole,
        _ => return Err(unsupported(format!("{} to ONNX type {to}", node.label()))),
    };
    let as_score = |scope: &Scope<'_>| scope.as_score(node, of.origin, false);
    let values = match (of.kind, kind) {
        (Kind::Truth, _) | (_, Kind::Single | Kind::Double) | (Kind::Whole, Kind::Whole) => of.values.clone(),
        (_, Kind::Truth) => {
            let as_score = as_score(scope)?;
            of.values.iter().map(|x| scope.arena.truth(x, as_score)).collect::<Result<_>>()?
        }
        // What a cell holds is a whole number where the model says so.
        _ if of.values.iter().all(|x| x.pure().is_some() || x.number().is_some()) && of.origin == Origin::Data => {
            let cell = |scope: &mut Scope<'_>, x: &Lin| match x.pure().map(|atom| scope.arena.atom(atom)) {
                Some(super::super::atom::Atom::Input(_)) => Ok(x.clone()),
                _ => scope.arena.function(Function::Truncate, x, false),
            };
            of.values.iter().map(|x| cell(scope, x)).collect::<Result<_>>()?
        }
        _ => {
            let as_score = as_score(scope)?;
            of.values.iter().map(|x| scope.arena.function(Function::Truncate, x, as_score)).collect::<Result<_>>()?
        }
    };
    Ok(Tensor { label: of.label.clone(), ..Tensor::new(of.shape.clone(), values, kind, of.origin) }.value())
}

pub(in super::super) fn is_nan(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let as_score = scope.as_score(node, of.origin, false)?;
    let values = of.values.iter().map(|x| scope.arena.rule(ColumnRule::Missing, x, as_score)).collect::<Result<_>>()?;
    Ok(Tensor::new(of.shape.clone(), values, Kind::Truth, of.origin).value())
}
