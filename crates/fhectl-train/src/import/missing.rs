//! Missing values of trees: what rows make necessary, and zeros that stand for them.

use super::derived::{ABOVE, BELOW, renumbered};
use super::edge::{Precision, above, at_least};
use super::model::{FloatModel, Imported, Tree};
use fhectl_core::bundle::Predicted;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, Column, ColumnKind, ColumnRule};
use rayon::prelude::*;
use std::fmt;

/// Rows whose zeros may be missing values: the model was trained with some, and the rows have none.
#[derive(Debug, Clone, PartialEq)]
pub struct Zeros {
    /// The columns with zeros, of those that trees split on, by their place in the table.
    pub columns: Vec<usize>,
    /// The share of rows whose scores differ by more than a hundredth if zeros are missing values.
    pub changed: f64,
}

impl fmt::Display for Zeros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the model was trained with missing values and these rows have none, but zeros in {} columns. If it was \
             trained with missing=0 or on sparse rows, zeros are missing values, and {:.1} % of the rows have other \
             scores: say so with --missing-value 0",
            self.columns.len(),
            100.0 * self.changed
        )
    }
}

/// What the last step makes of a number where it is missing, where trees ask for that.
fn fill(rule: &ColumnRule) -> Option<f64> {
    match rule {
        ColumnRule::Impute { value } if *value == BELOW || *value == ABOVE => Some(*value),
        _ => None,
    }
}

impl Imported {
    /// The model for rows like these, encoded but not prepared. Its predictions of them stay the same; a number that has
    /// two features because its splits send missing values two ways has one if it is never missing in these rows, and a
    /// model whose splits all send them one way has no step for them if none is. Then later rows are refused where such a
    /// number is missing. Without rows only the latter is done.
    pub fn suited_to(self, rows: &[Vec<f64>]) -> Self {
        let (FloatModel::Forest(forest), Some((ClearStep::Columns { columns }, before))) =
            (&self.model, self.preprocessing.split_last())
        else {
            return self;
        };
        if columns.iter().all(|column| fill(&column.rule).is_none()) {
            return self;
        }
        let width = ClearStep::check_all(before, self.features).unwrap_or(0);
        let mut missing = vec![false; width];
        for row in rows {
            let row = ClearStep::apply_all(before, row.clone());
            missing.iter_mut().zip(&row).for_each(|(missing, x)| *missing |= x.is_nan());
        }
        // Numbers that stand for missing ones may yet come.
        for step in before {
            if let ClearStep::Columns { columns } = step {
                let made = |column: &Column| matches!(column.rule, ColumnRule::MissingWithin { .. });
                missing.iter_mut().zip(columns).for_each(|(missing, column)| *missing |= made(column));
            }
        }
        let one_way = !self.sends_missing_two_ways();
        // Of each number, whether a missing one is below every threshold, and whether it is above, for some split.
        let mut ways = vec![(false, false); width];
        for column in columns {
            if let Some(value) = fill(&column.rule) {
                let way = &mut ways[column.source as usize];
                *way = (way.0 || value < 0.0, way.1 || value > 0.0);
            }
        }
        let none_missing = !missing.contains(&true);
        let dropped = |column: &Column| {
            let source = column.source as usize;
            let needless = match one_way {
                true => none_missing,
                false => ways[source] == (true, true) && !rows.is_empty() && !missing[source],
            };
            fill(&column.rule).is_some() && needless
        };
        let mut kept: Vec<Column> = Vec::with_capacity(columns.len());
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let column =
                if dropped(column) { Column { rule: ColumnRule::Copy, ..column.clone() } } else { column.clone() };
            // Features of one number stand together.
            let from = kept.iter().rposition(|other| other.source != column.source).map_or(0, |at| at + 1);
            let place = kept[from..].iter().position(|other| *other == column).map(|at| from + at);
            places.push(place.unwrap_or(kept.len()) as u32);
            if place.is_none() {
                kept.push(column);
            }
        }
        // Numbers as they are need no step.
        let plain = self.input.is_none() && kept.iter().all(|column| column.rule == ColumnRule::Copy);
        let place = |feature: u32| {
            let at = places.get(feature as usize).copied().unwrap_or(feature);
            if plain { kept.get(at as usize).map_or(at, |column| column.source) } else { at }
        };
        let Ok(forest) = renumbered(forest.clone(), place) else { return self };
        let mut preprocessing = before.to_vec();
        if !plain {
            preprocessing.push(ClearStep::Columns { columns: kept });
        }
        Self { preprocessing, model: FloatModel::Forest(forest), ..self }
    }

    /// The model where numbers of this value are missing ones, too, as with XGBoost's `missing`.
    ///
    /// # Errors
    /// `import_missing` for a model that does not say where missing values go, and a value that is not finite.
    pub fn with_missing_value(mut self, value: f64) -> Result<Self> {
        if !value.is_finite() {
            return Err(Error::new(ErrorCode::ImportMissing, format!("{value} cannot stand for missing values"))
                .hint("empty cells and NaN are missing values already; name a number, e.g. 0 or -999"));
        }
        if !self.takes_missing() {
            return Err(Error::new(ErrorCode::ImportMissing, "the model does not say where missing values go")
                .hint("trees of XGBoost, LightGBM and CatBoost do; leave out --missing-value for others"));
        }
        // Libraries compare in 32 bits.
        let (low, high) = (at_least(value, Precision::Single), above(value, Precision::Single).next_down());
        let blank = if low.is_finite() && high.is_finite() && low <= high { (low, high) } else { (value, value) };
        let rule = |numeric: bool| match numeric {
            true => ColumnRule::MissingWithin { low: blank.0, high: blank.1 },
            false => ColumnRule::Copy,
        };
        let mut rules = Vec::with_capacity(self.features);
        match &self.input {
            None => rules.resize(self.features, rule(true)),
            Some(input) => {
                for column in &input.columns {
                    rules.resize(rules.len() + column.kind.width(), rule(column.kind == ColumnKind::Number));
                }
            }
        }
        let columns = (0..).zip(rules).map(|(source, rule)| Column { source, rule }).collect();
        self.preprocessing.insert(0, ClearStep::Columns { columns });
        self.checked()
    }

    /// Whether rows' zeros may be missing values; `rows` are encoded but not prepared.
    pub fn zeros(&self, rows: &[Vec<f64>]) -> Option<Zeros> {
        // Other tools write what stands for missing values, or send them somewhere though they saw none.
        let silent = self.source.starts_with("XGBoost") || self.source.contains("OnnxMLTools");
        let complete = !rows.is_empty() && !rows.iter().flatten().any(|x| x.is_nan());
        if !silent || !complete || !self.sends_missing_two_ways() {
            return None;
        }
        let zeros = self.clone().with_missing_value(0.0).ok()?;
        let columns: Vec<usize> =
            (0..self.features).filter(|index| rows.iter().any(|row| row[*index] == 0.0)).collect();
        let decoder = self.decoder();
        let says = |model: &Self, row: &[f64]| {
            let scores = model.model.scores(&model.prepared(row));
            match decoder.predict_real(&scores) {
                Predicted::Value(value) => vec![value],
                Predicted::Class(_) => decoder.class_scores_real(&scores),
            }
        };
        let differs = |row: &&Vec<f64>| {
            says(self, row).iter().zip(says(&zeros, row)).any(|(a, b)| (a - b).abs() > 0.01 * a.abs().max(1.0))
        };
        let changed = rows.par_iter().filter(differs).count();
        (changed > 0).then(|| Zeros { columns, changed: changed as f64 / rows.len() as f64 })
    }

    /// Whether the model predicts rows with missing numbers, where trees decide on these.
    pub fn takes_missing(&self) -> bool {
        let Some(ClearStep::Columns { columns }) = self.preprocessing.last() else { return false };
        let takes = |column: &Column| {
            matches!(column.rule, ColumnRule::Impute { .. } | ColumnRule::OneOf { .. } | ColumnRule::Missing)
        };
        matches!(self.model, FloatModel::Forest(_)) && columns.iter().all(takes)
    }

    /// Whether some splits send missing numbers below their threshold and some above, which only training with missing
    /// values brings about.
    pub fn sends_missing_two_ways(&self) -> bool {
        let (FloatModel::Forest(forest), Some(ClearStep::Columns { columns })) =
            (&self.model, self.preprocessing.last())
        else {
            return false;
        };
        let (mut low, mut high) = (false, false);
        for (feature, _) in forest.trees.iter().flat_map(Tree::splits) {
            match columns.get(feature as usize).map(|column| &column.rule) {
                Some(ColumnRule::Missing) => return true,
                Some(rule) => match fill(rule) {
                    Some(value) if value < 0.0 => low = true,
                    Some(_) => high = true,
                    None => {}
                },
                None => {}
            }
        }
        low && high
    }
}

#[cfg(test)]
mod tests {
    use super::super::derived::{Derived, Gap, Number};
    use super::super::model::Forest;
    use super::super::tree_builder::{Budget, SourceNode, TreeBuilder};
    use super::*;
    use fhectl_core::bundle::ScoreUnit;

    /// A classifier of two numbers by a stump for each (feature, edge, gap).
    fn model(splits: &[(u32, f64, Gap)]) -> Imported {
        let mut derived = Derived::default();
        let leaf = |value: f64| SourceNode::Leaf { values: vec![value] };
        let trees = splits.iter().map(|(feature, edge, gap)| {
            let split = derived.split(Number::plain(*feature), *edge, *gap, 1, 2);
            TreeBuilder::new(&[split, leaf(-1.0), leaf(1.0)]).tree(0, &mut Budget::default()).unwrap()
        });
        let forest = Forest { biases: vec![0.0], trees: trees.collect() };
        let (preprocessing, forest) = derived.finish(forest, 2).unwrap();
        let imported = Imported {
            source: "XGBoost".into(),
            input: None,
            features: 2,
            feature_names: Vec::new(),
            classes: vec!["0".into(), "1".into()],
            unit: ScoreUnit::Logit,
            preprocessing,
            head: None,
            reveals_training_rows: false,
            model: FloatModel::Forest(forest),
        };
        imported.checked().unwrap()
    }

    fn scores(model: &Imported, rows: &[Vec<f64>]) -> Vec<f64> {
        rows.iter().map(|row| model.model.scores(&model.prepared(row))[0]).collect()
    }

    #[test]
    fn a_number_that_is_never_missing_is_one_feature() {
        let two = model(&[(0, 1.0, Gap::Low), (0, 2.0, Gap::High), (1, 0.0, Gap::High), (1, 0.5, Gap::Low)]);
        assert_eq!(two.prepared_width(), 4);
        let rows = vec![vec![1.5, f64::NAN], vec![3.0, 0.25]];
        let suited = two.clone().suited_to(&rows);
        assert_eq!(suited.prepared_width(), 3);
        assert_eq!(scores(&suited, &rows), scores(&two, &rows));
        assert!(suited.prepared(&[f64::NAN, 0.0])[0].is_nan());
        assert_eq!(two.clone().suited_to(&[]), two);
        let complete = two.suited_to(&[vec![1.0, 2.0]]);
        assert!(complete.preprocessing.is_empty(), "{:?}", complete.preprocessing);
    }

    #[test]
    fn a_model_of_one_direction_needs_no_step_for_complete_rows() {
        let one = model(&[(0, 1.0, Gap::Low), (1, 2.0, Gap::Low)]);
        assert!(one.clone().suited_to(&[vec![1.0, 2.0]]).preprocessing.is_empty());
        assert!(one.clone().suited_to(&[]).preprocessing.is_empty());
        assert_eq!(one.clone().suited_to(&[vec![f64::NAN, 2.0]]), one);
        assert!(one.takes_missing() && !one.sends_missing_two_ways());
    }

    #[test]
    fn zeros_may_be_missing_values() {
        let two = model(&[(0, 1.0, Gap::High), (0, 2.0, Gap::Low), (1, -1.0, Gap::High), (1, 5.0, Gap::High)]);
        let zeros = two.clone().with_missing_value(0.0).unwrap();
        let (row, gap) = (vec![vec![0.0, 7.0]], vec![vec![f64::NAN, 7.0]]);
        assert_eq!(scores(&zeros, &row), scores(&two, &gap));
        assert_ne!(scores(&zeros, &row), scores(&two, &row));
        // They stay apart from numbers though these rows have none.
        assert_eq!(zeros.clone().suited_to(&[vec![1.0, 1.0]]).prepared_width(), zeros.prepared_width());
        let rows = vec![vec![0.0, -7.0], vec![0.5, 1.0]];
        assert_eq!(two.zeros(&rows[1..]), None);
        assert_eq!(two.zeros(&[rows[0].clone(), vec![f64::NAN, 1.0]]), None);
        let split = model(&[(0, 1.0, Gap::High), (1, 2.0, Gap::Low)]);
        let found = split.zeros(&[vec![0.0, 3.0], vec![0.5, 1.0]]);
        assert_eq!(found, Some(Zeros { columns: vec![0], changed: 0.5 }));
        let other = Imported { source: "LightGBM".into(), ..split.clone() };
        assert_eq!(other.zeros(&[vec![0.0, 3.0]]), None);
        assert_eq!(model(&[(0, 1.0, Gap::Low)]).zeros(&rows), None);
        assert_eq!(split.with_missing_value(f64::NAN).unwrap_err().code, ErrorCode::ImportMissing);
        let silent = model(&[(0, 1.0, Gap::Unknown)]);
        assert_eq!(silent.with_missing_value(0.0).unwrap_err().code, ErrorCode::ImportMissing);
    }
}
