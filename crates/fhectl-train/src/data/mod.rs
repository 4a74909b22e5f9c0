//! Data sets: built-in ones, CSV and IDX readers, and the seeded split into training and test rows.
//!
//! Nothing here prints or opens a socket.

mod cells;
mod column_kinds;
mod columns;
mod csv;
mod decode;
mod dialect;
mod header;
mod idx;
mod idx_rows;
mod image;
mod open;
pub(crate) mod random;
mod records;
mod row_limit;
mod sentinel;
mod shipped;
mod source;
mod split;
mod synthetic;
mod table;
mod table_options;
mod target;
mod task;
mod vocabulary;

pub(crate) use self::column_kinds::FEWEST_ROWS;
pub use self::csv::{ModelColumns, TableRow, read_rows};
pub use idx::{Images, read_images, read_labels};
pub use idx_rows::load_mnist;
pub use image::ImageShape;
pub use source::{BUILT_IN, Holdout, Loaded, Source, column_names, is_images, load, load_split, read_labeled};
pub use split::{split, split_indices};
pub use synthetic::synthetic;
pub use table_options::{TableOptions, TextEncoding, parse_separator};
pub use target::ClassIds;
pub use task::Task;

use fhectl_core::digest::Sha256;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{InputSchema, Output};

/// The most classes a target may have; beyond this it is taken for a number to predict.
pub const MAX_CLASSES: usize = 256;

/// Rows of numbers with a class or a number each.
///
/// Every row has `features.len()` values, finite ones unless there is an `input` and every label is an index into `classes`; where a number is to be predicted,
/// `values` holds one a row, and `classes` and `labels` are empty. A data set may
/// lack rows of a class (a test set often does), never the class's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What a person calls it: a built-in name or the file's stem.
    pub name: String,
    /// The label column's name.
    pub target: String,
    /// The columns' names, in the order of a row's values.
    pub features: Vec<String>,
    /// How the cells of the table became the rows' numbers, where it holds more than numbers. Then `features` are the table's
    /// columns, a missing cell is NaN, and a column of texts has as many numbers as words.
    pub input: Option<InputSchema>,
    /// The classes' names, numerically sorted if they are integers, else lexicographically.
    pub classes: Vec<String>,
    pub rows: Vec<Vec<f64>>,
    /// One class index a row.
    pub labels: Vec<u32>,
    /// One number a row, where the target is one.
    pub values: Vec<f64>,
    /// Where the rows are known to be images; not part of the digest.
    pub image: Option<ImageShape>,
}

impl Dataset {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether rows have a class or a number each.
    pub fn is_labeled(&self) -> bool {
        !self.labels.is_empty() || !self.values.is_empty()
    }

    /// What there is to predict.
    pub fn output(&self) -> Output {
        if self.classes.is_empty() { Output::Value } else { Output::Classes(self.classes.len()) }
    }

    /// The same rows with the numbers that their classes spell as what is to be predicted.
    ///
    /// # Errors
    /// `csv_target` where a class is no finite number.
    fn into_values(mut self) -> Result<Self> {
        let numbers = self.classes.iter().map(|class| class.parse().ok().filter(|value: &f64| value.is_finite()));
        let numbers: Option<Vec<f64>> = numbers.collect();
        let Some(numbers) = numbers else {
            return Err(Error::new(
                ErrorCode::CsvTarget,
                format!("the target `{}` is no number", shorten(&self.target)),
            )
            .hint("only numbers can be predicted with `--task regress`"));
        };
        self.values = self.labels.iter().map(|label| numbers[*label as usize]).collect();
        self.labels.clear();
        self.classes.clear();
        Ok(self)
    }

    /// The values of one feature, in row order.
    pub fn column(&self, feature: usize) -> Vec<f64> {
        self.rows.iter().map(|row| row[feature]).collect()
    }

    /// The number of rows of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for label in &self.labels {
            counts[*label as usize] += 1;
        }
        counts
    }

    /// The rows at `indices`, in that order, under the same names.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            target: self.target.clone(),
            features: self.features.clone(),
            input: self.input.clone(),
            classes: self.classes.clone(),
            rows: indices.iter().map(|index| self.rows[*index].clone()).collect(),
            labels: self
                .labels
                .is_empty()
                .then(Vec::new)
                .unwrap_or_else(|| indices.iter().map(|index| self.labels[*index]).collect()),
            values: self
                .values
                .is_empty()
                .then(Vec::new)
                .unwrap_or_else(|| indices.iter().map(|index| self.values[*index]).collect()),
            image: self.image,
        }
    }

    /// As [`Dataset::select`] of rows that are not needed again: they move, for twice of a large table may be too much.
    #[must_use]
    fn take(&mut self, indices: &[usize]) -> Self {
        let rows = indices.iter().map(|index| std::mem::take(&mut self.rows[*index])).collect();
        Self { rows, ..self.select(indices) }
    }

    /// SHA-256 over names, the bits of every value and the labels: equal exactly for equal data.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        // Lengths go before their items, so that no two data sets feed the same bytes.
        let mut names = |list: &[String]| {
            hash.update((list.len() as u64).to_le_bytes());
            for name in list {
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name.as_bytes());
            }
        };
        names(&[self.name.clone(), self.target.clone()]);
        names(&self.features);
        names(&self.classes);
        hash.update((self.rows.len() as u64).to_le_bytes());
        for (index, row) in self.rows.iter().enumerate() {
            for value in row {
                hash.update(value.to_bits().to_le_bytes());
            }
            match self.output() {
                _ if !self.is_labeled() => {}
                Output::Classes(_) => hash.update(self.labels[index].to_le_bytes()),
                Output::Value | Output::Scores(_) => hash.update(self.values[index].to_bits().to_le_bytes()),
            }
        }
        hash.finish()
    }

    /// Refuses data from which nothing can be learned.
    ///
    /// # Errors
    /// `csv_empty` without rows, `one_class` where every row has the same class, `class_empty` where a
    /// class has no row, `constant_features` where no feature takes two values.
    pub fn check_trainable(&self) -> Result<()> {
        if self.rows.is_empty() {
            return Err(Error::new(ErrorCode::CsvEmpty, format!("`{}` has no rows", self.name)));
        }
        if self.output() == Output::Value {
            if self.values.iter().all(|value| *value == self.values[0]) {
                return Err(Error::new(
                    ErrorCode::OneValue,
                    format!("every row has `{}` = {}", self.target, self.values[0]),
                )
                .hint("a regression needs rows of different values; is `--target` the column you meant?"));
            }
        } else if self.labels.iter().all(|label| *label == self.labels[0]) {
            return Err(one_class(&self.target, &self.classes[self.labels[0] as usize]));
        }
        if let Some(class) = self.class_counts().iter().position(|count| *count == 0) {
            let name = shorten(&self.classes[class]);
            return Err(Error::new(ErrorCode::ClassEmpty, format!("no row of `{}` has the class `{name}`", self.name)));
        }
        self.check_features()
    }

    /// Refuses rows that are all the same.
    ///
    /// # Errors
    /// `csv_empty` without rows, `constant_features` where no feature takes two values.
    pub fn check_features(&self) -> Result<()> {
        let Some(first) = self.rows.first() else {
            return Err(Error::new(ErrorCode::CsvEmpty, format!("`{}` has no rows", self.name)));
        };
        if self.rows.iter().all(|row| row == first) {
            return Err(Error::new(
                ErrorCode::ConstantFeatures,
                format!("no feature of `{}` takes more than one value in {} rows", self.name, self.len()),
            )
            .hint("a model needs at least one column that differs between rows"));
        }
        Ok(())
    }
}

fn one_class(target: &str, class: &str) -> Error {
    Error::new(ErrorCode::OneClass, format!("every row has `{target}` = `{}`", shorten(class)))
        .hint("a classifier needs rows of at least two classes; is `--target` the column you meant?")
}

/// `text` as it may stand in a message: one line of at most 40 characters.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

/// Names in a message: the first few, each in backticks.
fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&String> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{}`", shorten(name))).collect();
    match names.len().saturating_sub(8) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Dataset {
        Dataset {
            name: "tiny".into(),
            target: "y".into(),
            features: vec!["a".into()],
            input: None,
            classes: vec!["no".into(), "yes".into()],
            rows: vec![vec![1.0], vec![2.0]],
            labels: vec![0, 1],
            values: Vec::new(),
            image: None,
        }
    }

    #[test]
    fn the_digest_sees_every_part() {
        let base = tiny();
        let mut variants = vec![base.digest()];
        for change in [
            |d: &mut Dataset| d.rows[0][0] = -1.0,
            |d: &mut Dataset| d.labels[0] = 1,
            |d: &mut Dataset| d.classes[0].push('x'),
            |d: &mut Dataset| d.features[0].push('x'),
            |d: &mut Dataset| d.target.push('x'),
        ] {
            let mut other = base.clone();
            change(&mut other);
            variants.push(other.digest());
        }
        variants.sort_unstable();
        variants.dedup();
        assert_eq!(variants.len(), 6);
        assert_eq!(base.digest(), tiny().digest());
    }

    #[test]
    fn classes_that_are_numbers_can_be_values() {
        assert_eq!(tiny().into_values().unwrap_err().code, ErrorCode::CsvTarget);
        let numbers = Dataset { classes: vec!["-1".into(), "2.5".into()], labels: vec![1, 0], ..tiny() };
        let values = numbers.into_values().unwrap();
        assert_eq!((values.output(), &values.values[..]), (Output::Value, &[2.5, -1.0][..]));
        assert_eq!(values.select(&[1]).values, [-1.0]);
        let mut other = values.clone();
        other.values[0] = 2.0;
        assert_ne!(values.digest(), other.digest());
        other.values[0] = -1.0;
        assert_eq!(other.check_trainable().unwrap_err().code, ErrorCode::OneValue);
    }

    #[test]
    fn data_without_information_is_refused() {
        tiny().check_trainable().unwrap();
        let constant = Dataset { rows: vec![vec![1.0], vec![1.0]], ..tiny() };
        assert_eq!(constant.check_trainable().unwrap_err().code, ErrorCode::ConstantFeatures);
        let lacking = Dataset { classes: vec!["no".into(), "yes".into(), "never".into()], ..tiny() };
        assert_eq!(lacking.check_trainable().unwrap_err().code, ErrorCode::ClassEmpty);
        let single = Dataset { labels: vec![1, 1], ..tiny() };
        assert_eq!(single.check_trainable().unwrap_err().code, ErrorCode::OneClass);
    }

    #[test]
    fn long_texts_are_cut_on_one_line() {
        assert_eq!(shorten("a\nb"), "a\\nb");
        assert_eq!(shorten(&"x".repeat(99)).chars().count(), 41);
    }
}
