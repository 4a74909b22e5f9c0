//! From the cells of a table to numbers.

mod cell;
mod column;
mod date;
mod words;

pub use cell::{MISSING, boolean, is_missing, number_hint};
pub use column::{ColumnKind, InputColumn};
pub use date::days_since_1970;
pub use words::{Vocabulary, Words, WordsNorm};

use super::invalid;
use crate::error::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The most columns of a table, and the most categories of one.
const MAX_COLUMNS: usize = 1 << 16;
/// The most texts that stand for a missing value: every cell is compared with all.
const MAX_MISSING: usize = 1000;
/// The most numbers that a row becomes.
const MAX_WIDTH: usize = 1 << 18;

/// How the cells of a table's row become numbers. It is public: client.zip holds the names of categories and the words
/// of texts.
///
/// ```
/// use fhectl_core::model::{ColumnKind, InputColumn, InputSchema};
///
/// let column = |name: &str, kind| InputColumn { name: name.to_owned(), kind };
/// let schema = InputSchema {
///     columns: vec![
///         column("age", ColumnKind::Number),
///         column("color", ColumnKind::Category { values: vec!["blue".into(), "red".into()] }),
///         column("member", ColumnKind::Boolean),
///     ],
///     missing: Vec::new(),
/// };
/// assert_eq!(schema.encode(&["41.5", "red", "yes"])?, [41.5, 1.0, 1.0]);
/// assert!(schema.encode(&["NA", "green", "no"])?[0].is_nan());
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputSchema {
    pub columns: Vec<InputColumn>,
    /// Texts that stand for a missing value, beside [`MISSING`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl InputSchema {
    /// A schema of numbers.
    pub fn numbers(names: &[String]) -> Self {
        let number = |name: &String| InputColumn { name: name.clone(), kind: ColumnKind::Number };
        Self { columns: names.iter().map(number).collect(), missing: Vec::new() }
    }

    /// This schema; where there is none, one of numbers.
    pub fn or_numbers<'a>(known: Option<&'a Self>, names: &[String]) -> Cow<'a, Self> {
        known.map_or_else(|| Cow::Owned(Self::numbers(names)), Cow::Borrowed)
    }

    /// How many numbers a row becomes.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.kind.width()).sum()
    }

    /// The numbers of one row, whose cells are in the order of the columns. Missing ones are NaN.
    ///
    /// # Errors
    /// `row_shape` for another number of cells, `row_value` for a cell that does not suit its column.
    pub fn encode<S: AsRef<str>>(&self, cells: &[S]) -> Result<Vec<f64>> {
        if cells.len() != self.columns.len() {
            let what = format!("the row has {} cells, the model takes {}", cells.len(), self.columns.len());
            return Err(Error::new(ErrorCode::RowShape, what).hint("`fhectl inspect` lists the columns in their order"));
        }
        let mut numbers = Vec::with_capacity(self.width());
        for (column, cell) in self.columns.iter().zip(cells) {
            self.encode_cell(column, cell.as_ref(), &mut numbers)?;
        }
        Ok(numbers)
    }

    /// Adds the numbers of one cell.
    ///
    /// # Errors
    /// `row_value`, which names the column and shows the cell.
    pub fn encode_cell(&self, column: &InputColumn, cell: &str, numbers: &mut Vec<f64>) -> Result<()> {
        let text = cell.trim();
        if let ColumnKind::Text { words } = &column.kind {
            words.count_into(cell, numbers);
            return Ok(());
        }
        let number = match &column.kind {
            // A category may be named as what stands for nothing elsewhere.
            ColumnKind::Category { values } => match values.binary_search_by(|value| value.as_str().cmp(text)) {
                Ok(index) => Some(index as f64),
                Err(_) if self.is_missing(text) => Some(f64::NAN),
                Err(_) => Some(values.len() as f64),
            },
            _ if self.is_missing(text) => Some(f64::NAN),
            ColumnKind::Number => cell::number(text),
            ColumnKind::Boolean => cell::boolean(text),
            ColumnKind::Date => date::days_since_1970(text),
            ColumnKind::Text { .. } => None,
        };
        numbers.push(number.ok_or_else(|| cell::refused(column, text))?);
        Ok(())
    }

    /// Whether a cell stands for a missing value.
    pub fn is_missing(&self, text: &str) -> bool {
        is_missing(text) || self.missing.iter().any(|missing| missing == text)
    }

    /// Checks what later code relies on.
    ///
    /// # Errors
    /// `model_invalid`.
    pub fn check(&self) -> Result<()> {
        if self.columns.is_empty() || self.columns.len() > MAX_COLUMNS {
            return Err(invalid(format!("{} columns, want 1 to {MAX_COLUMNS}", self.columns.len())));
        }
        if self.width() > MAX_WIDTH {
            return Err(invalid(format!("a row of {} numbers, at most {MAX_WIDTH}", self.width())));
        }
        if self.missing.len() > MAX_MISSING {
            return Err(invalid(format!("{} texts for a missing value, at most {MAX_MISSING}", self.missing.len())));
        }
        let control = |text: &String| text.chars().any(char::is_control);
        for column in &self.columns {
            if control(&column.name) {
                return Err(invalid(format!("the column `{}` holds control characters", column.name.escape_debug())));
            }
            match &column.kind {
                ColumnKind::Category { values } => {
                    let sorted = values.windows(2).all(|pair| pair[0] < pair[1]);
                    if !sorted || values.len() > MAX_COLUMNS {
                        return Err(invalid(format!(
                            "the categories of `{}` are not sorted, or too many",
                            column.name
                        )));
                    }
                }
                ColumnKind::Text { words } => words.check()?,
                ColumnKind::Number | ColumnKind::Boolean | ColumnKind::Date => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: ColumnKind, cell: &str) -> Result<f64> {
        let schema =
            InputSchema { columns: vec![InputColumn { name: "c".into(), kind }], missing: vec!["-99".to_owned()] };
        schema.check()?;
        schema.encode(&[cell]).map(|numbers| numbers[0])
    }

    #[test]
    fn cells_become_numbers() {
        let category = || ColumnKind::Category { values: vec!["NA".into(), "a b".into(), "c".into()] };
        for (kind, cell, wanted) in [
            (ColumnKind::Number, " -1.5e3 ", -1500.0),
            (ColumnKind::Boolean, "TRUE", 1.0),
            (ColumnKind::Boolean, "no", 0.0),
            (ColumnKind::Boolean, "1", 1.0),
            (category(), "a b", 1.0),
            (category(), "NA", 0.0),
            (category(), "d", 3.0),
            (ColumnKind::Date, "1970-01-03", 2.0),
            (ColumnKind::Date, "1970-01-01T12:00:00", 0.5),
        ] {
            assert_eq!(one(kind.clone(), cell).unwrap(), wanted, "{kind:?} {cell}");
        }
        for kind in [ColumnKind::Number, ColumnKind::Boolean, ColumnKind::Date, category()] {
            assert!(one(kind.clone(), "").unwrap().is_nan() && one(kind, "-99").unwrap().is_nan());
        }
        for (kind, cell) in [(ColumnKind::Number, "abc"), (ColumnKind::Boolean, "maybe"), (ColumnKind::Date, "soon")] {
            assert_eq!(one(kind, cell).unwrap_err().code, ErrorCode::RowValue);
        }
    }

    #[test]
    fn cells_that_only_look_like_numbers_are_named() {
        for (cell, hint) in [
            ("1,200", "thousands"),
            ("1 200.5", "thousands"),
            ("1\u{a0}200", "thousands"),
            ("1.200,5", "thousands"),
            ("1'200", "thousands"),
            ("\u{2212}5", "hyphen"),
            ("12 %", "percent"),
            ("€ 5", "currency"),
            ("3,5", "decimal-comma"),
            ("inf", "finite"),
        ] {
            let error = one(ColumnKind::Number, cell).unwrap_err();
            assert!(error.message.contains(&cell.escape_debug().to_string()), "{error:?}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{error:?}");
        }
    }

    #[test]
    fn a_few_bytes_make_no_endless_row() {
        let words = Words::counts(Vocabulary::Hashed { buckets: 1 << 16 });
        let text = |at: usize| InputColumn { name: at.to_string(), kind: ColumnKind::Text { words: words.clone() } };
        let schema = |count: usize| InputSchema { columns: (0..count).map(text).collect(), missing: Vec::new() };
        schema(4).check().unwrap();
        assert!(schema(5).check().is_err());
    }

    #[test]
    fn a_cell_is_not_compared_with_endless_texts() {
        let schema = |count: usize| InputSchema {
            missing: (0..count).map(|at| at.to_string()).collect(),
            ..InputSchema::numbers(&["x".to_owned()])
        };
        schema(MAX_MISSING).check().unwrap();
        assert!(schema(MAX_MISSING + 1).check().is_err());
    }

    #[test]
    fn categories_must_be_sorted() {
        assert!(one(ColumnKind::Category { values: vec!["b".into(), "a".into()] }, "a").is_err());
    }
}
