//! What the columns of a table hold, told by their cells.

use super::sentinel::sentinel_note;
use super::table::Place;
use super::table_options::TableOptions;
use super::{list, shorten, vocabulary};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ColumnKind, InputColumn, InputSchema, boolean, days_since_1970, is_missing, number_hint};
use std::collections::{BTreeMap, BTreeSet};

/// Beyond so many texts, or so many that differ in half of the rows, a column is no list of categories.
const MAX_CATEGORIES: usize = 1000;
const FEW_CATEGORIES: usize = 50;
/// A category of fewer rows says nothing of others, and its name may be all about one person: it is not listed, and counts
/// as unknown.
pub(crate) const FEWEST_ROWS: usize = 3;
/// In tables of fewer rows all are listed.
const SMALL_TABLE: usize = 20;

/// What a person should know about a table's columns, a line each.
pub(super) type Notes = Vec<String>;

/// The schema of a table of `rows` rows, whose cells `cell(column, row)` gives. Columns that no model can use are left out,
/// which the notes say.
///
/// # Errors
/// `csv_cell` for a number with a percent sign and the like, or for a text among numbers; `csv_columns` where nothing is
/// left.
pub(super) fn infer<'a>(
    names: &[String],
    rows: usize,
    cell: &dyn Fn(usize, usize) -> &'a str,
    place: &dyn Fn(usize) -> Place,
    options: &TableOptions,
) -> Result<(InputSchema, Notes)> {
    let mut notes = Vec::new();
    let mut columns = Vec::new();
    let missing = |text: &str| is_missing(text) || options.missing.iter().any(|missing| missing == text);
    for (index, name) in names.iter().enumerate() {
        let cells = || (0..rows).map(|row| (row, cell(index, row)));
        let said = |list: &[String]| list.contains(name);
        let kind = if said(&options.text) {
            Some(ColumnKind::Text { words: vocabulary::fit(name, cells().map(|(_, text)| text), options)? })
        } else if said(&options.dates) {
            Some(ColumnKind::Date)
        } else {
            let count = Count::of(cells().filter(|(_, text)| !missing(text)), place);
            match said(&options.categories) {
                true => Some(count.listed(name, &mut notes).unwrap_or_else(|| count.category(0))),
                false => count.kind(name, place, &mut notes)?,
            }
        };
        let Some(kind) = kind else { continue };
        let column = InputColumn { name: name.clone(), kind };
        if let Some(note) = note(&column, rows, &cells, &missing) {
            notes.push(note);
        }
        columns.push(column);
    }
    if columns.is_empty() {
        return Err(Error::new(ErrorCode::CsvColumns, format!("no column to learn from among {}", list(names)))
            .hint("name columns of text with --text, or of dates with --dates"));
    }
    Ok((InputSchema { columns, missing: options.missing.clone() }, notes))
}

/// The cells of a column that are not missing.
struct Count {
    all: usize,
    numbers: usize,
    booleans: usize,
    dates: usize,
    /// The first cell that is nearly a number, and the first that is none at all.
    nearly: Option<(usize, String)>,
    nearly_count: usize,
    text: Option<(usize, String)>,
    texts: BTreeMap<String, usize>,
    /// Cells that are no number, and the first of their different spellings.
    others: usize,
    other_texts: BTreeSet<String>,
    /// Cells such as `3/14/2024` and `12 kg`.
    other_dates: usize,
    measures: usize,
}

/// More spellings of cells that are no number are no mistakes: the column holds names, such as those of tickets.
const FEW_MISTAKES: usize = 8;

impl Count {
    fn of<'a>(cells: impl Iterator<Item = (usize, &'a str)>, place: &dyn Fn(usize) -> Place) -> Self {
        let mut count = Self {
            all: 0,
            numbers: 0,
            booleans: 0,
            dates: 0,
            nearly: None,
            nearly_count: 0,
            text: None,
            texts: BTreeMap::new(),
            others: 0,
            other_texts: BTreeSet::new(),
            other_dates: 0,
            measures: 0,
        };
        // Rows come in the order of a split; a person looks for the first.
        let first = |kept: &mut Option<(usize, String)>, row: usize, cell: &str| {
            if kept.as_ref().is_none_or(|(earliest, _)| place(row) < place(*earliest)) {
                *kept = Some((row, cell.to_owned()));
            }
        };
        for (row, cell) in cells {
            count.all += 1;
            let number = cell.parse().is_ok_and(f64::is_finite);
            count.numbers += usize::from(number);
            count.booleans += usize::from(boolean(cell).is_some());
            count.dates += usize::from(days_since_1970(cell).is_some());
            if !number && number_hint(cell).is_some() {
                count.nearly_count += 1;
                first(&mut count.nearly, row, cell);
            } else if !number {
                first(&mut count.text, row, cell);
                count.others += 1;
                if count.other_texts.len() <= FEW_MISTAKES {
                    count.other_texts.insert(cell.to_owned());
                }
                count.other_dates += usize::from(is_other_date(cell));
                count.measures += usize::from(is_measure(cell));
            }
            if let Some(rows) = count.texts.get_mut(cell) {
                *rows += 1;
            } else if count.texts.len() <= MAX_CATEGORIES {
                count.texts.insert(cell.to_owned(), 1);
            }
        }
        count
    }

    /// The categories of at least so many rows.
    fn category(&self, rows: usize) -> ColumnKind {
        let listed = self.texts.iter().filter(|(_, count)| **count >= rows);
        ColumnKind::Category { values: listed.map(|(text, _)| text.clone()).collect() }
    }

    /// The categories that are not rare; `None` where all are.
    fn listed(&self, name: &str, notes: &mut Notes) -> Option<ColumnKind> {
        if self.all < SMALL_TABLE {
            return Some(self.category(0));
        }
        let rare = self.texts.values().filter(|count| **count < FEWEST_ROWS).count();
        if rare == self.texts.len() {
            return None;
        }
        if rare > 0 {
            notes.push(format!(
                "`{}`: {rare} of {} categories are in fewer than {FEWEST_ROWS} rows; they count as unknown, and client.zip does not name them",
                shorten(name),
                self.texts.len()
            ));
        }
        Some(self.category(FEWEST_ROWS))
    }

    /// What the column holds; `None` where it is left out.
    fn kind(&self, name: &str, place: &dyn Fn(usize) -> Place, notes: &mut Notes) -> Result<Option<ColumnKind>> {
        let shown = shorten(name);
        let mut left_out = |why: String| {
            notes.push(format!("`{shown}` is left out: {why}"));
            Ok(None)
        };
        if self.all == 0 {
            return left_out("it has no values".to_owned());
        }
        if self.numbers == self.all {
            return Ok(Some(ColumnKind::Number));
        }
        if self.booleans == self.all {
            return Ok(Some(ColumnKind::Boolean));
        }
        // What is nearly a column of numbers is one with mistakes in it, not one of categories.
        let are_mistakes = self.other_texts.len() <= FEW_MISTAKES || 50 * self.others < self.all;
        if 2 * (self.numbers + self.nearly_count) > self.all && are_mistakes {
            let (row, text) = self.nearly.as_ref().or(self.text.as_ref()).cloned().unwrap_or_default();
            let hint = number_hint(&text).map(str::to_owned).unwrap_or_else(|| {
                format!(
                    "say --missing {} where it stands for no value, --category {shown} where all are names",
                    quoted(&text)
                )
            });
            let message = format!("column `{shown}`: `{}` is not a number", shorten(&text));
            return Err(place(row).error(ErrorCode::CsvCell, message).hint(format!("{hint}, or --drop {shown}")));
        }
        if self.dates == self.all {
            return left_out(format!("dates; --dates {shown} makes numbers of them"));
        }
        if self.dates + self.other_dates == self.all {
            return left_out(format!(
                "dates that are not written as 2024-12-31 or 31.12.2024; write them so and say --dates {shown}, or --category {shown}"
            ));
        }
        let distinct = self.texts.len();
        if distinct > FEW_CATEGORIES && 2 * self.measures > self.all {
            let (_, text) = self.text.as_ref().cloned().unwrap_or_default();
            return left_out(format!("numbers with words, such as `{}`; write numbers alone", shorten(&text)));
        }
        if distinct > MAX_CATEGORIES || (distinct > FEW_CATEGORIES && 2 * distinct > self.all) {
            let count =
                if distinct > MAX_CATEGORIES { format!("more than {MAX_CATEGORIES}") } else { distinct.to_string() };
            return left_out(format!(
                "{count} different texts in {} rows; --text {shown} counts their words",
                self.all
            ));
        }
        match self.listed(name, notes) {
            Some(kind) => Ok(Some(kind)),
            None => {
                let why = format!(
                    "none of its {distinct} texts is in {FEWEST_ROWS} rows; --category {shown} names all of them in client.zip"
                );
                notes.push(format!("`{shown}` is left out: {why}"));
                Ok(None)
            }
        }
    }
}

/// Whether a text is a day, a month and a year with bars or points between them, or with a month's name.
fn is_other_date(text: &str) -> bool {
    let date = text.split_once([' ', 'T']).map_or(text, |(date, time)| if time.contains(':') { date } else { text });
    let parts: Vec<&str> = date.split(['/', '.', '-', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let digits = |part: &str| part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let named = |part: &str| months.iter().any(|month| part.to_ascii_lowercase().starts_with(month));
    let numbers = parts.iter().filter(|part| digits(part)).count();
    let names = parts.iter().filter(|part| named(part)).count();
    parts.len() == 3
        && (numbers == 3 || (numbers, names) == (2, 1))
        && parts.iter().any(|part| part.len() == 4 || part.len() == 2)
}

/// Whether a text is a number with a word behind it.
fn is_measure(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ' || c == '/' || c == '°');
    number.len() < text.len() && number.parse().is_ok_and(f64::is_finite)
}

fn quoted(text: &str) -> String {
    if text.contains(' ') { format!("\"{}\"", shorten(text)) } else { shorten(text) }
}

/// What is odd about a column that is kept: always the same value, another one in every row, or
/// one that may stand for a missing one.
fn note<'a, I: Iterator<Item = (usize, &'a str)>>(
    column: &InputColumn,
    rows: usize,
    cells: &dyn Fn() -> I,
    missing: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let name = shorten(&column.name);
    let first = cells().next().map(|(_, text)| text)?;
    if rows > 1 && cells().all(|(_, text)| text == first) {
        return Some(format!("`{name}` is always `{}`; --drop {name} leaves it out", shorten(first)));
    }
    if column.kind != ColumnKind::Number {
        return None;
    }
    let known = cells().filter(|(_, text)| !missing(text)).filter_map(|(_, text)| text.parse().ok());
    if let Some(note) = sentinel_note(&column.name, known) {
        return Some(note);
    }
    let numbers: Option<Vec<f64>> =
        cells().map(|(_, text)| if missing(text) { None } else { text.parse().ok() }).collect();
    looks_like_an_id(&column.name, &numbers?).then(|| id_note(&name))
}

pub(super) fn id_note(name: &str) -> String {
    format!("`{name}` looks like a number of rows, which says nothing of others: --drop {name} leaves it out")
}

/// Whether whole numbers that all differ count rows: by their order, or by the column's name.
pub(super) fn looks_like_an_id(name: &str, numbers: &[f64]) -> bool {
    if numbers.len() < 20 || numbers.iter().any(|number| number.fract() != 0.0) {
        return false;
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let named = ["id", "index", "row", "rownames", "unnamed: 0", "key", "no", "nr"].contains(&lower.as_str())
        || lower.starts_with("__index_level_")
        || lower.ends_with("_id")
        || lower.ends_with("id") && name.ends_with("Id")
        || name.ends_with("ID");
    let dense = sorted[sorted.len() - 1] - sorted[0] < 1.5 * sorted.len() as f64;
    named || dense
}

#[cfg(test)]
#[path = "column_kinds_tests.rs"]
mod tests;
