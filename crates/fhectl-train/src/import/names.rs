//! Names of a model's columns beside those of a table, which tools and people write differently: LightGBM writes `my name`
//! as `my_name`, XGBoost takes no brackets, and models of arrays call columns `f0`, `f1` or number them.

use super::model::Imported;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the model's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renamed {
    /// These are the table's, where others were alike: the model's name, then the table's.
    Alike(Vec<(String, String)>),
    /// The model has no names but numbers, so columns are taken in their order.
    InOrder { first: String },
}

impl Imported {
    /// The model with its columns called as a table's `columns` are, where it is clear which is which; a `target` among
    /// them is no feature. `None` where names stay: they are the table's already, or are not alike.
    pub fn called(&self, columns: &[String], target: Option<&str>) -> Option<(Self, Renamed)> {
        let names = self.column_names();
        let have: BTreeSet<&String> = columns.iter().collect();
        if names.is_empty() || names.iter().all(|name| have.contains(name)) {
            return None;
        }
        if names.iter().enumerate().all(|(at, name)| is_numbered(name, at))
            && !names.iter().any(|name| have.contains(name))
        {
            let features: Vec<&String> = columns.iter().filter(|name| Some(name.as_str()) != target).collect();
            if features.len() != names.len() {
                return None;
            }
            let first = format!("`{}` for `{}`", features[0].escape_debug(), names[0].escape_debug());
            return Some((self.renamed(features.into_iter().cloned().collect()), Renamed::InOrder { first }));
        }
        let taken: BTreeSet<&String> = names.iter().filter(|name| have.contains(name)).collect();
        let mut of_key: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for column in columns.iter().filter(|column| !taken.contains(column) && Some(column.as_str()) != target) {
            of_key.entry(key(column)).or_default().push(column);
        }
        let mut pairs = Vec::new();
        let mut found = Vec::with_capacity(names.len());
        let mut used = BTreeSet::new();
        for name in &names {
            if taken.contains(name) {
                found.push(name.clone());
                continue;
            }
            let [column] = of_key.get(&key(name))?[..] else { return None };
            if !used.insert(column) {
                return None;
            }
            pairs.push((name.clone(), column.clone()));
            found.push(column.clone());
        }
        Some((self.renamed(found), Renamed::Alike(pairs)))
    }

    /// The names of the table's columns that the file has.
    pub fn column_names(&self) -> Vec<String> {
        match &self.input {
            Some(input) => input.columns.iter().map(|column| column.name.clone()).collect(),
            None => self.feature_names.clone(),
        }
    }

    fn renamed(&self, names: Vec<String>) -> Self {
        let mut made = self.clone();
        if let Some(input) = &mut made.input {
            input.columns.iter_mut().zip(&names).for_each(|(column, name)| column.name.clone_from(name));
        }
        if !made.feature_names.is_empty() {
            made.feature_names = names;
        }
        made
    }
}

/// Whether a name says no more than a column's place.
fn is_numbered(name: &str, place: usize) -> bool {
    let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
    let prefix = name[..name.len() - number.len()].to_ascii_lowercase();
    let known = ["", "f", "x", "column_", "feature_", "feature", "col", "col_", "column", "var_", "v"];
    // Some count from 1.
    known.contains(&prefix.as_str())
        && number.parse::<usize>().is_ok_and(|number| number == place || number == place + 1)
}

/// What names that are alike have in common: their letters and digits, in parts.
fn key(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::super::model::{FloatModel, Linear};
    use super::*;
    use fhectl_core::bundle::ScoreUnit;

    fn model(names: &[&str]) -> Imported {
        Imported {
            source: String::new(),
            input: None,
            features: names.len(),
            feature_names: names.iter().map(ToString::to_string).collect(),
            classes: Vec::new(),
            unit: ScoreUnit::Logit,
            preprocessing: Vec::new(),
            head: None,
            reveals_training_rows: false,
            model: FloatModel::Linear(Linear { weights: vec![vec![1.0; names.len()]], biases: vec![0.0] }),
        }
    }

    fn called(names: &[&str], columns: &[&str], target: Option<&str>) -> Option<(Vec<String>, Renamed)> {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        model(names).called(&columns, target).map(|(made, renamed)| (made.feature_names, renamed))
    }

    #[test]
    fn names_that_are_alike_are_the_same() {
        let (names, renamed) =
            called(&["my_name", "a_0_", "age"], &["age", "my name", "a[0]", "y"], Some("y")).unwrap();
        assert_eq!(names, ["my name", "a[0]", "age"]);
        assert!(matches!(renamed, Renamed::Alike(pairs) if pairs.len() == 2));
        // Nothing is guessed: two columns are alike, one name is not there, or all are there already.
        assert_eq!(called(&["a_b"], &["a b", "a-b", "y"], Some("y")), None);
        assert_eq!(called(&["a_b", "c"], &["a b", "d", "y"], Some("y")), None);
        assert_eq!(called(&["a"], &["a", "A", "y"], Some("y")), None);
        assert_eq!(called(&["a_b", "a b"], &["a-b", "c"], None), None);
        // A target is no feature.
        assert_eq!(called(&["my_y"], &["x", "my y"], Some("my y")), None);
    }

    #[test]
    fn numbers_for_names_are_places() {
        let (names, renamed) = called(&["f0", "f1"], &["age", "y", "fare"], Some("y")).unwrap();
        assert_eq!(names, ["age", "fare"]);
        assert_eq!(renamed, Renamed::InOrder { first: "`age` for `f0`".into() });
        assert!(called(&["0", "1"], &["age", "fare"], None).is_some());
        assert!(called(&["Column_1", "Column_2"], &["age", "fare"], None).is_some());
        assert_eq!(called(&["f1", "f0"], &["age", "fare"], None), None);
        assert_eq!(called(&["f0", "f1"], &["age", "f1"], None), None);
        assert_eq!(called(&["f0", "f1"], &["age", "fare", "size"], None), None);
    }
}
