//! Tables with more than numbers: rows of text, until it is known what their columns hold.

use super::column_kinds::{Notes, infer};
use super::records::{encode_row, need_features, not_empty, unlabeled, without_controls};
use super::table::{Place, Table};
use super::table_options::TableOptions;
use super::target::{Target, told_at_once};
use super::task::Task;
use super::{Dataset, shorten};
use ::csv::StringRecord;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::InputSchema;
use std::path::{Path, PathBuf};

/// The most bytes of text that are held.
const MAX_TEXT: usize = 1 << 30;
/// What a record takes beside its text and the ends of its cells.
const RECORD: usize = 192;

/// Which column is to be predicted.
#[derive(Debug, Clone, Copy)]
pub(super) enum TargetColumn<'a> {
    Last,
    Named(&'a str),
    /// None is: rows have no labels.
    None,
}

/// A table of text, labeled or not.
#[derive(Debug, Clone)]
pub(super) struct CellTable {
    path: PathBuf,
    /// The names of all columns but the target, and where they stand in a record.
    names: Vec<String>,
    columns: Vec<usize>,
    records: Vec<StringRecord>,
    /// Where each record stood in the file, as a person counts.
    places: Vec<Place>,
    /// Labels and names, without rows.
    labels: Dataset,
}

impl CellTable {
    /// Reads all cells.
    ///
    /// # Errors
    /// Those of [`Table`] and [`Target`]; `csv_columns` without a column beside the target, or where `options` name one
    /// that there is not; `data_too_large`.
    pub fn read(path: &Path, target: TargetColumn<'_>, reading: (Task, bool), options: &TableOptions) -> Result<Self> {
        let table = Table::open(path, options)?;
        let target_at = match target {
            TargetColumn::Last => Some(table.target(None)?),
            TargetColumn::Named(name) => Some(table.target(Some(name))?),
            TargetColumn::None => None,
        };
        check_named(&table.headers, options, path)?;
        let is_feature = |column: &usize| Some(*column) != target_at && !options.drop.contains(&table.headers[*column]);
        let columns: Vec<usize> = (0..table.headers.len()).filter(is_feature).collect();
        table.check_readable(columns.iter().copied().chain(target_at))?;
        let names: Vec<String> = columns.iter().map(|column| table.headers[*column].clone()).collect();
        let target_name = target_at.map_or(String::new(), |at| table.headers[at].clone());
        need_features(path, &target_name, &names)?;
        let mut target = Target::new(target_name.clone(), reading);
        let (mut records, mut places, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut labeled = Ok(());
        table.for_each(|place, record| {
            bytes += record.as_slice().len() + 16 * record.len() + RECORD;
            if bytes > MAX_TEXT {
                return Err(place
                    .error(ErrorCode::DataTooLarge, "more than 1 GiB of cells that are not all numbers")
                    .hint("give fewer rows, or leave columns of text out of the file"));
            }
            if let (Some(at), true) = (target_at, labeled.is_ok()) {
                labeled = target.push(place, &without_controls(&record[at]));
            }
            told_at_once(&labeled)?;
            records.push(record.iter().map(without_controls).collect());
            places.push(place);
            Ok(())
        })?;
        not_empty(path, records.len())?;
        let mut labels = unlabeled(path, target_name, names.clone(), Vec::new());
        // What says how many rows there are.
        labels.rows = vec![Vec::new(); records.len()];
        if target_at.is_some() {
            labeled
                .and_then(|()| target.finish(&mut labels))
                .map_err(|error| hint_at_target(error, &names, &columns, &records).context(path.display()))?;
        }
        Ok(Self { path: path.to_owned(), names, columns, records, places, labels })
    }

    /// Labels, classes and names; rows are empty.
    pub fn labels(&self) -> &Dataset {
        &self.labels
    }

    /// The rows at `indices`, in that order. They move, so that their text is in memory once.
    pub fn take(&mut self, indices: &[usize]) -> Self {
        Self {
            path: self.path.clone(),
            names: self.names.clone(),
            columns: self.columns.clone(),
            records: indices.iter().map(|index| std::mem::take(&mut self.records[*index])).collect(),
            places: indices.iter().map(|index| self.places[*index]).collect(),
            labels: self.labels.select(indices),
        }
    }

    /// What the columns hold, and what there is to say about them.
    ///
    /// # Errors
    /// `csv_cell` for a cell that does not suit its column; `csv_columns` where no column is left.
    pub fn infer(&self, options: &TableOptions) -> Result<(InputSchema, Notes)> {
        let cell = |column: usize, row: usize| &self.records[row][self.columns[column]];
        let place = |row: usize| self.places[row];
        let inferred = infer(&self.names, self.records.len(), &cell, &place, options);
        inferred.map_err(|error| error.context(self.path.display()))
    }

    /// The rows as numbers, by a schema of some of the columns.
    ///
    /// # Errors
    /// `csv_columns` where the schema has a column that the table lacks, `csv_cell` for a cell that does not suit its
    /// column.
    pub fn encode(&self, schema: &InputSchema) -> Result<Dataset> {
        let of_column = |column: &fhectl_core::model::InputColumn| {
            let at = self.names.iter().position(|name| *name == column.name);
            at.map(|at| self.columns[at]).ok_or_else(|| {
                Error::new(ErrorCode::CsvColumns, format!("{}: columns missing `{}`", self.path.display(), column.name))
            })
        };
        let columns: Vec<usize> = schema.columns.iter().map(of_column).collect::<Result<_>>()?;
        let row = |(record, place): (&StringRecord, &Place)| {
            encode_row(schema, &columns, record, *place).map_err(|error| error.context(self.path.display()))
        };
        let rows: Vec<Vec<f64>> = self.records.iter().zip(&self.places).map(row).collect::<Result<_>>()?;
        let features = schema.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Dataset { rows, features, input: Some(schema.clone()), ..self.labels.clone() })
    }
}

/// An error of the target, with columns that look more like one.
fn hint_at_target(error: Error, names: &[String], columns: &[usize], records: &[StringRecord]) -> Error {
    if error.code != ErrorCode::CsvTarget {
        return error;
    }
    let is_label = |column: &usize| {
        let texts: std::collections::BTreeSet<&str> =
            records.iter().take(10_000).map(|record| &record[*column]).collect();
        (2..=20).contains(&texts.len()) && texts.iter().any(|text| text.parse::<f64>().is_err())
    };
    let found: Vec<&String> =
        names.iter().zip(columns).filter(|(_, column)| is_label(column)).map(|(n, _)| n).collect();
    match found.first() {
        Some(first) => {
            let hint = format!("the last column is taken where none is named; is it --target {}?", shorten(first));
            error.hint(hint)
        }
        None => error,
    }
}

/// Refuses options that name a column which the table does not have.
fn check_named(headers: &[String], options: &TableOptions, path: &Path) -> Result<()> {
    let lists = [
        ("--drop", &options.drop),
        ("--dates", &options.dates),
        ("--text", &options.text),
        ("--category", &options.categories),
    ];
    for (flag, names) in lists {
        if let Some(name) = names.iter().find(|name| !headers.contains(name)) {
            let message = format!("{}: {flag} names `{}`, no column", path.display(), shorten(name));
            return Err(
                Error::new(ErrorCode::CsvColumns, message).hint(format!("its columns are {}", super::list(headers)))
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_table_that_is_split_are_not_copied() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,y\nred,0\nblue,1\nred,1\nblue,0\n").unwrap();
        let options = TableOptions::default();
        let read = || CellTable::read(&path, TargetColumn::Last, (Task::Classify, false), &options).unwrap();
        let schema = read().infer(&options).unwrap().0;
        let whole = read().encode(&schema).unwrap();
        let mut cells = read();
        assert_eq!(cells.take(&[2, 0]).encode(&schema).unwrap(), whole.select(&[2, 0]));
        assert_eq!(cells.take(&[1, 3]).encode(&schema).unwrap(), whole.select(&[1, 3]));
        // What was taken is no longer there.
        assert!(cells.records.iter().all(|record| record.is_empty()));
    }
}
