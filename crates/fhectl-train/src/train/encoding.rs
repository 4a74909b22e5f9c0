//! Columns of a table as features: categories, missing values and texts become numbers that a model can use.
//!
//! Everything is fitted on training rows and becomes steps of the client, in clear.

use crate::data::{Dataset, FEWEST_ROWS};
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Column, ColumnKind, ColumnRule, InputSchema, feature_names};
use rayon::prelude::*;

/// Up to so many categories have a feature each in trees; more are ordered by the target.
const ONE_HOT_IN_TREES: usize = 8;
/// The most categories that have a feature each, the most frequent ones.
const MOST_ONE_HOT: usize = 64;
/// How many rows of the mean a category's own mean is drawn by, where categories are ordered.
const SMOOTHING: f64 = 10.0;

/// What features are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingStyle {
    /// Thresholds: a missing value has a side of its own, many categories are ordered by the target.
    Trees,
    /// Sums: a missing value is the median, and a feature says that it was missing; each category is a feature.
    Sums,
}

/// How rows of a table become rows of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    pub steps: Vec<ClearStep>,
    /// The features' names.
    pub features: Vec<String>,
    /// What was done to each column that is no plain number, for a person.
    pub notes: Vec<String>,
}

impl Encoding {
    /// Fits the encoding of the columns of `schema` to training rows. A number that is missing in some of the `others` alone,
    /// rows that it is to be used on, is their median: nothing was learned of its absence.
    pub fn fit(schema: &InputSchema, train: &Dataset, others: &Dataset, style: EncodingStyle) -> Self {
        let (mut columns, mut notes) = (Vec::new(), Vec::new());
        let mut source = 0;
        for column in &schema.columns {
            let width = column.kind.width();
            let before = columns.len();
            let fit = Fit { train, others, source: source as u32, style };
            let what = match &column.kind {
                ColumnKind::Text { words } => {
                    columns.extend((0..width).map(|word| fit.made(word, ColumnRule::Copy)));
                    Some(format!("the weights of {} words", words.width()))
                }
                ColumnKind::Category { values } => Some(fit.category(values.len(), &mut columns)),
                ColumnKind::Number | ColumnKind::Boolean | ColumnKind::Date => fit.number(&mut columns),
            };
            if let Some(what) = what {
                let made = columns.len() - before;
                let features = if made == 1 { "1 feature".to_owned() } else { format!("{made} features") };
                notes.push(format!("`{}` ({}): {what}, {features}", column.name, column.kind.describe()));
            }
            source += width;
        }
        let steps = vec![ClearStep::Columns { columns }];
        let features = feature_names(Some(schema), &[], &steps);
        Self { steps, features, notes }
    }

    /// Rows of features.
    ///
    /// # Errors
    /// `row_value` where a value is missing of a column that had all in training.
    pub fn apply(&self, rows: &Dataset) -> Result<Dataset> {
        let encoded: Vec<Vec<f64>> =
            rows.rows.par_iter().map(|row| ClearStep::apply_all(&self.steps, row.clone())).collect();
        for (at, row) in encoded.iter().enumerate() {
            if let Some(feature) = row.iter().position(|value| !value.is_finite()) {
                return Err(missing(at, &self.features[feature]));
            }
        }
        Ok(Dataset { rows: encoded, features: self.features.clone(), input: None, ..rows.clone() })
    }
}

fn missing(row: usize, feature: &str) -> fhectl_core::error::Error {
    use fhectl_core::error::{Error, ErrorCode};
    Error::new(ErrorCode::RowValue, format!("test row {}: `{feature}` is missing, as in no training row", row + 1))
        .hint("leave such rows out, or choose others to train on with --seed")
}

/// One column's numbers in the training rows.
struct Fit<'a> {
    train: &'a Dataset,
    others: &'a Dataset,
    source: u32,
    style: EncodingStyle,
}

impl Fit<'_> {
    fn made(&self, offset: usize, rule: ColumnRule) -> Column {
        Column { source: self.source + offset as u32, rule }
    }

    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.train.rows.iter().map(|row| row[self.source as usize])
    }

    /// A number, which may be missing.
    fn number(&self, columns: &mut Vec<Column>) -> Option<String> {
        let mut known: Vec<f64> = self.values().filter(|value| !value.is_nan()).collect();
        let missing = self.train.len() - known.len();
        let elsewhere = self.others.rows.iter().filter(|row| row[self.source as usize].is_nan()).count();
        if known.is_empty() || (missing == 0 && elsewhere == 0) {
            columns.push(self.made(0, ColumnRule::Copy));
            return None;
        }
        known.sort_unstable_by(f64::total_cmp);
        if missing == 0 {
            let median = known[known.len() / 2];
            columns.push(self.made(0, ColumnRule::Impute { value: median }));
            return Some(format!("missing in {elsewhere} test rows and no training row, there the median {median}"));
        }
        let (low, high) = (known[0], known[known.len() - 1]);
        match self.style {
            EncodingStyle::Trees => {
                let beyond = (high - low).max(1.0);
                columns.push(self.made(0, ColumnRule::Impute { value: low - beyond }));
                columns.push(self.made(0, ColumnRule::Impute { value: high + beyond }));
                Some(format!("missing in {missing} rows, below or above all others"))
            }
            EncodingStyle::Sums => {
                let median = known[known.len() / 2];
                columns.push(self.made(0, ColumnRule::Impute { value: median }));
                columns.push(self.made(0, ColumnRule::Missing));
                Some(format!("missing in {missing} rows, there the median {median} and a mark"))
            }
        }
    }

    /// One of so many categories, which may be missing.
    fn category(&self, categories: usize, columns: &mut Vec<Column>) -> String {
        let mut counts = vec![0; categories];
        let (mut missing, mut unknown) = (0, 0);
        for value in self.values() {
            match counts.get_mut(value as usize) {
                _ if value.is_nan() => missing += 1,
                Some(count) => *count += 1,
                None => unknown += 1,
            }
        }
        let classes = self.train.classes.len();
        if self.style == EncodingStyle::Trees && categories > ONE_HOT_IN_TREES && classes <= 2 {
            columns.push(self.made(0, self.ordered(&counts)));
            if missing > 0 {
                columns.push(self.made(0, ColumnRule::Missing));
            }
            return format!("{categories} categories in the order of the target's mean");
        }
        // Rarer ones have no feature of their own: they are as unknown ones.
        let mut kept: Vec<usize> = (0..categories).filter(|at| counts[*at] >= FEWEST_ROWS).collect();
        kept.sort_by_key(|at| (std::cmp::Reverse(counts[*at]), *at));
        kept.truncate(MOST_ONE_HOT);
        kept.sort_unstable();
        if kept.is_empty() {
            kept = (0..categories.min(MOST_ONE_HOT)).collect();
        }
        // Of two that are all there is, one says both.
        if kept.len() == 2 && categories == 2 && missing == 0 && unknown == 0 {
            kept.remove(0);
        }
        let one = |at: &usize| self.made(0, ColumnRule::OneOf { values: vec![*at as f64], missing: false });
        columns.extend(kept.iter().map(one));
        if missing > 0 {
            columns.push(self.made(0, ColumnRule::Missing));
        }
        format!("{} of {categories} categories", kept.len())
    }

    /// Ranks of categories by the mean of the target, drawn to the mean of all where there are few rows; unknown and
    /// missing ones lie where the mean of all does.
    fn ordered(&self, counts: &[usize]) -> ColumnRule {
        let wanted = |row: usize| match self.train.values.get(row) {
            Some(value) => *value,
            None => f64::from(self.train.labels[row]),
        };
        let all = (0..self.train.len()).map(wanted).sum::<f64>() / self.train.len().max(1) as f64;
        let mut sums = vec![0.0; counts.len()];
        for (row, value) in self.values().enumerate() {
            if let Some(sum) = sums.get_mut(value as usize).filter(|_| !value.is_nan()) {
                *sum += wanted(row);
            }
        }
        let mean = |at: usize| (sums[at] + SMOOTHING * all) / (counts[at] as f64 + SMOOTHING);
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(a.cmp(b)));
        let mut ranks = vec![0.0; counts.len()];
        order.iter().enumerate().for_each(|(rank, at)| ranks[*at] = rank as f64);
        let below = order.iter().filter(|at| mean(**at) < all).count();
        ColumnRule::Lookup {
            keys: (0..counts.len()).map(|at| at as f64).collect(),
            values: ranks,
            other: below as f64 - 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::model::InputColumn;

    fn data(rows: &[[f64; 2]], labels: &[u32], categories: usize) -> (InputSchema, Dataset) {
        let names = (0..categories).map(|at| format!("c{at:02}")).collect();
        let column = |name: &str, kind| InputColumn { name: name.into(), kind };
        let schema = InputSchema {
            columns: vec![column("x", ColumnKind::Number), column("c", ColumnKind::Category { values: names })],
            missing: Vec::new(),
        };
        let data = crate::train::tests::dataset(rows.iter().map(|row| row.to_vec()).collect(), labels.to_vec(), 2);
        (schema.clone(), Dataset { input: Some(schema), ..data })
    }

    #[test]
    fn missing_numbers_have_a_side_or_a_mark() {
        let nan = f64::NAN;
        let (schema, train) =
            data(&[[1.0, 0.0], [nan, 1.0], [3.0, 0.0], [4.0, 1.0], [2.0, 0.0], [2.0, 1.0]], &[0, 1, 0, 1, 0, 1], 2);
        let trees = Encoding::fit(&schema, &train, &train, EncodingStyle::Trees);
        assert_eq!(trees.features, ["x", "x #2", "c=c01"]);
        assert_eq!(trees.apply(&train).unwrap().rows[1], [-2.0, 7.0, 1.0]);
        let sums = Encoding::fit(&schema, &train, &train, EncodingStyle::Sums);
        assert_eq!(sums.features, ["x", "x is missing", "c=c01"]);
        assert_eq!(sums.apply(&train).unwrap().rows[1], [2.0, 1.0, 1.0]);
        assert!(sums.notes[0].contains("missing in 1 rows"), "{:?}", sums.notes);
        let (_, other) = data(&[[1.0, nan]], &[0], 2);
        // A category that is missing is none of them.
        assert_eq!(sums.apply(&other).unwrap().rows[0], [1.0, 0.0, 0.0]);
        let (_, whole) = data(&[[1.0, 0.0], [2.0, 1.0]], &[0, 1], 2);
        let strict = Encoding::fit(&schema, &whole, &whole, EncodingStyle::Trees);
        assert!(strict.apply(&train).is_err());
        let foreseen = Encoding::fit(&schema, &whole, &train, EncodingStyle::Trees);
        assert_eq!(foreseen.features, ["x", "c=c01"]);
        assert_eq!(foreseen.apply(&train).unwrap().rows[1], [2.0, 1.0]);
    }

    #[test]
    fn many_categories_are_ordered_by_the_target() {
        let rows: Vec<[f64; 2]> = (0..120).map(|row| [0.0, f64::from(row % 12)]).collect();
        // Even categories have the second class.
        let labels: Vec<u32> = (0..120).map(|row| u32::from(row % 2 == 0)).collect();
        let (schema, train) = data(&rows, &labels, 12);
        let trees = Encoding::fit(&schema, &train, &train, EncodingStyle::Trees);
        let encoded = trees.apply(&train).unwrap();
        assert_eq!(trees.features, ["x", "c"]);
        assert!(encoded.rows.iter().zip(&labels).all(|(row, label)| (row[1] >= 6.0) == (*label == 1)));
        let sums = Encoding::fit(&schema, &train, &train, EncodingStyle::Sums);
        assert_eq!(sums.features.len(), 13);
    }
}
