//! Functions of one number that exporters write as dozens of steps, as the search in a quantile transformer: where such a
//! function is straight between the numbers of its tables, it is a line through its values there.

use super::arena::{Arena, Only};
use super::atom::{Atom, Op};
use super::lin::{AtomId, Lin};
use fhectl_core::error::Result;
use fhectl_core::model::ColumnRule;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A sum of numbers by their place, each times a factor, and a constant.
type IndexedSum = (Vec<(usize, f64)>, f64);

/// A function of fewer steps is left as it is.
const MIN_STEPS: usize = 24;
/// The most points of a line.
const MAX_POINTS: usize = 1 << 16;

/// Atoms that an atom is made of, each after its own, as a program on numbers.
pub(super) struct Calculation {
    order: Vec<AtomId>,
    steps: Vec<Option<Step>>,
    /// The sums that are asked for.
    wanted: Vec<IndexedSum>,
}

/// What is done, and to which sums, of places in the order; which of the numbers that come out it is.
struct Step {
    op: Op,
    of: Rc<[IndexedSum]>,
    index: usize,
}

impl Calculation {
    /// Of what sums depend on; atoms of which `is_given` holds are not looked into.
    pub fn of(arena: &Arena, sums: &[Lin], is_given: impl Fn(AtomId) -> bool) -> Self {
        let mut found = BTreeSet::new();
        let mut open: Vec<AtomId> = sums.iter().flat_map(|sum| sum.terms()).map(|term| term.0).collect();
        while let Some(atom) = open.pop() {
            if found.insert(atom)
                && !is_given(atom)
                && let Atom::Made { of, .. } | Atom::Part { of, .. } = arena.atom(atom)
            {
                open.extend(of.iter().flat_map(|sum| sum.terms()).map(|term| term.0));
            }
        }
        let order: Vec<AtomId> = found.into_iter().collect();
        let place: BTreeMap<AtomId, usize> = order.iter().enumerate().map(|(place, atom)| (*atom, place)).collect();
        let sum =
            |sum: &Lin| (sum.terms().iter().map(|(atom, factor)| (place[atom], *factor)).collect::<Vec<_>>(), sum.bias);
        // Parts of one whole share their sums, so that they are computed once.
        let mut wholes: BTreeMap<usize, Rc<[IndexedSum]>> = BTreeMap::new();
        let mut step = |atom: &AtomId| {
            let (op, of, index) = match arena.atom(*atom) {
                _ if is_given(*atom) => return None,
                Atom::Made { op, of } => (op, of, 0),
                Atom::Part { op, of, index } => (op, of, *index as usize),
                _ => return None,
            };
            let shared = wholes.entry(of.as_ptr() as usize).or_insert_with(|| of.iter().map(sum).collect());
            Some(Step { op: op.clone(), of: Rc::clone(shared), index })
        };
        let steps = order.iter().map(&mut step).collect();
        let wanted = sums.iter().map(sum).collect();
        Self { order, steps, wanted }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// What is done, each with its atom.
    fn operations(&self) -> impl Iterator<Item = (AtomId, &Op)> {
        self.order.iter().zip(&self.steps).filter_map(|(atom, step)| Some((*atom, &step.as_ref()?.op)))
    }

    pub fn given(&self) -> impl Iterator<Item = AtomId> {
        self.order.iter().zip(&self.steps).filter(|(_, step)| step.is_none()).map(|(atom, _)| *atom)
    }

    /// The numbers that the sums are, where `given` says what is given.
    pub fn run(&self, given: impl Fn(AtomId) -> f64) -> Vec<f64> {
        let total = |values: &[f64], (terms, bias): &(Vec<(usize, f64)>, f64)| {
            bias + terms.iter().map(|(at, factor)| values[*at] * factor).sum::<f64>()
        };
        let mut values: Vec<f64> = Vec::with_capacity(self.order.len());
        let mut whole = None;
        // Functions of one number are run many thousand times: no list is made for each step.
        let mut numbers = Vec::new();
        for (atom, step) in self.order.iter().zip(&self.steps) {
            let value = match step {
                None => given(*atom),
                Some(Step { op, of, .. }) if op.width(of.len()) == 1 => {
                    numbers.clear();
                    numbers.extend(of.iter().map(|sum| total(&values, sum)));
                    op.first(&numbers)
                }
                Some(Step { op, of, index }) => {
                    if whole.as_ref().is_none_or(|(before, _)| *index == 0 || !Rc::ptr_eq(before, of)) {
                        let numbers: Vec<f64> = of.iter().map(|sum| total(&values, sum)).collect();
                        whole = Some((Rc::clone(of), op.apply(&numbers)));
                    }
                    whole.as_ref().and_then(|(_, made)| made.get(*index)).copied().unwrap_or(f64::NAN)
                }
            };
            values.push(value);
        }
        self.wanted.iter().map(|sum| total(&values, sum)).collect()
    }
}

/// The same atom, or a line that is equal.
///
/// # Errors
/// `import_large`.
pub(super) fn straightened(arena: &mut Arena, atom: AtomId) -> Result<AtomId> {
    let Only::One(input) = arena.only(atom) else { return Ok(atom) };
    let sums = [Lin::atom(atom)];
    let calculation = Calculation::of(arena, &sums, |_| false);
    if calculation.len() < MIN_STEPS {
        return Ok(atom);
    }
    let mut marks: Vec<f64> = Vec::new();
    for (at, op) in calculation.operations() {
        match op {
            // The part of a table that the index can reach.
            Op::Pick(table) => marks.extend(reached(arena, at, table)),
            Op::Rule(ColumnRule::AtLeast { edge }) => marks.push(*edge),
            Op::Rule(ColumnRule::OneOf { values, .. }) => marks.extend(values),
            _ => {}
        }
    }
    // Tables are searched from both ends.
    let mirrored: Vec<f64> = marks.iter().map(|mark| -mark).collect();
    marks.extend(mirrored);
    marks.retain(|mark| mark.is_finite());
    marks.sort_by(f64::total_cmp);
    marks.dedup_by(|a, b| *a == *b);
    let value = |x: f64| calculation.run(|_| x)[0];
    let effort = calculation.len().saturating_mul(marks.len());
    if marks.is_empty() || marks.len() > MAX_POINTS || !arena.try_hard(effort) {
        return Ok(atom);
    }
    let mut xs: Vec<f64> = marks.iter().flat_map(|mark| [mark.next_down(), *mark, mark.next_up()]).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup_by(|a, b| *a == *b);
    let points: Vec<(f64, f64)> = xs.into_iter().map(|x| (x, value(x))).collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs()));
    let beyond = [1.0, 1e3].into_iter().all(|far| {
        let far = far * (1.0 + last.0 - first.0);
        close(value(first.0 - far), first.1) && close(value(last.0 + far), last.1)
    });
    let straight = points.windows(2).all(|pair| {
        [0.31, 0.77].into_iter().all(|share| {
            let x = pair[0].0 + share * (pair[1].0 - pair[0].0);
            // Between a number and the next one there is none.
            let between = x > pair[0].0 && x < pair[1].0;
            !between || close(value(x), pair[0].1 + share * (pair[1].1 - pair[0].1))
        })
    });
    if !beyond || !straight {
        return Ok(atom);
    }
    let kept = corners(&points);
    let (xs, ys) = kept.into_iter().unzip();
    let line = arena.rule(ColumnRule::Interpolate { xs, ys }, &Lin::atom(input), false)?;
    Ok(line.pure().unwrap_or(atom))
}

fn reached<'a>(arena: &Arena, atom: AtomId, table: &'a [f64]) -> &'a [f64] {
    let Atom::Made { of, .. } = arena.atom(atom) else { return table };
    let (low, high) = arena.bounds(&of[0]);
    if low < 0.0 || !high.is_finite() {
        return table;
    }
    let first = (low as usize).min(table.len());
    &table[first..(high as usize + 1).clamp(first, table.len())]
}

/// Points without those between others on a line.
fn corners(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (at, point) in points.iter().enumerate() {
        if let (Some(before), Some(after)) = (kept.last(), points.get(at + 1)) {
            let share = (point.0 - before.0) / (after.0 - before.0);
            let line = before.1 + share * (after.1 - before.1);
            // A jump is a line from a number to the next one.
            let jump = after.0 == point.0.next_up() || point.0 == before.0.next_up();
            let near = (line - point.1).abs() <= 1e-12 * (1.0 + point.1.abs());
            let flat = before.1 == point.1 && point.1 == after.1;
            if flat || (near && !(jump && (after.1 - point.1).abs() > 1e-9)) {
                continue;
            }
        }
        kept.push(*point);
    }
    kept
}
