//! What sums are made of: numbers of the row, leaves of trees, and functions of sums.

use super::lin::Lin;
use fhectl_core::model::{ClearStep, ColumnRule, Norm};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Something that is not a sum.
#[derive(Debug, Clone)]
pub(super) enum Atom {
    /// The number in a column.
    Input(u32),
    /// How often a phrase occurs in a column's text.
    Words { column: u32, phrase: Rc<str> },
    /// What a column's text stands for.
    Category { column: u32, of: Rc<Categories> },
    /// What the leaf is worth that a row reaches in a tree.
    Leaf { tree: u32, values: Rc<[f64]> },
    /// The one number that an operation makes of sums.
    Made { op: Op, of: Rc<[Lin]> },
    /// One of the numbers that an operation makes of sums.
    Part { op: Op, of: Rc<[Lin]>, index: u32 },
}

/// A number for each text that is known, and those for all others and for none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Categories {
    pub values: BTreeMap<String, f64>,
    pub other: f64,
    pub missing: f64,
}

/// An operation on numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    Rule(ColumnRule),
    /// The number at this index of a table.
    Pick(Rc<[f64]>),
    Product,
    /// The second number where the first is not 0, else the third.
    Choose,
    Largest,
    WhichLargest,
    /// The mean of the values of so many of the largest numbers.
    Neighbors(u32, Rc<[f64]>),
    /// Each of these makes several numbers: the first as many as there are, the last the indices of so many of the largest.
    Softmax,
    Normalize(Norm),
    Nearest(u32),
}

impl Op {
    /// How many numbers are made of `inputs`.
    pub fn width(&self, inputs: usize) -> usize {
        match self {
            Self::Softmax | Self::Normalize(_) => inputs,
            Self::Nearest(count) => *count as usize,
            _ => 1,
        }
    }

    /// The numbers that are made.
    pub fn apply(&self, x: &[f64]) -> Vec<f64> {
        match self {
            Self::Rule(_) | Self::Pick(_) | Self::Product | Self::Choose => vec![self.first(x)],
            Self::Largest => ClearStep::Largest {}.apply(x.to_vec()),
            Self::WhichLargest => ClearStep::WhichLargest {}.apply(x.to_vec()),
            Self::Softmax => ClearStep::Softmax {}.apply(x.to_vec()),
            Self::Normalize(norm) => ClearStep::Normalize { norm: *norm }.apply(x.to_vec()),
            Self::Nearest(count) => nearest(x, *count).map(|at| at as f64).collect(),
            Self::Neighbors(count, values) => {
                vec![nearest(x, *count).map(|at| values[at]).sum::<f64>() / f64::from(*count)]
            }
        }
    }

    /// The first of the numbers that are made, for the operations that make one without a list of them.
    pub fn first(&self, x: &[f64]) -> f64 {
        match self {
            Self::Rule(rule) => rule.apply(x[0]),
            Self::Pick(table) => pick(table, x[0]),
            Self::Product => x.iter().product(),
            Self::Choose => {
                if x[0] != 0.0 {
                    x[1]
                } else {
                    x[2]
                }
            }
            _ => self.apply(x).first().copied().unwrap_or(f64::NAN),
        }
    }

    /// Bytes that are the same for the same operation only. Tables may be long, and are known by where they are:
    /// [`super::arena::Arena::shared`] keeps equal ones in one place.
    pub fn key(&self) -> String {
        match self {
            Self::Pick(table) => format!("Pick {:p} {}", table.as_ptr(), table.len()),
            Self::Neighbors(count, table) => format!("Neighbors {count} {:p} {}", table.as_ptr(), table.len()),
            _ => format!("{self:?}"),
        }
    }
}

/// The indices of the largest numbers, of equal ones the first.
fn nearest(x: &[f64], count: u32) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*b].total_cmp(&x[*a]));
    order.truncate(count as usize);
    order.into_iter()
}

/// The number at an index, which counts from the end where it is negative; none beyond the ends.
fn pick(table: &[f64], at: f64) -> f64 {
    let at = if at < 0.0 { at + table.len() as f64 } else { at };
    // Of a missing number, or one below 0, there is no place.
    if at >= 0.0 { table.get(at as usize).copied().unwrap_or(f64::NAN) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_do_what_they_say() {
        let table: Rc<[f64]> = Rc::from([5.0, 6.0, 7.0]);
        for (op, x, wanted) in [
            (Op::Pick(table.clone()), vec![1.0], vec![6.0]),
            (Op::Pick(table.clone()), vec![-1.0], vec![7.0]),
            (Op::Product, vec![2.0, 3.0], vec![6.0]),
            (Op::Choose, vec![0.0, 1.0, 2.0], vec![2.0]),
            (Op::WhichLargest, vec![1.0, 2.0, 2.0], vec![1.0]),
            (Op::Nearest(2), vec![1.0, 9.0, 9.0], vec![1.0, 2.0]),
            (Op::Neighbors(2, table.clone()), vec![1.0, 9.0, 9.0], vec![6.5]),
            (Op::Normalize(Norm::L1), vec![1.0, 3.0], vec![0.25, 0.75]),
        ] {
            assert_eq!(op.width(x.len()), wanted.len());
            assert_eq!(op.apply(&x), wanted, "{op:?}");
        }
        assert!(Op::Pick(table).apply(&[9.0])[0].is_nan());
    }
}
