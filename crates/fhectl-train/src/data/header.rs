//! The names of a table's columns.

use super::shorten;
use ::csv::StringRecord;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashSet;
use std::path::Path;

/// The most columns of a table.
const MAX_COLUMNS: usize = 1 << 16;

/// The names that the first row gives, or `column1` and on where it is data.
///
/// # Errors
/// `csv_empty` for a file without a row, `csv_header` for names that are missing or appear twice, and for a row that looks
/// like data.
pub(super) fn checked_header(path: &Path, row: &StringRecord, is_data: bool) -> Result<Vec<String>> {
    let shown = path.display();
    if row.is_empty() {
        return Err(Error::new(ErrorCode::CsvEmpty, format!("{shown}: the file is empty"))
            .hint("a CSV file starts with a header row that names its columns"));
    }
    if row.len() > MAX_COLUMNS {
        return Err(Error::new(
            ErrorCode::DataTooLarge,
            format!("{shown}: {} columns, at most {MAX_COLUMNS}", row.len()),
        )
        .hint("leave out columns, or write one row a line"));
    }
    if is_data {
        return Ok((1..=row.len()).map(|column| format!("column{column}")).collect());
    }
    if looks_like_data(row) {
        let cells: Vec<String> = row.iter().take(4).map(shorten).collect();
        return Err(Error::new(
            ErrorCode::CsvHeader,
            format!("{shown}: the first row looks like data, not like names: {}", cells.join(", ")),
        )
        .hint("say --no-header where the file has no header row, or add one that names its columns"));
    }
    let mut names: Vec<String> = row.iter().map(str::to_owned).collect();
    // What pandas writes for its index has no name.
    if names.len() > 1 && names[0].is_empty() {
        names[0] = "index".to_owned();
    }
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Error::new(ErrorCode::CsvHeader, format!("{shown}: column {} has no name", index + 1))
                .hint("the first row must name every column"));
        }
        if !seen.insert(name) {
            return Err(Error::new(
                ErrorCode::CsvHeader,
                format!("{shown}: two columns are named `{}`", shorten(name)),
            )
            .hint("rename one of them; say --no-header where the first row is data"));
        }
    }
    Ok(names)
}

/// Whether names are numbers: a fraction among them, or half of them and not simply counted (`0,1,2,...`).
fn looks_like_data(row: &StringRecord) -> bool {
    let numbers: Vec<f64> = row.iter().filter_map(|cell| cell.parse().ok()).collect();
    let counted = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let fraction = numbers.iter().any(|number| number.fract() != 0.0);
    fraction || (2 * numbers.len() >= row.len() && !numbers.is_empty() && !counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(cells: &[&str]) -> Result<Vec<String>> {
        checked_header(Path::new("t.csv"), &StringRecord::from(cells.to_vec()), false)
    }

    #[test]
    fn rows_of_data_are_no_header() {
        for row in
            [&["5.1", "3.5", "setosa"][..], &["7", "3", "1"], &["63", "145", "male", "2"], &["0.5", "a", "b", "c"]]
        {
            let error = names(row).unwrap_err();
            assert!(error.code == ErrorCode::CsvHeader && error.hint.unwrap().contains("--no-header"), "{row:?}");
        }
        for row in [&["a", "b"][..], &["0", "1", "2", "target"], &["2019", "2020", "2021", "y"], &["", "0", "1", "y"]] {
            names(row).unwrap();
        }
        assert_eq!(names(&["", "a"]).unwrap(), ["index", "a"]);
        let made = checked_header(Path::new("t.csv"), &StringRecord::from(vec!["1.5", "x"]), true).unwrap();
        assert_eq!(made, ["column1", "column2"]);
    }
}
