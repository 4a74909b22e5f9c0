//! Thresholds that no row reaches: a sign of rows that were prepared otherwise than the model's.

use super::model::{FloatModel, Imported, Tree};
use fhectl_core::model::{ClearStep, ColumnRule};
use std::fmt;

/// The share of thresholds beyond the rows from which on something is wrong.
const SUSPICIOUS: f64 = 0.25;

/// Thresholds beyond the least and the greatest number of their feature in the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfRange {
    /// The share of all thresholds.
    pub share: f64,
    /// The features with the most of them: the name, the least and the greatest of their thresholds, and of the rows'
    /// numbers.
    pub worst: Vec<(String, [f64; 2], [f64; 2])>,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} % of the model's thresholds lie outside of these rows", 100.0 * self.share)?;
        for (at, (name, thresholds, rows)) in self.worst.iter().enumerate() {
            write!(
                f,
                "{} `{}`: thresholds {:.3} to {:.3}, rows {:.3} to {:.3}",
                if at == 0 { ":" } else { ";" },
                name.escape_debug(),
                thresholds[0],
                thresholds[1],
                rows[0],
                rows[1]
            )?;
        }
        f.write_str(
            ". Was the model trained on scaled or otherwise prepared rows? Then import the whole pipeline, or give rows \
             that are prepared the same way",
        )
    }
}

impl Imported {
    /// Thresholds of trees beyond the range of their features in `rows`, encoded but not prepared, of columns with these
    /// names; `None` where there are few, or no rows.
    pub fn out_of_range(&self, rows: &[Vec<f64>], columns: &[String]) -> Option<OutOfRange> {
        let FloatModel::Forest(forest) = &self.model else { return None };
        let made: &[_] = match self.preprocessing.last() {
            Some(ClearStep::Columns { columns }) => columns,
            _ => &[],
        };
        // Sets of categories have no range.
        let numeric = |feature: usize| {
            let rule = made.get(feature).map(|column| &column.rule);
            !matches!(rule, Some(ColumnRule::OneOf { .. } | ColumnRule::Missing))
        };
        let none = [f64::INFINITY, f64::NEG_INFINITY];
        let wider = |[low, high]: [f64; 2], x: f64| [low.min(x), high.max(x)];
        let width = self.prepared_width();
        let mut ranges = vec![none; width];
        for row in rows {
            let filled = row.iter().any(|x| x.is_nan());
            for (range, x) in ranges.iter_mut().zip(self.prepared(row)) {
                // What stands for missing numbers is of no range.
                let stands = filled && x.abs() >= f64::MAX / 4.0;
                if !x.is_nan() && !stands {
                    *range = wider(*range, x);
                }
            }
        }
        let mut found: Vec<(usize, [f64; 2])> = vec![(0, none); width];
        let (mut all, mut outside) = (0usize, 0usize);
        for (feature, edge) in forest.trees.iter().flat_map(Tree::splits) {
            let feature = feature as usize;
            if !numeric(feature) || ranges[feature] == none {
                continue;
            }
            all += 1;
            found[feature].1 = wider(found[feature].1, *edge);
            if *edge <= ranges[feature][0] || *edge > ranges[feature][1] {
                outside += 1;
                found[feature].0 += 1;
            }
        }
        let share = outside as f64 / all.max(1) as f64;
        if share < SUSPICIOUS {
            return None;
        }
        let names = self.names_after(columns);
        let mut worst: Vec<usize> = (0..width).filter(|feature| found[*feature].0 > 0).collect();
        worst.sort_by_key(|feature| std::cmp::Reverse(found[*feature].0));
        worst.truncate(3);
        let of = |feature: usize| {
            let name = names.get(feature).cloned().unwrap_or_else(|| format!("feature {feature}"));
            (name, found[feature].1, ranges[feature])
        };
        Some(OutOfRange { share, worst: worst.into_iter().map(of).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Forest;
    use super::*;
    use fhectl_core::bundle::ScoreUnit;
    use fhectl_core::model::Branch;

    #[test]
    fn thresholds_of_scaled_rows_are_noticed() {
        let leaf = |value: f64| Branch::Leaf(vec![value]);
        let stump = |edge: f64| Branch::split(0, edge, leaf(0.0), leaf(1.0)).depth_first();
        let imported = Imported {
            source: String::new(),
            input: None,
            features: 2,
            feature_names: Vec::new(),
            classes: Vec::new(),
            unit: ScoreUnit::Logit,
            preprocessing: Vec::new(),
            head: None,
            reveals_training_rows: false,
            model: FloatModel::Forest(Forest { biases: vec![0.0], trees: vec![stump(-1.0), stump(0.5), stump(1.0)] }),
        };
        let names = ["area".to_owned(), "age".to_owned()];
        let raw = imported.out_of_range(&[vec![100.0, 0.0], vec![900.0, 0.0]], &names).unwrap();
        assert_eq!((raw.share, raw.worst.len()), (1.0, 1));
        assert!(raw.to_string().contains("`area`: thresholds -1.000 to 1.000, rows 100.000 to 900.000"), "{raw}");
        assert_eq!(imported.out_of_range(&[vec![-2.0, 0.0], vec![2.0, 0.0]], &names), None);
        assert_eq!(imported.out_of_range(&[], &names), None);
        assert_eq!(imported.out_of_range(&[vec![f64::NAN, 0.0]], &names), None);
    }
}
