//! One cell.

use super::InputColumn;
use crate::error::{Error, ErrorCode};

/// Texts that stand for a missing value, whatever their case, as data tools write them.
pub const MISSING: [&str; 12] = ["", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "?", "-", "<na>"];

/// Whether a cell stands for a missing value in any table.
pub fn is_missing(text: &str) -> bool {
    text.len() <= 4 && MISSING.iter().any(|missing| text.eq_ignore_ascii_case(missing))
}

/// The finite number that a text spells.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// 1 or 0 for what spells yes or no.
pub(super) fn boolean(text: &str) -> Option<f64> {
    let spells = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        _ if spells(&["true", "t", "yes", "y", "on", "1", "1.0"]) => Some(1.0),
        _ if spells(&["false", "f", "no", "n", "off", "0", "0.0"]) => Some(0.0),
        _ => None,
    }
}

/// Says what is wrong with a cell, and what to do.
pub(super) fn refused(column: &InputColumn, text: &str) -> Error {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let name: String = column.name.chars().take(40).flat_map(char::escape_debug).collect();
    let message = format!("column `{name}`: `{shown}` is not {}", column.kind.describe());
    Error::new(ErrorCode::RowValue, message).hint(hint(text))
}

/// What a text that is no number looks like.
fn hint(text: &str) -> &'static str {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let commas: Vec<&str> = text.trim_start_matches(['-', '+']).split(',').collect();
    if text.ends_with('%') {
        "numbers are taken without percent signs: write 0.12 or 12"
    } else if text.contains(['$', '€', '£', '¥']) {
        "numbers are taken without currency signs"
    } else if commas.len() > 1 && digits(commas[0]) && commas[1..].iter().all(|part| part.len() == 3 && digits(part)) {
        "numbers are taken without thousands separators: write 1200, not 1,200"
    } else if commas.len() == 2 && digits(commas[0]) && digits(commas[1]) {
        "a decimal comma is read where columns are separated by semicolons or tabs; or say --decimal-comma"
    } else if text.parse::<f64>().is_ok() {
        "numbers must be finite; leave the cell empty where there is none"
    } else {
        "write it as the rows that the model was made from have it; an empty cell is a missing value"
    }
}
