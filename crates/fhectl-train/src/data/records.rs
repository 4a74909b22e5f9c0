//! What readers of tables share: rows of cells as numbers, and what they refuse.

use super::table::Place;
use super::{Dataset, shorten};
use ::csv::StringRecord;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::InputSchema;
use std::borrow::Cow;
use std::path::Path;

/// The numbers of one record, whose cells stand at `columns`.
pub(super) fn encode_row(
    schema: &InputSchema,
    columns: &[usize],
    record: &StringRecord,
    place: Place,
) -> Result<Vec<f64>> {
    let mut numbers = Vec::with_capacity(schema.width());
    for (column, at) in schema.columns.iter().zip(columns) {
        schema.encode_cell(column, &without_controls(&record[*at]), &mut numbers).map_err(|error| {
            let hint = error.hint.clone().unwrap_or_default();
            place.error(ErrorCode::CsvCell, &error.message).hint(hint)
        })?;
    }
    Ok(numbers)
}

/// A cell without line ends and other control characters: names of categories and classes are shown on a line.
pub(super) fn without_controls(cell: &str) -> Cow<'_, str> {
    if cell.contains(char::is_control) {
        let spaces = cell.replace(char::is_control, " ");
        return Cow::Owned(spaces.trim().to_owned());
    }
    Cow::Borrowed(cell)
}

pub(super) fn need_features(path: &Path, target: &str, features: &[String]) -> Result<()> {
    if features.is_empty() {
        return Err(Error::new(
            ErrorCode::CsvColumns,
            format!("{}: no column beside the target `{}`", path.display(), shorten(target)),
        )
        .hint(
            "a model needs at least one feature column; cells are separated by `,`, `;`, a tab or `|`, and by nothing else",
        ));
    }
    Ok(())
}

pub(super) fn unlabeled(path: &Path, target: String, features: Vec<String>, rows: Vec<Vec<f64>>) -> Dataset {
    Dataset {
        name: stem(path),
        target,
        features,
        input: None,
        classes: Vec::new(),
        rows,
        labels: Vec::new(),
        values: Vec::new(),
        image: None,
    }
}

pub(super) fn not_empty(path: &Path, rows: usize) -> Result<()> {
    if rows == 0 {
        return Err(Error::new(ErrorCode::CsvEmpty, format!("{}: no rows below the header", path.display()))
            .hint("give a file with at least one row of data"));
    }
    Ok(())
}

/// The file's name without `.csv`, `.gz` and the like.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = ["gz", "zip"].iter().find_map(|end| name.strip_suffix(&format!(".{end}"))).unwrap_or(&name);
    let ends = ["csv", "tsv", "txt", "data", "parquet", "pq", "feather", "arrow", "arrows", "ipc"];
    ends.iter().find_map(|end| name.strip_suffix(&format!(".{end}"))).unwrap_or(name).to_owned()
}
