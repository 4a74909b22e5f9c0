//! One cell.

use super::column::{ColumnKind, InputColumn};
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

/// 1 or 0 for what spells yes or no in any case; `None` for all else.
pub fn boolean(text: &str) -> Option<f64> {
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
    let hint = match column.kind {
        ColumnKind::Date => {
            "dates are written as 2024-12-31 or 31.12.2024, perhaps with a time as in 2024-12-31 23:59:59"
        }
        _ => number_hint(text)
            .unwrap_or("write it as the rows that the model was made from have it; an empty cell is a missing value"),
    };
    Error::new(ErrorCode::RowValue, message).hint(hint)
}

/// What to do about a text that is nearly a number: one with a percent sign, a currency sign, separators of thousands, a
/// decimal comma or another minus, or one that is not finite. `None` for any other text.
pub fn number_hint(text: &str) -> Option<&'static str> {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let bare = text.trim_matches(['-', '+', '%', '$', '€', '£', '¥', ' ']);
    let (whole, _) = bare.split_once('.').unwrap_or((bare, ""));
    let commas: Vec<&str> = whole.split(',').collect();
    let thousands =
        commas.len() > 1 && digits(commas[0]) && commas[1..].iter().all(|part| part.len() == 3 && digits(part));
    let numeric = thousands || bare.parse::<f64>().is_ok();
    // Groups of three digits that something else than a comma parts, perhaps with decimals.
    let grouped = |between: &[char], point: char| {
        let whole = bare.split_once(point).filter(|(_, decimals)| digits(decimals)).map_or(bare, |(whole, _)| whole);
        let groups: Vec<&str> = whole.split(between).collect();
        groups.len() > 1
            && digits(groups[0])
            && groups[0].len() <= 3
            // As numbers of telephones do.
            && !groups[0].starts_with('0')
            && groups[1..].iter().all(|group| group.len() == 3 && digits(group))
    };
    match text {
        _ if text.starts_with(['\u{2212}', '\u{2013}', '\u{fe63}', '\u{ff0d}'])
            && text.trim_start_matches(['\u{2212}', '\u{2013}', '\u{fe63}', '\u{ff0d}']).parse::<f64>().is_ok() =>
        {
            Some("write the minus of numbers as -, the plain hyphen")
        }
        _ if grouped(&[' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'], '.')
            || grouped(&[' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'], ',')
            || (text.contains(',') && grouped(&['.'], ',')) =>
        {
            Some("numbers are taken without thousands separators: write 1200.5, not 1 200.5 or 1.200,5")
        }
        _ if numeric && text.ends_with('%') => Some("numbers are taken without percent signs: write 0.12 or 12"),
        _ if numeric && text.contains(['$', '€', '£', '¥']) => Some("numbers are taken without currency signs"),
        _ if thousands => Some("numbers are taken without thousands separators: write 1200, not 1,200"),
        _ if commas.len() == 2 && digits(commas[0]) && digits(commas[1]) => {
            Some("say --decimal-comma where 3,5 is a number")
        }
        _ if text.parse::<f64>().is_ok() => Some("numbers must be finite; leave the cell empty where there is none"),
        _ => None,
    }
}
