//! Splits of ONNX trees: comparisons of columns as comparisons of a row's numbers, and chains of equalities as sets.

use super::row::{Column, Row};
use crate::import::derived::{Derived, Gap, Number};
use crate::import::edge::{above, at_least};
use crate::import::model::large;
use crate::import::onnx::{invalid, unsupported};
use crate::import::tree_builder::SourceNode;
use fhectl_core::error::Result;

/// The most equalities in all chains, those of shared ends counted again.
const MAX_STEPS: usize = 1 << 22;

/// A split as ONNX has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnnxSplit {
    pub column: usize,
    pub threshold: f64,
    pub yes: usize,
    pub no: usize,
    /// Whether a missing value takes the side of `yes`, where the file says it.
    pub missing: Option<bool>,
    /// Whether it asks for one category.
    pub set: bool,
}

/// Whether equality with a threshold is that of categories: whole numbers that 32 bits hold, of the row itself.
pub(super) fn is_category(column: Column, threshold: f64) -> bool {
    let whole = threshold.fract() == 0.0 && threshold.abs() < f64::from(1u32 << 24);
    whole && column.scale == 1.0 && column.offset == 0.0
}

/// Equalities of one column that lead to the same node, one asked after the other: together a set of categories.
pub(super) struct Chains {
    /// Whether a node is asked by the first of its chain.
    pub within: Vec<bool>,
}

/// A set of categories: `yes` for its values.
pub(super) struct Set {
    column: usize,
    values: Vec<f64>,
    missing: bool,
    yes: usize,
    no: usize,
}

impl Chains {
    pub(super) fn of(splits: &[Option<OnnxSplit>], parents: &[u32]) -> Self {
        let mut within = vec![false; splits.len()];
        for split in splits.iter().flatten() {
            if parents[split.no] == 1 && next(split, splits).is_some() {
                within[split.no] = true;
            }
        }
        Self { within }
    }

    /// The set that a chain asks for, from its first node on.
    ///
    /// # Errors
    /// `onnx_invalid` for a chain without an end, `import_large`.
    pub(super) fn set(&self, first: usize, splits: &[Option<OnnxSplit>], steps: &mut usize) -> Result<Set> {
        let Some(mut split) = splits[first] else { return Err(invalid("a set at a leaf")) };
        let mut values = Vec::new();
        loop {
            values.push(split.threshold);
            *steps += 1;
            if *steps > MAX_STEPS || values.len() > splits.len() {
                return Err(large(format!("more than {MAX_STEPS} equalities in chains, or one without an end")));
            }
            match next(&split, splits).filter(|_| self.within[split.no]) {
                Some(after) => split = after,
                None => break,
            }
        }
        Ok(Set { column: split.column, values, missing: split.missing == Some(true), yes: split.yes, no: split.no })
    }
}

/// The next equality of a chain.
fn next(split: &OnnxSplit, splits: &[Option<OnnxSplit>]) -> Option<OnnxSplit> {
    let after = splits[split.no]?;
    let same = (after.column, after.yes, after.missing) == (split.column, split.yes, split.missing);
    (split.set && after.set && same && split.no != split.yes).then_some(after)
}

impl Set {
    pub(super) fn node(self, row: &Row, derived: &mut Derived) -> Result<SourceNode> {
        let number = Number::plain(row.columns[self.column].feature as u32);
        derived.one_of(number, self.values, self.missing, (self.no, self.yes))
    }
}

impl OnnxSplit {
    pub(super) fn node(&self, row: &Row, mode: &str, derived: &mut Derived) -> Result<SourceNode> {
        if self.threshold.is_nan() {
            return Err(invalid("a threshold is no number"));
        }
        let from = at_least(self.threshold, row.precision);
        let over = above(self.threshold, row.precision);
        match mode {
            "BRANCH_LEQ" => Ok(self.split(row, over, self.yes, self.no, derived)),
            "BRANCH_LT" => Ok(self.split(row, from, self.yes, self.no, derived)),
            "BRANCH_GTE" => Ok(self.split(row, from, self.no, self.yes, derived)),
            "BRANCH_GT" => Ok(self.split(row, over, self.no, self.yes, derived)),
            "BRANCH_EQ" => self.within(row, (from, over), (self.yes, self.no), derived),
            "BRANCH_NEQ" => self.within(row, (from, over), (self.no, self.yes), derived),
            other => Err(unsupported(format!("nodes of the mode `{}`", other.escape_debug()))),
        }
    }

    /// `high` where the column is at least `edge`.
    fn split(&self, row: &Row, edge: f64, low: usize, high: usize, derived: &mut Derived) -> SourceNode {
        let (edge, low, high) = match unscaled(row.columns[self.column], edge) {
            // A negative scale turns the comparison round.
            Edge::Below(edge) => (edge, high, low),
            Edge::From(edge) => (edge, low, high),
        };
        let gap = match self.missing.map(|yes| if yes { self.yes } else { self.no }) {
            None => Gap::Unknown,
            Some(side) if side == high => Gap::High,
            Some(_) => Gap::Low,
        };
        derived.split(self.number(row), edge, gap, low, high)
    }

    /// `inside` where the column is at least `from` and below `to`.
    fn within(
        &self,
        row: &Row,
        (from, to): (f64, f64),
        (inside, outside): (usize, usize),
        derived: &mut Derived,
    ) -> Result<SourceNode> {
        let column = row.columns[self.column];
        let (from, to) = match (unscaled(column, from), unscaled(column, to)) {
            (Edge::From(from), Edge::From(to)) => (from, to),
            (Edge::Below(from) | Edge::From(from), Edge::Below(to) | Edge::From(to)) => (to, from),
        };
        match self.missing {
            None => Ok(SourceNode::Within { feature: column.feature as u32, from, to, yes: inside, no: outside }),
            Some(yes) if (if yes { self.yes } else { self.no }) == outside => {
                Ok(derived.within(self.number(row), (from, to), outside, inside))
            }
            Some(_) => Err(unsupported("missing values that are equal to a number")),
        }
    }

    fn number(&self, row: &Row) -> Number {
        Number::plain(row.columns[self.column].feature as u32)
    }
}

/// The feature's edge that stands for the column's.
fn unscaled(column: Column, edge: f64) -> Edge {
    if column.scale == 0.0 {
        // The column is always zero.
        return Edge::From(if 0.0 >= edge { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if column.scale == 1.0 && column.offset == 0.0 {
        return Edge::From(edge);
    }
    let feature = edge / column.scale + column.offset;
    if column.scale > 0.0 { Edge::From(feature) } else { Edge::Below(feature.next_up()) }
}

/// Where a column reaches its edge.
enum Edge {
    /// For features at least this.
    From(f64),
    /// For features below this.
    Below(f64),
}
