//! Rows of a table as an imported model takes them.

use super::common::CommonArgs;
use crate::report::note;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::ColumnKind;
use fhectl_train::data::{self, BUILT_IN, ClassIds, Dataset, TableOptions};
use fhectl_train::import::{Imported, Renamed};
use rayon::prelude::*;
use std::path::Path;

/// Whether a table has the model's columns and nothing else, so that none of them is a label.
pub fn is_unlabeled(source: &str, imported: &Imported, options: &TableOptions) -> Result<bool> {
    if BUILT_IN.contains(&source) || data::is_images(Path::new(source)) {
        return Ok(false);
    }
    let columns = data::column_names(Path::new(source), options)?;
    let columns: Vec<String> = columns.into_iter().filter(|name| !options.drop.contains(name)).collect();
    let wanted = match &imported.input {
        Some(input) => input.columns.len(),
        None => imported.features,
    };
    Ok(columns.len() == wanted
        && (imported.feature_names.is_empty() || imported.column_names().iter().all(|name| columns.contains(name))))
}

/// The model with its columns called as the table's, where its tool wrote them differently; says so.
///
/// # Errors
/// Those of opening the table.
pub fn called(imported: Imported, common: &CommonArgs, by_position: bool) -> Result<Imported> {
    let Some(source) = common
        .data
        .as_deref()
        .filter(|source| !by_position && !BUILT_IN.contains(source) && !data::is_images(Path::new(source)))
    else {
        return Ok(imported);
    };
    let options = common.table_options();
    let columns = data::column_names(Path::new(source), &options)?;
    let columns: Vec<String> = columns.into_iter().filter(|name| !options.drop.contains(name)).collect();
    // Of as many columns as the model takes none is the target; else it is the last where none is named.
    let labeled = columns.len() > imported.column_names().len();
    let target = common.target.as_deref().or_else(|| columns.last().map(String::as_str).filter(|_| labeled));
    let Some((made, renamed)) = imported.called(&columns, target) else { return Ok(imported) };
    note(&match renamed {
        Renamed::Alike(pairs) => {
            let shown = |(model, table): &(String, String)| {
                format!("`{}` for `{}`", table.escape_debug(), model.escape_debug())
            };
            let list: Vec<String> = pairs.iter().take(4).map(shown).collect();
            let more = if pairs.len() > 4 { ", ..." } else { "" };
            format!(
                "columns are matched by names that are alike, the table's for the model's: {}{more}",
                list.join(", ")
            )
        }
        Renamed::InOrder { first } => {
            format!("the model numbers its columns, so the table's are taken in their order: {first}, and so on")
        }
    });
    Ok(made)
}

/// The rows with their columns and classes in the model's order.
///
/// # Errors
/// `import_features` where columns are missing, or are no numbers; `import_classes` for classes that the model lacks.
pub fn suited(rows: &Dataset, imported: &Imported, by_position: bool) -> Result<Dataset> {
    let labels = |rows: &Dataset| -> Result<Vec<u32>> {
        let classes = classes(rows, imported)?;
        Ok(rows.labels.iter().map(|label| classes[*label as usize]).collect())
    };
    // Rows that were read by the model's own schema are in its order.
    if imported.input.is_some() {
        return Ok(Dataset { labels: labels(rows)?, classes: imported.classes.clone(), image: None, ..rows.clone() });
    }
    let order = columns(rows, imported, by_position)?;
    if let Some(column) = order.iter().find_map(|column| text_column(rows, *column)) {
        return Err(Error::new(
            ErrorCode::ImportFeatures,
            format!("the model takes numbers, and column `{}` of `{}` holds texts", column.escape_debug(), rows.name),
        )
        .hint("export the whole pipeline, with the encoder that makes numbers of them, or encode them in the table"));
    }
    Ok(Dataset {
        features: order.iter().map(|column| rows.features[*column].clone()).collect(),
        rows: rows.rows.iter().map(|row| order.iter().map(|column| row[*column]).collect()).collect(),
        labels: labels(rows)?,
        classes: imported.classes.clone(),
        input: None,
        image: None,
        ..rows.clone()
    })
}

/// The name of a column that was read as categories.
fn text_column(rows: &Dataset, column: usize) -> Option<&str> {
    let found = rows.input.as_ref()?.columns.get(column)?;
    matches!(found.kind, ColumnKind::Category { .. } | ColumnKind::Text { .. }).then_some(&found.name)
}

/// The rows after the model's preprocessing; those that it has no rule for are left out.
///
/// # Errors
/// `row_value` where no row is left.
pub fn prepared(mut rows: Dataset, imported: &Imported) -> Result<Dataset> {
    rows.rows.par_iter_mut().for_each(|row| *row = imported.prepared(row));
    rows.features = imported.names_after(&rows.features);
    rows.input = None;
    let whole: Vec<usize> =
        (0..rows.len()).filter(|row| rows.rows[*row].iter().all(|value| value.is_finite())).collect();
    let left_out = rows.len() - whole.len();
    if left_out == 0 {
        return Ok(rows);
    }
    let first = rows.rows.iter().find_map(|row| row.iter().position(|value| !value.is_finite())).unwrap_or(0);
    let what = format!(
        "{left_out} of {} rows lack a value, such as `{}`, that the model has no rule for",
        rows.len(),
        rows.features[first]
    );
    if whole.is_empty() {
        return Err(
            Error::new(ErrorCode::RowValue, what).hint("fill in missing values, or export the imputer with the model")
        );
    }
    note(&format!("{what}; they are left out"));
    Ok(rows.select(&whole))
}

/// For each of the model's features its column: by name where the model has names, else in their order.
fn columns(rows: &Dataset, imported: &Imported, by_position: bool) -> Result<Vec<usize>> {
    let (have, want) = (rows.features.len(), imported.features);
    let place = |name: &String| rows.features.iter().position(|feature| feature == name);
    let places: Vec<Option<usize>> = imported.feature_names.iter().map(place).collect();
    let named = !imported.feature_names.is_empty() && !by_position;
    match places.iter().position(Option::is_none) {
        // Columns beside the model's are of no concern.
        None if named => return Ok(places.into_iter().flatten().collect()),
        Some(missing) if named && have == want => {
            return Err(Error::new(
                ErrorCode::ImportFeatures,
                format!("`{}` has no column `{}`", rows.name, imported.feature_names[missing].escape_debug()),
            )
            .hint("rename the columns as the model has them, or take them in their order with --by-position"));
        }
        _ => {}
    }
    if have != want {
        return Err(Error::new(
            ErrorCode::ImportFeatures,
            format!("`{}` has {have} columns beside its target, the model takes {want}", rows.name),
        )
        .hint("give rows of the model's features; --target names the column that is none, --drop leaves columns out"));
    }
    Ok((0..want).collect())
}

/// For each class of the rows its index among the model's.
fn classes(rows: &Dataset, imported: &Imported) -> Result<Vec<u32>> {
    let ids = ClassIds::new(&imported.classes);
    let places: Vec<Option<u32>> = rows.classes.iter().map(|class| ids.find(class)).collect();
    let Some(unknown) = places.iter().position(Option::is_none) else {
        return Ok(places.into_iter().flatten().collect());
    };
    let list = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(8).map(|name| name.escape_debug().to_string()).collect();
        shown.join(",") + if names.len() > 8 { ",..." } else { "" }
    };
    let message = format!(
        "`{}` has the class `{}`, the model's are {}",
        rows.name,
        rows.classes[unknown].escape_debug(),
        list(&imported.classes)
    );
    Err(Error::new(ErrorCode::ImportClasses, message).hint(if rows.classes.len() == imported.classes.len() {
        format!("name the model's classes in its order, perhaps with --classes {}", list(&rows.classes))
    } else {
        "is --target the column that the model predicts?".to_owned()
    }))
}
