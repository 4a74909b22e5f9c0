//! `Add`, `Sub`, `Mul`, `Div`, `Pow` and their like, number by number.

use super::super::arena::Arena;
use super::super::atom::Op;
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::simplify::Products;
use super::super::value::{Kind, Origin, Tensor, Value};
use super::broadcast::broadcast;
use super::squares;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{Function, Norm};

/// The kind of what is made of two kinds.
fn kind(a: &Tensor, b: &Tensor) -> Kind {
    match (a.kind, b.kind) {
        (Kind::Single, _) | (_, Kind::Single) => Kind::Single,
        (Kind::Double, _) | (_, Kind::Double) => Kind::Double,
        _ => Kind::Whole,
    }
}

/// A number for each pair of numbers.
pub(super) fn pairs(
    node: &Node,
    (a, b): (&Tensor, &Tensor),
    mut make: impl FnMut(&Lin, &Lin) -> Result<Lin>,
) -> Result<Tensor> {
    let (shape, places) = broadcast(node, &a.shape, &b.shape)?;
    let work = places.iter().map(|(x, y)| a.values[*x].size() + b.values[*y].size());
    if work.fold(0usize, usize::saturating_add) > MAX_VALUES {
        return Err(large(format!("{}: sums of too many numbers", node.label())));
    }
    let values = places.iter().map(|(x, y)| make(&a.values[*x], &b.values[*y])).collect::<Result<_>>()?;
    Ok(Tensor::new(shape, values, kind(a, b), a.origin.max(b.origin)))
}

pub(in super::super) fn sum_or_product(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (a, b) = (scope.numbers(node, 0)?, scope.numbers(node, 1)?);
    let origin = a.origin.max(b.origin);
    let made = match node.op.as_str() {
        "Add" => pairs(node, (&a, &b), |x, y| Ok(x.plus(y)))?,
        "Sub" => pairs(node, (&a, &b), |x, y| Ok(x.minus(y)))?,
        "Mul" => {
            let constant = a.numbers().is_some() || b.numbers().is_some();
            let how = if constant { Products::Row } else { scope.products(node, origin)? };
            pairs(node, (&a, &b), |x, y| scope.arena.product(x, y, how))?
        }
        _ => return divided(node, scope, (&a, &b)),
    };
    Ok(made.value())
}

fn divided(node: &Node, scope: &mut Scope<'_>, (a, b): (&Tensor, &Tensor)) -> Result<Value> {
    if let Some(made) = normalized(node, scope, (a, b))? {
        return Ok(made.value());
    }
    let origin = a.origin.max(b.origin);
    let whole = kind(a, b) == Kind::Whole;
    let how = if b.numbers().is_some() && !whole { Products::Row } else { scope.products(node, origin)? };
    let as_score = how != Products::Row;
    let made = pairs(node, (a, b), |x, y| {
        let quotient = match y.number() {
            // Of numbers that are known, nothing can be said: 0 / 0 is none.
            Some(0.0) if x.number().is_some() => Lin::constant(x.bias / y.bias),
            Some(0.0) => return Err(unsupported(format!("{}: a division by zero", node.label()))),
            Some(number) => x.scaled(1.0 / number),
            None if x == y => Lin::constant(1.0),
            None => {
                let inverse = scope.arena.inverse(y, as_score)?;
                scope.arena.product(x, &inverse, how)?
            }
        };
        if whole { scope.arena.function(Function::Truncate, &quotient, as_score) } else { Ok(quotient) }
    })?;
    Ok(made.value())
}

/// Numbers divided by their norm, or shares by their sum.
fn normalized(node: &Node, scope: &mut Scope<'_>, (a, b): (&Tensor, &Tensor)) -> Result<Option<Tensor>> {
    let Some(size) = b.values.first().filter(|size| size.number().is_none() && b.values.len() == 1) else {
        return Ok(None);
    };
    let Some(norm) = norm(&mut scope.arena, &a.values, size)? else { return Ok(None) };
    let origin = a.origin.max(b.origin);
    let as_score = scope.as_score(node, origin, true)? && origin != Origin::Summed;
    let powers: Option<Vec<Lin>> =
        a.values.iter().map(|x| x.pure().and_then(|atom| scope.arena.argument(atom, Function::Exp)).cloned()).collect();
    let values = match powers {
        Some(powers) if norm == Norm::L1 => scope.arena.softmax(powers, as_score)?,
        _ => scope.arena.apply(Op::Normalize(norm), a.values.clone(), as_score)?,
    };
    Ok(Some(Tensor { values, origin, ..Tensor::new(a.shape.clone(), Vec::new(), a.kind, origin) }))
}

/// Which norm of numbers another number is.
fn norm(arena: &mut Arena, of: &[Lin], size: &Lin) -> Result<Option<Norm>> {
    if of.is_empty() || of.len() == 1 {
        return Ok(None);
    }
    let total = Lin::sum(of.iter().map(|x| (1.0, x)));
    if total.near(size) && of.iter().all(|x| arena.bounds(x).0 >= 0.0) {
        return Ok(Some(Norm::L1));
    }
    let Some((atom, 1.0, 0.0)) = size.single().or_else(|| size.terms().first().map(|term| (term.0, 1.0, 0.0))) else {
        return Ok(None);
    };
    if let Some(squares) = arena.argument(atom, Function::Sqrt).cloned() {
        let same = squares::squares(arena, of)?.near(&squares);
        return Ok((size.pure().is_some() && same).then_some(Norm::L2));
    }
    let magnitudes: Vec<Lin> = of.iter().map(|x| arena.abs(x, false)).collect::<Result<_>>()?;
    if Lin::sum(magnitudes.iter().map(|x| (1.0, x))).near(size) {
        return Ok(Some(Norm::L1));
    }
    let largest = arena.largest(magnitudes, false)?;
    Ok(largest.near(size).then_some(Norm::Max))
}

/// `Sum`, `Mean`, `Max` and `Min` of several tensors.
pub(in super::super) fn several(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let mut total = (*scope.numbers(node, 0)?).clone();
    for index in 1..node.inputs.len() {
        let next = scope.numbers(node, index)?;
        let as_score = scope.as_score(node, total.origin.max(next.origin), false)?;
        let size = total.values.iter().chain(&next.values).map(Lin::size).sum();
        scope.arena.spend(size)?;
        total = match node.op.as_str() {
            "Max" => pairs(node, (&total, &next), |x, y| scope.arena.largest(vec![x.clone(), y.clone()], as_score))?,
            "Min" => pairs(node, (&total, &next), |x, y| {
                Ok(scope.arena.largest(vec![x.negated(), y.negated()], as_score)?.negated())
            })?,
            _ => pairs(node, (&total, &next), |x, y| Ok(x.plus(y)))?,
        };
    }
    if node.op == "Mean" {
        total.values.iter_mut().for_each(|x| *x = x.scaled(1.0 / node.inputs.len() as f64));
    }
    Ok(total.value())
}

pub(in super::super) fn power(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (a, b) = (scope.numbers(node, 0)?, scope.numbers(node, 1)?);
    let origin = a.origin.max(b.origin);
    let mut how = scope.products(node, origin)?;
    let link = a.numbers().is_some() && b.numbers().is_none();
    if link && scope.as_score(node, origin, true)? {
        how = Products::Score;
    }
    let mut made = pairs(node, (&a, &b), |x, y| scope.arena.power(x, y, how))?;
    made.kind = a.kind;
    Ok(made.value())
}
