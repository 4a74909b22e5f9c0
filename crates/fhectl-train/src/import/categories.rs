//! Columns of categories: what their cells hold, and which numbers of a row stand for a model's code.

use super::model::{MAX_FEATURES, large};
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnKind, InputColumn, InputSchema};

/// A column whose codes a file explains.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Categories {
    kind: ColumnKind,
    /// For each code the numbers of the row that stand for it.
    numbers: Vec<Vec<f64>>,
}

impl Categories {
    /// Of texts, the first of them code 0. Tables may hold the codes in their place, where no text could be meant by them.
    ///
    /// # Errors
    /// `import_large` for more of them than a schema may have.
    pub(super) fn texts(names: &[String]) -> Result<Self> {
        let numeric = names.iter().any(|name| name.trim().parse::<f64>().is_ok());
        Self::listed(names, !numeric)
    }

    /// Of texts alone, the first of them code 0.
    ///
    /// # Errors
    /// As [`Categories::texts`].
    pub(super) fn names(names: &[String]) -> Result<Self> {
        Self::listed(names, false)
    }

    fn listed(names: &[String], coded: bool) -> Result<Self> {
        let codes: Vec<String> = (0..names.len()).map(|code| code.to_string()).collect();
        // Cells are read without spaces around them.
        let mut values: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        values.extend(codes.iter().filter(|_| coded).cloned());
        values.sort_unstable();
        values.dedup();
        if values.len() > MAX_FEATURES {
            return Err(large(format!("{} categories", names.len())));
        }
        let place = |text: &str| values.binary_search_by(|value| value.as_str().cmp(text)).ok().map(|at| at as f64);
        let of = |(name, code): (&String, &String)| {
            place(name.trim()).into_iter().chain(place(code).filter(|_| coded)).collect()
        };
        Ok(Self { numbers: names.iter().zip(&codes).map(of).collect(), kind: ColumnKind::Category { values } })
    }

    /// Of numbers, the first of them code 0.
    pub(super) fn numbers(values: &[f64]) -> Self {
        Self { kind: ColumnKind::Number, numbers: values.iter().map(|value| vec![*value]).collect() }
    }

    /// Of truth values, the first of them code 0.
    pub(super) fn booleans(values: &[bool]) -> Self {
        let number = |value: &bool| vec![f64::from(u8::from(*value))];
        Self { kind: ColumnKind::Boolean, numbers: values.iter().map(number).collect() }
    }

    /// The numbers of a row that stand for any of these codes.
    pub(super) fn of_codes(&self, codes: impl IntoIterator<Item = usize>) -> Vec<f64> {
        codes.into_iter().filter_map(|code| self.numbers.get(code)).flatten().copied().collect()
    }
}

/// How cells become numbers: columns that are not explained hold numbers. `None` where all do.
pub(super) fn schema(names: &[String], columns: &[Option<Categories>]) -> Option<InputSchema> {
    let kind = |column: &Option<Categories>| column.as_ref().map_or(ColumnKind::Number, |column| column.kind.clone());
    if columns.iter().all(|column| kind(column) == ColumnKind::Number) {
        return None;
    }
    let name = |index: usize| names.get(index).cloned().unwrap_or_else(|| format!("x{index}"));
    let column = |(index, column)| InputColumn { name: name(index), kind: kind(column) };
    Some(InputSchema { columns: columns.iter().enumerate().map(column).collect(), missing: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_their_codes_are_the_same_category() {
        let city = Categories::texts(&["Rome".into(), "Oslo".into()]).unwrap();
        let schema = schema(&[], &[None, Some(city.clone())]).unwrap();
        schema.check().unwrap();
        let row = |cell: &str| schema.encode(&["1", cell]).unwrap()[1];
        for (cells, codes) in [(["Rome", "0"], 0), (["Oslo", "1"], 1)] {
            let numbers = city.of_codes([codes]);
            assert!(cells.iter().all(|cell| numbers.contains(&row(cell))), "{cells:?}");
        }
        assert!(!city.of_codes([0, 1]).contains(&row("Paris")));
        assert!(row("").is_nan());
    }

    #[test]
    fn texts_that_are_numbers_have_no_codes() {
        let year = Categories::texts(&["2".into(), "1".into()]).unwrap();
        let schema = schema(&["year".into()], &[Some(year.clone())]).unwrap();
        assert_eq!(year.of_codes([0]), [schema.encode(&["2"]).unwrap()[0]]);
        assert_eq!(year.of_codes([1, 7]), [schema.encode(&["1"]).unwrap()[0]]);
    }

    #[test]
    fn numbers_need_no_schema() {
        let levels = Categories::numbers(&[10.0, 3.0]);
        assert_eq!(levels.of_codes([1]), [3.0]);
        assert_eq!(schema(&[], &[None, Some(levels)]), None);
    }
}
