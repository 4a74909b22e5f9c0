//! CSV to rows and classes.

use super::table::{Place, Table};
use super::{Dataset, MAX_CLASSES, list, one_class, shorten};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashMap;
use std::path::Path;

/// Reads a labeled CSV file: every column but the target (by default the last) is a feature.
///
/// # Errors
/// Those of opening; `csv_target` for an unknown target or one that looks like a number to predict,
/// `csv_columns` without a feature, `csv_cell`, `csv_ragged`, `csv_empty` and `one_class`.
pub fn read_csv(path: &Path, target: Option<&str>) -> Result<Dataset> {
    let mut labels = Vec::new();
    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut data = read_columns(path, target, |place, target, text| {
        let text = label(place, target, text)?;
        let next = ids.len() as u32;
        labels.push(match ids.get(text) {
            Some(id) => *id,
            None if ids.len() == MAX_CLASSES => {
                return Err(looks_like_a_number(target, format!("more than {MAX_CLASSES} distinct values")));
            }
            None => *ids.entry(text.to_owned()).or_insert(next),
        });
        Ok(())
    })?;
    let (classes, renumbered) = order_classes(&ids);
    if classes.len() == 1 {
        return Err(one_class(&data.target, &classes[0]).context(path.display()));
    }
    let fractional = classes.iter().any(|class| integer(class).is_none())
        && classes.iter().all(|class| class.parse::<f64>().is_ok_and(f64::is_finite));
    if fractional {
        let what = format!("{} distinct values, fractions among them, in {} rows", classes.len(), data.rows.len());
        return Err(looks_like_a_number(&data.target, what).context(path.display()));
    }
    labels.iter_mut().for_each(|id| *id = renumbered[*id as usize]);
    data.classes = classes;
    data.labels = labels;
    Ok(data)
}

/// Reads a CSV file whose target (by default the last column) is a number to predict.
///
/// # Errors
/// As for [`read_csv`], but any finite number will do as a target; `csv_cell` where one is not.
pub fn read_values(path: &Path, target: Option<&str>) -> Result<Dataset> {
    let mut values = Vec::new();
    let mut data = read_columns(path, target, |place, target, text| {
        values.push(place.target_number(target, text)?);
        Ok(())
    })?;
    data.values = values;
    Ok(data)
}

/// The rows of all columns but the target, whose cells go to `visit`.
fn read_columns(
    path: &Path,
    target: Option<&str>,
    mut visit: impl FnMut(Place, &str, &str) -> Result<()>,
) -> Result<Dataset> {
    let table = Table::open(path)?;
    let target = table.target(target)?;
    let mut features = table.headers.clone();
    let target_name = features.remove(target);
    if features.is_empty() {
        return Err(Error::new(
            ErrorCode::CsvColumns,
            format!("{}: no column beside the target `{target_name}`", path.display()),
        )
        .hint("a model needs at least one feature column"));
    }
    let mut rows = Vec::new();
    table.for_each(|place, record| {
        let mut row = Vec::with_capacity(features.len());
        for (index, text) in record.iter().enumerate() {
            if index != target {
                row.push(place.number(&features[row.len()], text)?);
            }
        }
        rows.push(row);
        visit(place, &target_name, &record[target])
    })?;
    not_empty(path, rows.len())?;
    Ok(unlabeled(path, target_name, features, rows))
}

fn unlabeled(path: &Path, target: String, features: Vec<String>, rows: Vec<Vec<f64>>) -> Dataset {
    Dataset {
        name: stem(path),
        target,
        features,
        classes: Vec::new(),
        rows,
        labels: Vec::new(),
        values: Vec::new(),
        image: None,
    }
}

/// Reads rows without labels for a model that takes `features`; columns are matched by their header
/// in any order. A column named as the label is allowed and ignored.
///
/// # Errors
/// `csv_columns` naming missing and unexpected columns, `csv_cell`, `csv_ragged`, `csv_empty`.
pub fn read_rows(path: &Path, features: &[String], target: Option<&str>) -> Result<Vec<Vec<f64>>> {
    let table = Table::open(path)?;
    let columns = match_columns(&table, path, features, target)?;
    let mut rows = Vec::new();
    table.for_each(|place, record| {
        rows.push(pick(place, features, &columns, record)?);
        Ok(())
    })?;
    not_empty(path, rows.len())?;
    Ok(rows)
}

/// Reads labeled rows for a model that takes `features` and predicts `classes`, or a number where there are none.
/// `target` defaults to the last column.
///
/// # Errors
/// Those of [`read_rows`], `csv_target` for an unknown target, and `csv_label` for a label that is no
/// class of the model.
pub fn read_labeled(path: &Path, features: &[String], classes: &[String], target: Option<&str>) -> Result<Dataset> {
    let table = Table::open(path)?;
    let target = table.target(target)?;
    let target_name = table.headers[target].clone();
    let columns = match_columns(&table, path, features, Some(&target_name))?;
    let ids: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let (mut rows, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
    table.for_each(|place, record| {
        rows.push(pick(place, features, &columns, record)?);
        if classes.is_empty() {
            values.push(place.target_number(&target_name, &record[target])?);
            return Ok(());
        }
        let text = label(place, &target_name, &record[target])?;
        let id = ids.get(text).or_else(|| ids.get(integer(text)?.to_string().as_str()));
        labels.push(*id.ok_or_else(|| {
            place
                .error(ErrorCode::CsvLabel, format!("`{target_name}` is `{}`, no class of the model", shorten(text)))
                .hint(format!("its classes are {}", list(classes)))
        })?);
        Ok(())
    })?;
    not_empty(path, rows.len())?;
    let data = unlabeled(path, target_name, features.to_vec(), rows);
    Ok(Dataset { classes: classes.to_vec(), labels, values, ..data })
}

/// Where each feature stands in the file.
fn match_columns(table: &Table, path: &Path, features: &[String], target: Option<&str>) -> Result<Vec<usize>> {
    let at: HashMap<&str, usize> = table.headers.iter().map(String::as_str).zip(0..).collect();
    let found: Vec<Option<usize>> = features.iter().map(|feature| at.get(feature.as_str()).copied()).collect();
    let missing: Vec<&String> =
        features.iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(feature, _)| feature).collect();
    let unexpected: Vec<&String> =
        table.headers.iter().filter(|h| !features.contains(h) && Some(h.as_str()) != target).collect();
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        wrong.push(format!("missing {}", list(missing)));
    }
    if !unexpected.is_empty() {
        wrong.push(format!("unexpected {}", list(unexpected)));
    }
    if !wrong.is_empty() {
        return Err(Error::new(ErrorCode::CsvColumns, format!("{}: columns {}", path.display(), wrong.join("; ")))
            .hint("columns are matched by name; `fhectl inspect` lists those that the model takes"));
    }
    Ok(found.into_iter().flatten().collect())
}

fn pick(place: Place, features: &[String], columns: &[usize], record: &::csv::StringRecord) -> Result<Vec<f64>> {
    features.iter().zip(columns).map(|(name, column)| place.number(name, &record[*column])).collect()
}

fn label<'a>(place: Place, target: &str, text: &'a str) -> Result<&'a str> {
    if text.is_empty() {
        return Err(place
            .error(ErrorCode::CsvCell, format!("column `{}` is missing", shorten(target)))
            .hint("every row needs a label; drop those without"));
    }
    Ok(text)
}

fn not_empty(path: &Path, rows: usize) -> Result<()> {
    if rows == 0 {
        return Err(Error::new(ErrorCode::CsvEmpty, format!("{}: no rows below the header", path.display())));
    }
    Ok(())
}

fn looks_like_a_number(target: &str, what: String) -> Error {
    Error::new(ErrorCode::CsvTarget, format!("the target `{}` has {what}", shorten(target))).hint(
        "it looks like a number to predict, not a class: `create linreg`, or `--task regress` with tree, forest or boost; \
         or name the label column with `--target`",
    )
}

/// The integer that a label spells, be it as `7`, `+7` or `7.0`.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    })
}

/// The sorted class names, and for every id of `ids` the index of its class.
///
/// Labels that are all integers are sorted as such, and spellings of one integer are one class.
fn order_classes(ids: &HashMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let integers: Option<Vec<(i64, u32)>> =
        ids.iter().map(|(text, id)| integer(text).map(|value| (value, *id))).collect();
    let named: Vec<(String, u32)> = match integers {
        Some(mut values) => {
            values.sort_unstable();
            values.into_iter().map(|(value, id)| (value.to_string(), id)).collect()
        }
        None => {
            let mut named: Vec<(String, u32)> = ids.iter().map(|(text, id)| (text.clone(), *id)).collect();
            named.sort_unstable();
            named
        }
    };
    let mut renumbered = vec![0; named.len()];
    let mut classes: Vec<String> = Vec::new();
    for (name, id) in named {
        if classes.last() != Some(&name) {
            classes.push(name);
        }
        renumbered[id as usize] = classes.len() as u32 - 1;
    }
    (classes, renumbered)
}

/// The file's name without `.csv` and `.gz`.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_owned()
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
