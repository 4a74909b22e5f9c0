//! Features that a client makes of a row for trees, so that a split is a comparison whatever its library does.
//!
//! Where a missing number goes and which categories go together is decided in clear, before encryption: a number that
//! may be missing becomes one that is below or above every threshold, a set of categories becomes 0 or 1. No tree grows.

use super::model::{Forest, MAX_FEATURES, Tree, invalid, large};
use super::tree_builder::SourceNode;
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Column, ColumnRule, TreeNode};
use std::collections::BTreeMap;

/// What a missing number becomes: below every threshold, or above. It says nothing of the model's own thresholds.
pub(super) const BELOW: f64 = -f64::MAX / 2.0;
pub(super) const ABOVE: f64 = f64::MAX / 2.0;

/// Derived features are numbered from here until all are known.
const FIRST: u32 = 1 << 24;
/// The most categories in all sets, those of equal sets counted again.
const MAX_CATEGORIES: usize = 1 << 22;

/// Where a split sends a missing number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// The file does not say.
    Unknown,
    Low,
    High,
    /// Where it sends zero.
    AsZero,
}

/// A number of the row that splits compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub feature: u32,
    /// Numbers, from the least to the greatest, that stand for a missing one.
    pub blank: Option<(f64, f64)>,
}

impl Number {
    pub(super) fn plain(feature: u32) -> Self {
        Self { feature, blank: None }
    }
}

/// What a feature is made of; numbers as bits, so that equal ones are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    feature: u32,
    blank: Option<(u64, u64)>,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Fill(u64),
    Missing,
    OneOf { values: Vec<u64>, missing: bool },
}

/// What a split asks of a number: which numbers stand for a missing one, what is made of it (nothing, without a rule), and
/// the feature's number so far.
type Asked = (Option<(u64, u64)>, Option<Rule>, u32);

/// The features that a forest's splits ask for.
#[derive(Debug, Default)]
pub(super) struct Derived {
    ids: BTreeMap<Key, u32>,
    categories: usize,
}

impl Derived {
    /// A split: `high` where the number is at least `edge`, which may be infinite, else `low`; a missing one as `gap` says.
    pub(super) fn split(&mut self, number: Number, edge: f64, gap: Gap, low: usize, high: usize) -> SourceNode {
        let fill = match gap {
            Gap::Unknown => return SourceNode::Split { feature: number.feature, edge, low, high },
            Gap::Low => BELOW,
            Gap::High => ABOVE,
            Gap::AsZero => 0.0,
        };
        // Beyond what stands for missing numbers there are none.
        let edge = match edge {
            edge if edge > ABOVE => f64::INFINITY,
            edge if edge <= BELOW => f64::NEG_INFINITY,
            edge => edge,
        };
        match (edge, gap) {
            // All numbers go one way, a missing one goes the other.
            (f64::INFINITY, Gap::High) => self.is_missing(number, low, high),
            (f64::NEG_INFINITY, Gap::Low) => self.is_missing(number, high, low),
            _ => SourceNode::Split { feature: self.id(number, Rule::Fill(fill.to_bits())), edge, low, high },
        }
    }

    /// A split: `high` where the number is one of `values`, else `low`; a missing one is among them if `missing`.
    ///
    /// # Errors
    /// `import_invalid` for a value that is not finite, `import_large` for too many of them.
    pub(super) fn one_of(
        &mut self,
        number: Number,
        mut values: Vec<f64>,
        missing: bool,
        (low, high): (usize, usize),
    ) -> Result<SourceNode> {
        self.categories += values.len();
        if self.categories > MAX_CATEGORIES {
            return Err(large(format!("sets of more than {MAX_CATEGORIES} categories")));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(invalid("a category is not a finite number"));
        }
        // The sum makes -0 and 0 the same number.
        values.iter_mut().for_each(|value| *value += 0.0);
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let values = values.into_iter().map(f64::to_bits).collect();
        Ok(SourceNode::Split { feature: self.id(number, Rule::OneOf { values, missing }), edge: 1.0, low, high })
    }

    fn is_missing(&mut self, number: Number, low: usize, high: usize) -> SourceNode {
        SourceNode::Split { feature: self.id(number, Rule::Missing), edge: 1.0, low, high }
    }

    fn id(&mut self, number: Number, rule: Rule) -> u32 {
        let blank = number.blank.map(|(low, high)| (low.to_bits(), high.to_bits()));
        let next = FIRST + self.ids.len() as u32;
        *self.ids.entry(Key { feature: number.feature, blank, rule }).or_insert(next)
    }

    /// The forest over features of a row, and how a client makes them of a row of `width` numbers; no step where splits
    /// compare the row's own numbers. A number that no split asks for stays a feature, as in models without gaps.
    ///
    /// # Errors
    /// `import_large` for too many features, `import_invalid` for a split on a number that there is not.
    pub(super) fn finish(self, forest: Forest, width: usize) -> Result<(Vec<ClearStep>, Forest)> {
        let mut used: Vec<u32> = forest.trees.iter().flat_map(Tree::splits).map(|(feature, _)| feature).collect();
        used.sort_unstable();
        used.dedup();
        if used.last().is_none_or(|last| *last < FIRST) {
            return Ok((Vec::new(), forest));
        }
        let is_used = |feature: u32| used.binary_search(&feature).is_ok();
        let mut asked: Vec<Vec<Asked>> = vec![Vec::new(); width];
        let known = |feature: u32| {
            let place = (feature as usize) < width;
            if place { Ok(feature as usize) } else { Err(invalid(format!("a split on feature {feature} of {width}"))) }
        };
        for feature in used.iter().filter(|feature| **feature < FIRST) {
            asked[known(*feature)?].push((None, None, *feature));
        }
        for (key, id) in self.ids.into_iter().filter(|(_, id)| is_used(*id)) {
            asked[known(key.feature)?].push((key.blank, Some(key.rule), id));
        }
        let mut blanks: Vec<Column> = Vec::new();
        let mut columns: Vec<Column> = Vec::new();
        let mut places: BTreeMap<u32, u32> = BTreeMap::new();
        for (number, asked) in asked.into_iter().enumerate() {
            let number = number as u32;
            if asked.is_empty() {
                columns.push(Column { source: number, rule: ColumnRule::Impute { value: BELOW } });
            }
            let first = blanks.len();
            for (blank, rule, id) in asked {
                let source = match blank {
                    None => number,
                    Some((low, high)) => {
                        let rule = ColumnRule::MissingWithin { low: f64::from_bits(low), high: f64::from_bits(high) };
                        let column = Column { source: number, rule };
                        let at = blanks[first..].iter().position(|other| *other == column).unwrap_or_else(|| {
                            blanks.push(column);
                            blanks.len() - 1 - first
                        });
                        (width + first + at) as u32
                    }
                };
                places.insert(id, columns.len() as u32);
                columns.push(Column { source, rule: rule.map_or(ColumnRule::Copy, Rule::column) });
            }
        }
        if columns.len() > MAX_FEATURES {
            return Err(large(format!("{} features and sets of categories", columns.len())));
        }
        let forest = renumbered(forest, |feature| places.get(&feature).copied().unwrap_or(feature))?;
        let mut steps = Vec::new();
        if !blanks.is_empty() {
            let copies = (0..width as u32).map(|source| Column { source, rule: ColumnRule::Copy });
            steps.push(ClearStep::Columns { columns: copies.chain(blanks).collect() });
        }
        steps.push(ClearStep::Columns { columns });
        Ok((steps, forest))
    }
}

impl Rule {
    fn column(self) -> ColumnRule {
        match self {
            Self::Fill(bits) => ColumnRule::Impute { value: f64::from_bits(bits) },
            Self::Missing => ColumnRule::Missing,
            Self::OneOf { values, missing } => {
                ColumnRule::OneOf { values: values.into_iter().map(f64::from_bits).collect(), missing }
            }
        }
    }
}

/// The forest with its features numbered otherwise.
///
/// # Errors
/// None for trees that were read: the shape stays.
pub(super) fn renumbered(forest: Forest, place: impl Fn(u32) -> u32) -> Result<Forest> {
    let node = |node: &TreeNode<f64, Vec<f64>>| match node {
        TreeNode::Split { feature, threshold, low, high } => {
            TreeNode::Split { feature: place(*feature), threshold: *threshold, low: *low, high: *high }
        }
        TreeNode::Leaf(values) => TreeNode::Leaf(values.clone()),
    };
    let tree =
        |tree: &Tree| Tree::new(tree.nodes().iter().map(node).collect()).map_err(|error| invalid(error.to_string()));
    Ok(Forest { trees: forest.trees.iter().map(tree).collect::<Result<_>>()?, biases: forest.biases })
}

#[cfg(test)]
mod tests {
    use super::super::tree_builder::{Budget, TreeBuilder};
    use super::*;
    use fhectl_core::error::ErrorCode;

    fn leaf(value: f64) -> SourceNode {
        SourceNode::Leaf { values: vec![value] }
    }

    /// What each row's leaf is, in a forest of stumps whose splits `make` asks for.
    fn leaves(width: usize, make: &[&dyn Fn(&mut Derived) -> SourceNode], rows: &[&[f64]]) -> Vec<Vec<f64>> {
        let mut derived = Derived::default();
        let stump = |split: SourceNode| {
            TreeBuilder::new(&[split, leaf(0.0), leaf(1.0)]).tree(0, &mut Budget::default()).unwrap()
        };
        let trees: Vec<Tree> = make.iter().map(|make| stump(make(&mut derived))).collect();
        let (steps, forest) = derived.finish(Forest { biases: vec![0.0], trees }, width).unwrap();
        ClearStep::check_all(&steps, width).unwrap();
        let of = |row: &&[f64]| {
            let row = ClearStep::apply_all(&steps, row.to_vec());
            forest.trees.iter().map(|tree| tree.leaf(&row)[0]).collect()
        };
        rows.iter().map(of).collect()
    }

    #[test]
    fn missing_numbers_go_where_the_split_sends_them() {
        let nan = f64::NAN;
        let got = leaves(
            2,
            &[
                &|d| d.split(Number::plain(0), 2.0, Gap::Low, 1, 2),
                &|d| d.split(Number::plain(0), 2.0, Gap::High, 1, 2),
                &|d| d.split(Number::plain(0), 2.0, Gap::AsZero, 1, 2),
                &|d| d.split(Number::plain(0), -2.0, Gap::AsZero, 1, 2),
                &|d| d.split(Number::plain(0), f64::INFINITY, Gap::High, 1, 2),
                &|d| d.split(Number::plain(0), f64::NEG_INFINITY, Gap::Low, 1, 2),
                &|d| d.split(Number::plain(0), f64::INFINITY, Gap::Low, 1, 2),
                &|d| d.split(Number { feature: 0, blank: Some((-1.0, 1.0)) }, -3.0, Gap::Low, 1, 2),
            ],
            &[&[nan, nan], &[2.0, 0.0], &[1.0, 0.0]],
        );
        assert_eq!(got[0], [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(got[1], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(got[2], [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn categories_become_zero_or_one() {
        let set = |values: &'static [f64], missing| {
            move |d: &mut Derived| d.one_of(Number::plain(1), values.to_vec(), missing, (1, 2)).unwrap()
        };
        let got = leaves(
            2,
            &[&set(&[3.0, 0.0, -0.0], false), &set(&[3.0], true), &|d| {
                d.split(Number::plain(0), 0.5, Gap::Unknown, 1, 2)
            }],
            &[&[0.0, 3.0], &[1.0, 0.0], &[1.0, f64::NAN], &[0.0, 7.0]],
        );
        assert_eq!(got, [[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]);
    }

    #[test]
    fn models_without_gaps_stay_as_they_are() {
        let mut derived = Derived::default();
        let split = derived.split(Number::plain(0), 1.0, Gap::Unknown, 1, 2);
        let tree = TreeBuilder::new(&[split, leaf(0.0), leaf(1.0)]).tree(0, &mut Budget::default()).unwrap();
        let forest = Forest { biases: vec![0.0], trees: vec![tree] };
        assert_eq!(derived.finish(forest.clone(), 1).unwrap(), (Vec::new(), forest));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut derived = Derived::default();
        let code = |derived: &mut Derived, values: Vec<f64>| {
            derived.one_of(Number::plain(0), values, false, (1, 2)).unwrap_err().code
        };
        assert_eq!(code(&mut derived, vec![f64::NAN]), ErrorCode::ImportInvalid);
        assert_eq!(code(&mut derived, vec![0.0; MAX_CATEGORIES]), ErrorCode::ImportLarge);
        let split = Derived::default().split(Number::plain(5), 1.0, Gap::Low, 1, 2);
        let mut derived = Derived::default();
        let _ = derived.split(Number::plain(5), 1.0, Gap::Low, 1, 2);
        let tree = TreeBuilder::new(&[split, leaf(0.0), leaf(1.0)]).tree(0, &mut Budget::default()).unwrap();
        assert!(derived.finish(Forest { biases: vec![0.0], trees: vec![tree] }, 2).is_err());
    }
}
