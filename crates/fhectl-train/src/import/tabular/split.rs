//! Splits of trees, on atoms: what a client makes of the row.

use super::arena::{Arena, Side};
use super::lin::{AtomId, Lin};
use super::scope::Scope;
use super::value::Tensor;
use crate::import::derived::{ABOVE, BELOW};
use crate::import::edge::{Precision, above, at_least};
use crate::import::onnx::{Node, invalid, unsupported};
use crate::import::tree_builder::SourceNode;
use fhectl_core::error::Result;
use fhectl_core::model::ColumnRule;

/// The columns that trees compare.
pub(super) struct Splits {
    columns: Vec<Column>,
    precision: Precision,
}

/// One column: `(atom - offset) * scale`.
#[derive(Debug, Clone, Copy)]
enum Column {
    Scaled { atom: AtomId, offset: f64, scale: f64 },
    Number(f64),
}

/// A split as ONNX has it; `missing` says whether a missing number goes to `yes`, where the file says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnnxSplit {
    pub column: usize,
    pub threshold: f64,
    pub yes: usize,
    pub no: usize,
    pub missing: Option<bool>,
}

/// Where a column reaches its edge.
enum Edge {
    /// For atoms at least this.
    From(f64),
    /// For atoms below this.
    Below(f64),
}

impl Splits {
    /// # Errors
    /// `onnx_unsupported` for a column that another model's score is in.
    pub fn of(node: &Node, scope: &mut Scope<'_>, row: &Tensor) -> Result<Self> {
        let mut columns = Vec::with_capacity(row.values.len());
        for x in &row.values {
            columns.push(match (x.number(), x.single(), scope.arena.side([x])) {
                (Some(number), ..) => Column::Number(number),
                (_, _, Some(Side::Score | Side::Leaf(_))) => {
                    return Err(unsupported(format!("{} whose trees split on another model's scores", node.label()))
                        .hint("take a linear model as the final_estimator: it is computed on decrypted scores"));
                }
                (_, Some((atom, scale, bias)), _) => Column::Scaled { atom, offset: -bias / scale, scale },
                _ => {
                    let sum = scope.arena.rule(ColumnRule::Copy, x, false)?;
                    let (atom, ..) = sum.single().ok_or_else(|| invalid("a sum that is none"))?;
                    Column::Scaled { atom, offset: 0.0, scale: 1.0 }
                }
            });
        }
        Ok(Self { columns, precision: row.precision() })
    }

    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether equality with a threshold is that of categories: whole numbers that 32 bits hold, of a number as it is.
    pub fn is_category(&self, column: usize, threshold: f64) -> bool {
        let whole = threshold.fract() == 0.0 && threshold.abs() < f64::from(1u32 << 24);
        whole && matches!(self.columns[column], Column::Scaled { offset: 0.0, scale: 1.0, .. })
    }

    /// `yes` where a column is one of `values`, or missing where these are among them.
    ///
    /// # Errors
    /// `import_large`.
    pub fn one_of(&self, arena: &mut Arena, split: &OnnxSplit, values: Vec<f64>) -> Result<SourceNode> {
        let Column::Scaled { atom, .. } = self.columns[split.column] else { return Err(invalid("a set of constants")) };
        let rule = ColumnRule::OneOf { values: rising(values), missing: split.missing == Some(true) };
        let made = arena.rule(rule, &Lin::atom(atom), false)?;
        let feature = made.pure().ok_or_else(|| invalid("a column that is none"))?;
        Ok(SourceNode::Split { feature, edge: 0.5, low: split.no, high: split.yes })
    }

    /// # Errors
    /// `onnx_invalid` for a threshold that is no number, `onnx_unsupported` for another mode.
    pub fn node(&self, arena: &mut Arena, split: &OnnxSplit, mode: &str) -> Result<SourceNode> {
        let OnnxSplit { threshold, yes, no, missing, .. } = *split;
        if threshold.is_nan() {
            return Err(invalid("a threshold is no number"));
        }
        let (from, over) = (at_least(threshold, self.precision), above(threshold, self.precision));
        // No comparison holds of a missing number, and the last one holds.
        let low_yes = missing.map(|to_yes| if to_yes { yes } else { no });
        let differs = missing.map(|_| yes);
        match mode {
            "BRANCH_LEQ" => self.split(arena, split.column, over, (yes, no), low_yes),
            "BRANCH_LT" => self.split(arena, split.column, from, (yes, no), low_yes),
            "BRANCH_GTE" => self.split(arena, split.column, from, (no, yes), low_yes),
            "BRANCH_GT" => self.split(arena, split.column, over, (no, yes), low_yes),
            "BRANCH_EQ" => self.within(arena, split.column, (from, over), (yes, no), low_yes),
            "BRANCH_NEQ" => self.within(arena, split.column, (from, over), (no, yes), differs),
            other => Err(unsupported(format!("nodes of the mode `{}`", other.escape_debug()))),
        }
    }

    /// `high` where the column is at least `edge`.
    fn split(
        &self,
        arena: &mut Arena,
        column: usize,
        edge: f64,
        (low, high): (usize, usize),
        missing: Option<usize>,
    ) -> Result<SourceNode> {
        let (atom, edge, low, high) = match self.columns[column] {
            Column::Number(number) => {
                let edge = if number >= edge { f64::NEG_INFINITY } else { f64::INFINITY };
                return Ok(SourceNode::Split { feature: 0, edge, low, high });
            }
            Column::Scaled { atom, offset, scale } => match unscaled(edge, offset, scale) {
                // A negative scale turns the comparison round.
                Edge::Below(edge) => (atom, edge, high, low),
                Edge::From(edge) => (atom, edge, low, high),
            },
        };
        let Some(missing) = missing.filter(|_| low != high && arena.may_miss(atom)) else {
            return Ok(SourceNode::Split { feature: atom, edge, low, high });
        };
        let goes_high = missing == high;
        if edge.is_infinite() {
            // All numbers go one way; a missing one may go the other.
            let number = if edge > 0.0 { low } else { high };
            let rule = arena.rule(ColumnRule::Missing, &Lin::atom(atom), false)?;
            let feature = rule.pure().ok_or_else(|| invalid("a column that is none"))?;
            return Ok(SourceNode::Split { feature, edge: 0.5, low: number, high: missing });
        }
        let value = if goes_high { ABOVE } else { BELOW };
        let filled = arena.rule(ColumnRule::Impute { value }, &Lin::atom(atom), false)?;
        let feature = filled.pure().ok_or_else(|| invalid("a column that is none"))?;
        Ok(SourceNode::Split { feature, edge, low, high })
    }

    /// `yes` where the column is at least `from` and below `to`.
    fn within(
        &self,
        arena: &mut Arena,
        column: usize,
        (from, to): (f64, f64),
        (yes, no): (usize, usize),
        missing: Option<usize>,
    ) -> Result<SourceNode> {
        let (atom, from, to) = match self.columns[column] {
            Column::Number(number) => {
                let edge = if from <= number && number < to { f64::NEG_INFINITY } else { f64::INFINITY };
                return Ok(SourceNode::Split { feature: 0, edge, low: no, high: yes });
            }
            Column::Scaled { atom, offset, scale } => {
                match (unscaled(from, offset, scale), unscaled(to, offset, scale)) {
                    (Edge::From(from), Edge::From(to)) => (atom, from, to),
                    (Edge::Below(from) | Edge::From(from), Edge::Below(to) | Edge::From(to)) => (atom, to, from),
                }
            }
        };
        let mut feature = atom;
        if missing.is_some_and(|missing| missing == no) && arena.may_miss(atom) {
            let filled = arena.rule(ColumnRule::Impute { value: BELOW }, &Lin::atom(atom), false)?;
            feature = filled.pure().unwrap_or(atom);
        }
        Ok(SourceNode::Within { feature, from, to, yes, no })
    }
}

/// The atom's edge that stands for the column's.
fn unscaled(edge: f64, offset: f64, scale: f64) -> Edge {
    if scale == 1.0 && offset == 0.0 {
        return Edge::From(edge);
    }
    let of_atom = edge / scale + offset;
    if scale > 0.0 { Edge::From(of_atom) } else { Edge::Below(of_atom.next_up()) }
}

/// Numbers in their order, each once; -0 and 0 are the same.
fn rising(mut values: Vec<f64>) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value += 0.0);
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values
}
