//! Between which numbers an atom lies: shares are not negative, sums of them are not zero.

use super::atom::{Atom, Op};
use super::lin::Lin;
use fhectl_core::model::{ColumnRule, Function};

const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
/// More than 0 and less than 1.
const OPEN_SHARE: (f64, f64) = (f64::MIN_POSITIVE, 1.0 - f64::EPSILON);

/// The least and the largest number that an atom can be, as far as is known; `bounds` are those of sums.
pub(super) fn of(atom: &Atom, bounds: &dyn Fn(&Lin) -> (f64, f64)) -> (f64, f64) {
    match atom {
        Atom::Input(_) => ALL,
        Atom::Words { .. } => (0.0, f64::INFINITY),
        Atom::Category { of, .. } => ends(of.values.values().chain([&of.other, &of.missing])),
        Atom::Leaf { values, .. } => ends(values.iter()),
        Atom::Part { op: Op::Softmax, .. } => OPEN_SHARE,
        Atom::Part { op: Op::Nearest(_), of, .. } | Atom::Made { op: Op::WhichLargest, of } => (0.0, of.len() as f64),
        Atom::Part { op: Op::Normalize(_), of, .. } => match of.iter().all(|sum| bounds(sum).0 >= 0.0) {
            true => (0.0, 1.0),
            false => (-1.0, 1.0),
        },
        Atom::Part { .. } => ALL,
        Atom::Made { op, of } => {
            let mut of = of.iter().map(bounds);
            match op {
                Op::Rule(rule) => of.next().map_or(ALL, |of| of_rule(rule, of)),
                Op::Pick(values) | Op::Neighbors(_, values) => ends(values.iter()),
                Op::Product => match of.all(|(low, _)| low >= 0.0) {
                    true => (0.0, f64::INFINITY),
                    false => ALL,
                },
                Op::Choose => of.skip(1).fold((f64::INFINITY, f64::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1))),
                Op::Largest => of.fold((f64::NEG_INFINITY, f64::NEG_INFINITY), |a, b| (a.0.max(b.0), a.1.max(b.1))),
                _ => ALL,
            }
        }
    }
}

fn of_rule(rule: &ColumnRule, (low, high): (f64, f64)) -> (f64, f64) {
    match rule {
        ColumnRule::Missing | ColumnRule::OneOf { .. } | ColumnRule::AtLeast { .. } => (0.0, 1.0),
        ColumnRule::Lookup { values, other, .. } => ends(values.iter().chain([other])),
        ColumnRule::Bin { edges } => (0.0, edges.len() as f64),
        ColumnRule::Interpolate { ys, .. } => ends(ys.iter()),
        ColumnRule::Clip { low, high } => (*low, *high),
        ColumnRule::Impute { value } => (low.min(*value), high.max(*value)),
        ColumnRule::Copy => (low, high),
        ColumnRule::Apply { function } => match function {
            Function::Exp => (libm::exp(low).max(f64::MIN_POSITIVE), libm::exp(high)),
            Function::Sigmoid => OPEN_SHARE,
            Function::NormalCdf | Function::Positive => (0.0, 1.0),
            Function::Abs | Function::Square | Function::Sqrt | Function::Softplus => (0.0, f64::INFINITY),
            Function::Tanh => (-1.0, 1.0),
            Function::Inverse if low >= 0.0 => (1.0 / high, 1.0 / low),
            _ => ALL,
        },
        _ => ALL,
    }
}

fn ends<'a>(numbers: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    let ends = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, x| (ends.0.min(*x), ends.1.max(*x)));
    if ends.0 <= ends.1 { ends } else { ALL }
}
