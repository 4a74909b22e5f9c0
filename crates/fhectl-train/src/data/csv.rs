//! CSV to rows and classes.

use super::records::{encode_row, need_features, not_empty, unlabeled, without_controls};
use super::table::{Place, Table};
use super::table_options::TableOptions;
use super::target::{ClassIds, Target, label, told_at_once};
use super::task::Task;
use super::{Dataset, list, shorten};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::InputSchema;
use std::collections::HashMap;
use std::path::Path;

/// The most cells of a table of numbers.
const MAX_CELLS: usize = 1 << 27;

/// Reads a labeled table of numbers: every column but the target (by default the last) is a feature. `None` where a cell
/// is no number, or `options` say that a column is something else.
///
/// # Errors
/// Those of opening; `csv_target` for an unknown target, or for classes that look like numbers to predict; `csv_columns`
/// without a feature, `csv_cell` for the target's cells, `csv_ragged`, `csv_empty`, `one_class`.
pub(super) fn read_numbers(
    path: &Path,
    target: Option<&str>,
    reading: (Task, bool),
    options: &TableOptions,
) -> Result<Option<Dataset>> {
    let table = Table::open(path, options)?;
    let at = table.target(target)?;
    let mut features = table.headers.clone();
    let name = features.remove(at);
    need_features(path, &name, &features)?;
    if options.names_columns() {
        return Ok(None);
    }
    table.check_readable(0..=features.len())?;
    let (mut rows, mut clean) = (Vec::new(), true);
    let mut target = Target::new(name.clone(), reading);
    let mut labeled = Ok(());
    table.for_each(|place, record| {
        if !clean {
            return Ok(());
        }
        let cells = record.iter().enumerate().filter(|(index, _)| *index != at);
        let number = |cell: &str| cell.parse().ok().filter(|number: &f64| number.is_finite());
        // No longer than it is: there may be many.
        let mut row = Vec::with_capacity(features.len());
        row.extend(cells.map_while(|(_, cell)| number(cell)));
        match row.len() == features.len() {
            true => rows.push(row),
            false => clean = false,
        }
        too_many(place, rows.len(), features.len())?;
        // Which column may be the better target only the whole table tells.
        if labeled.is_ok() {
            labeled = target.push(place, &without_controls(&record[at]));
        }
        told_at_once(&labeled)
    })?;
    if !clean {
        return Ok(None);
    }
    not_empty(path, rows.len())?;
    labeled.map_err(|error| error.context(path.display()))?;
    let mut data = unlabeled(path, name, features, rows);
    target.finish(&mut data).map_err(|error| error.context(path.display()))?;
    Ok(Some(data))
}

pub(super) fn column_names(path: &Path, options: &TableOptions) -> Result<Vec<String>> {
    Ok(Table::open(path, options)?.headers)
}

fn too_many(place: Place, rows: usize, width: usize) -> Result<()> {
    // A row takes memory of its own, as much as some cells.
    check_cells(place, rows.saturating_mul(width + 8))
}

fn check_cells(place: Place, cells: usize) -> Result<()> {
    if cells > MAX_CELLS {
        return Err(place
            .error(ErrorCode::DataTooLarge, format!("more than {MAX_CELLS} cells"))
            .hint("give fewer rows"));
    }
    Ok(())
}

/// What a model takes of a table: its columns by name, in any order; others are of no concern.
#[derive(Debug, Clone, Copy)]
pub struct ModelColumns<'a> {
    /// How cells become numbers.
    pub schema: &'a InputSchema,
    /// Whether a missing cell stays missing; else it is refused.
    pub missing: bool,
}

impl ModelColumns<'_> {
    /// Where each column stands in the file.
    fn find(&self, table: &Table, path: &Path) -> Result<Vec<usize>> {
        let at: HashMap<&str, usize> = table.headers.iter().map(String::as_str).zip(0..).collect();
        let found: Vec<Option<usize>> = self.schema.columns.iter().map(|c| at.get(c.name.as_str()).copied()).collect();
        let missing: Vec<&String> =
            self.schema.columns.iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(c, _)| &c.name).collect();
        if !missing.is_empty() {
            let message = format!("{}: columns missing {}", path.display(), list(missing));
            return Err(Error::new(ErrorCode::CsvColumns, message).hint(format!(
                "columns are matched by name; the file has {}, and `fhectl inspect` lists those that the model takes",
                list(&table.headers)
            )));
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn row(&self, columns: &[usize], record: &::csv::StringRecord, place: Place) -> Result<Vec<f64>> {
        let row = encode_row(self.schema, columns, record, place)?;
        if !self.missing
            && let Some(at) = row.iter().position(|number| number.is_nan())
        {
            let name = self.schema.columns.get(at).map_or("a column", |column| &column.name);
            return Err(place
                .error(ErrorCode::CsvCell, format!("column `{}` is missing", shorten(name)))
                .hint("fill it in or drop the row; this model has no rule for missing values"));
        }
        Ok(row)
    }
}

/// One row of a table without labels: its numbers, or why there are none, and the cells of columns that were asked for.
/// Of many rows without numbers the first thousand say why; the others have the code alone.
#[derive(Debug, Clone)]
pub struct TableRow {
    pub numbers: Result<Vec<f64>>,
    pub kept: Vec<String>,
}

/// Rows whose errors are told whole: a message takes as much memory as a hundred numbers.
const TOLD: usize = 1000;
/// What a row takes in memory beside its numbers, in numbers.
const ROW: usize = 24;

/// Reads rows without labels, each with the cells of the columns `keep`. A row that does not suit the model has its error.
///
/// # Errors
/// `csv_columns` naming missing columns, `csv_ragged`, `csv_empty`.
pub fn read_rows(
    path: &Path,
    columns: ModelColumns<'_>,
    keep: &[String],
    options: &TableOptions,
) -> Result<Vec<TableRow>> {
    let table = Table::open(path, options)?;
    let at = columns.find(&table, path)?;
    let kept = |name: &String| {
        table.headers.iter().position(|header| header == name).ok_or_else(|| {
            Error::new(
                ErrorCode::CsvColumns,
                format!("{}: --keep names `{}`, no column", path.display(), shorten(name)),
            )
            .hint(format!("its columns are {}", list(&table.headers)))
        })
    };
    let kept: Vec<usize> = keep.iter().map(kept).collect::<Result<_>>()?;
    table.check_readable(kept.iter().copied())?;
    let shown = path.display();
    let (mut rows, mut refused, mut held) = (Vec::new(), 0, 0);
    table.for_each(|place, record| {
        // Cells that are kept are text, of any length.
        held += columns.schema.width() + ROW + kept.iter().map(|column| 4 + record[*column].len() / 8).sum::<usize>();
        check_cells(place, held)?;
        let numbers = columns.row(&at, record, place).map_err(|error| {
            refused += 1;
            if refused > TOLD { Error::new(error.code, "") } else { error.context(shown.to_string()) }
        });
        rows.push(TableRow { numbers, kept: kept.iter().map(|column| record[*column].to_owned()).collect() });
        Ok(())
    })?;
    not_empty(path, rows.len())?;
    Ok(rows)
}

/// Reads labeled rows for a model that takes `columns` and predicts `classes`, or a number where there are none.
/// `target` defaults to the last column.
///
/// # Errors
/// `csv_columns` naming missing columns, `csv_cell`, `csv_ragged`, `csv_empty`, `csv_target` for an unknown target, and
/// `csv_label` for a label that is no class of the model.
pub fn read_labeled(
    path: &Path,
    columns: ModelColumns<'_>,
    classes: &[String],
    target: Option<&str>,
    options: &TableOptions,
) -> Result<Dataset> {
    let table = Table::open(path, options)?;
    let target = table.target(target)?;
    let target_name = table.headers[target].clone();
    let at = columns.find(&table, path)?;
    table.check_readable([target])?;
    let ids = ClassIds::new(classes);
    let (mut rows, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
    table.for_each(|place, record| {
        too_many(place, rows.len(), columns.schema.width())?;
        rows.push(columns.row(&at, record, place)?);
        if classes.is_empty() {
            values.push(place.target_number(&target_name, &record[target])?);
            return Ok(());
        }
        let text = without_controls(&record[target]);
        let text = label(place, &target_name, &text)?;
        labels.push(ids.find(text).ok_or_else(|| {
            place
                .error(ErrorCode::CsvLabel, format!("`{target_name}` is `{}`, no class of the model", shorten(text)))
                .hint(format!("its classes are {}", list(classes)))
        })?);
        Ok(())
    })?;
    not_empty(path, rows.len())?;
    let names = columns.schema.columns.iter().map(|column| column.name.clone()).collect();
    let data = unlabeled(path, target_name, names, rows);
    Ok(Dataset { classes: classes.to_vec(), labels, values, input: Some(columns.schema.clone()), ..data })
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
