//! Nearest neighbors: which training rows are nearest, and what they say.
//!
//! A squared distance from a training row `t` is `x . x - 2 x . t + t . t`. What all rows share does not matter, so that
//! a linear sum a training row is left.

use super::super::arena::{Arena, Side};
use super::super::atom::{Atom, Op};
use super::super::lin::{AtomId, Lin};
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Value};
use super::squares::squares;
use crate::import::model::{MAX_CLASSES, large};
use crate::import::onnx::{Attribute, Node, invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::Function;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most functions that are taken one after the other of the index of a row.
const MAX_CHAIN: usize = 64;

/// `Scan` where it computes the distances of a row from all rows of a constant, or `CDist`.
pub(in super::super) fn distances(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let refused = || {
        unsupported(format!("{} with another metric than the Euclidean one", node.label()))
            .hint("train the nearest neighbors with metric=\"euclidean\"")
    };
    let squared = match node.op.as_str() {
        "CDist" => match node.text("metric", "sqeuclidean")? {
            "euclidean" => false,
            "sqeuclidean" => true,
            _ => return Err(refused()),
        },
        _ => {
            let Some(Attribute::Body(operators)) = node.attributes.get("body") else { return Err(refused()) };
            let mut work: Vec<&str> = operators.iter().map(String::as_str).filter(|op| *op != "Identity").collect();
            work.sort_unstable();
            if work != ["ReduceSumSquare", "Sub"] || node.int("num_scan_inputs", 1)? != 1 {
                return Err(refused());
            }
            true
        }
    };
    let (x, rows) = (scope.row(node)?, scope.numbers(node, 1)?);
    let (Some(numbers), &[count, width]) = (rows.numbers(), &rows.shape[..]) else { return Err(refused()) };
    if width != x.values.len() || width == 0 {
        return Err(invalid(format!("{}: rows of {width} numbers for {} columns", node.label(), x.values.len())));
    }
    if count > MAX_CLASSES {
        return Err(large(format!("{}: {count} training rows, at most {MAX_CLASSES} are read", node.label()))
            .hint("keep fewer training rows, e.g. by clustering: each is a score of its own"));
    }
    if scope.arena.side(&x.values) != Some(Side::Row) {
        return Err(unsupported(format!("{} of scores", node.label())));
    }
    let square = squares(&mut scope.arena, &x.values)?;
    let mut distances = Vec::with_capacity(count);
    for row in numbers.chunks(width) {
        scope.arena.spend(2 * width + square.size())?;
        let near = Lin::sum(row.iter().map(|t| -2.0 * t).zip(&x.values));
        let distance = square.plus(&near).shifted(row.iter().map(|t| t * t).sum());
        distances.push(if squared { distance } else { scope.arena.function(Function::Sqrt, &distance, true)? });
    }
    let made = |shape| Tensor::new(shape, distances.clone(), Kind::Single, Origin::Model).value();
    Ok(match node.op.as_str() {
        "CDist" => vec![made(vec![1, count])],
        _ => vec![Value::Numbers(x), made(vec![count, 1])],
    })
}

/// `TopK`, of which the indices are known.
pub(in super::super) fn top(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let of = scope.row(node)?;
    let values = node.output(0).unwrap_or_default();
    if scope.graph.users(values).next().is_some() || scope.graph.outputs.iter().any(|output| output == values) {
        return Err(unsupported(format!(
            "{} whose numbers count, as neighbors do that weigh by distance",
            node.label()
        ))
        .hint("train the nearest neighbors with weights=\"uniform\""));
    }
    let count = match scope.given(node, 1) {
        true => scope.integers(node, 1)?,
        false => vec![node.int("k", 1)?],
    };
    let count = match count[..] {
        [count] => u32::try_from(count).ok().filter(|count| *count > 0 && *count as usize <= of.values.len()),
        _ => None,
    };
    let count = count.ok_or_else(|| invalid(format!("{} of {} numbers", node.label(), of.values.len())))?;
    let mut scores = of.values.clone();
    // Roots keep the order of what they are taken of.
    let roots: Option<Vec<Lin>> = scores
        .iter()
        .map(|score| score.pure().and_then(|atom| scope.arena.argument(atom, Function::Sqrt)).cloned())
        .collect();
    scores = without_shared(&scope.arena, roots.unwrap_or(scores));
    if node.int("largest", 1)? == 0 {
        scores = scores.iter().map(|score| score.scaled(-0.5)).collect();
    }
    let row = scope.arena.side(&scores) == Some(Side::Row);
    scope.neighbors |= row;
    let indices = scope.arena.apply(Op::Nearest(count), scores, true)?;
    let made = Tensor::row(indices, Kind::Whole, Origin::Model).value();
    Ok(vec![made.clone(), made])
}

/// Scores without the terms that all have alike, which do not change their order.
fn without_shared(arena: &Arena, scores: Vec<Lin>) -> Vec<Lin> {
    let Some((first, rest)) = scores.split_first() else { return scores };
    let product = |term: &&(AtomId, f64)| matches!(arena.atom(term.0), Atom::Made { op: Op::Product, .. });
    let everywhere = |term: &&(AtomId, f64)| {
        rest.iter().all(|score| {
            score.terms().binary_search_by_key(&term.0, |t| t.0).is_ok_and(|at| score.terms()[at].1 == term.1)
        })
    };
    let shared: Vec<(AtomId, f64)> = first.terms().iter().filter(product).filter(everywhere).copied().collect();
    let shared = Lin::of(shared, 0.0);
    scores.iter().map(|score| score.minus(&shared)).collect()
}

/// Sums over all of the nearest rows as means of what these rows say.
pub(super) fn gathered(arena: &mut Arena, sum: Lin) -> Result<Lin> {
    // For each set of rows: the terms of each of the nearest.
    let mut found: BTreeMap<AtomId, Vec<(u32, AtomId, f64)>> = BTreeMap::new();
    let mut means: BTreeMap<AtomId, Vec<(AtomId, f64)>> = BTreeMap::new();
    let mut rest = Vec::new();
    for (atom, factor) in sum.terms() {
        match (arena.nearest(*atom), arena.atom(*atom)) {
            (Some((first, index)), _) => found.entry(first).or_default().push((index, *atom, *factor)),
            (None, Atom::Made { op: Op::Neighbors(..), .. }) => means.entry(0).or_default().push((*atom, *factor)),
            _ => rest.push((*atom, *factor)),
        }
    }
    if found.is_empty() && means.is_empty() {
        return Ok(sum);
    }
    let mut made = Lin::of(rest, sum.bias);
    for (first, terms) in found {
        let Atom::Part { op: Op::Nearest(count), of, .. } = arena.atom(first) else { continue };
        let (count, of) = (*count, Rc::clone(of));
        let mut tables = vec![vec![0.0; of.len()]; count as usize];
        arena.spend(terms.len().saturating_mul(of.len()))?;
        for (index, atom, factor) in &terms {
            for (row, sum) in tables[*index as usize].iter_mut().enumerate() {
                *sum += factor * arena.at_index(*atom, row as f64);
            }
        }
        if tables.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(unsupported("nearest neighbors that count differently by their distance")
                .hint("train the nearest neighbors with weights=\"uniform\""));
        }
        let values = arena.shared(tables.swap_remove(0));
        let mean = arena.one(Op::Neighbors(count, values), of.to_vec(), true)?;
        made = made.plus(&mean.scaled(f64::from(count)));
    }
    // Means of the same rows are one mean.
    for (_, terms) in means {
        made = made.plus(&merged(arena, terms)?);
    }
    Ok(made)
}

fn merged(arena: &mut Arena, terms: Vec<(AtomId, f64)>) -> Result<Lin> {
    let plain = Lin::of(terms.clone(), 0.0);
    let Some(Atom::Made { op: Op::Neighbors(count, values), of }) = terms.first().map(|term| arena.atom(term.0)) else {
        return Ok(plain);
    };
    let (count, of) = (*count, Rc::clone(of));
    let mut total = vec![0.0; values.len()];
    for (atom, factor) in &terms {
        match arena.atom(*atom) {
            Atom::Made { op: Op::Neighbors(other, values), of: same } if *other == count && *same == of => {
                total.iter_mut().zip(values.iter()).for_each(|(sum, value)| *sum += value * factor);
            }
            _ => return Ok(plain),
        }
    }
    match total.first() {
        Some(first) if total.iter().all(|value| value == first) => Ok(Lin::constant(*first)),
        _ => arena.one(Op::Neighbors(count, total.into()), of.to_vec(), true),
    }
}

impl Arena {
    /// Of what is computed of the index of one of the nearest rows alone: the first of these indices, and which it is.
    fn nearest(&self, atom: AtomId) -> Option<(AtomId, u32)> {
        let mut at = atom;
        for _ in 0..MAX_CHAIN {
            match self.atom(at) {
                Atom::Part { op: Op::Nearest(_), index, .. } => return Some((at - index, *index)),
                Atom::Made { op: Op::Rule(_) | Op::Pick(_), of } => at = of[0].single()?.0,
                _ => return None,
            }
        }
        None
    }

    /// What is computed of an index, for this index.
    fn at_index(&self, atom: AtomId, index: f64) -> f64 {
        let mut chain = Vec::new();
        let mut at = atom;
        while let Atom::Made { op, of } = self.atom(at) {
            let Some((next, factor, bias)) = of[0].single() else { return f64::NAN };
            chain.push((op, factor, bias));
            at = next;
        }
        chain.iter().rev().fold(index, |x, (op, factor, bias)| op.apply(&[x * factor + bias])[0])
    }
}
