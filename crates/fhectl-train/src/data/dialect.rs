//! How a table is written, recognised from its first lines.

use super::table_options::TableOptions;
use ::csv::{ReaderBuilder, StringRecord};

/// How many bytes of a file are looked at, and how many of its rows.
pub(super) const HEAD: usize = 1 << 16;
const ROWS: usize = 50;

/// How cells are separated and numbers written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub separator: u8,
    pub decimal_comma: bool,
    /// Bytes of a line that only names the separator, as Excel writes it.
    pub skip: usize,
}

/// Recognises the dialect of a file by its beginning; what `options` say is taken as said.
pub(super) fn recognise(head: &str, options: &TableOptions) -> Dialect {
    let (named, skip) = separator_line(head).map_or((None, 0), |(separator, skip)| (Some(separator), skip));
    let head = &head[skip..];
    let separator = options.separator.or(named).unwrap_or_else(|| best_separator(head));
    let decimal_comma = options.decimal_comma.unwrap_or(separator != b',' && writes_decimal_commas(head, separator));
    Dialect { separator, decimal_comma, skip }
}

/// The separator that a first line `sep=;` names, and the line's length.
fn separator_line(head: &str) -> Option<(u8, usize)> {
    let line = head.split_inclusive('\n').next()?;
    let named = line.trim_end().trim_matches('"').strip_prefix("sep=")?;
    let separator = *named.as_bytes().first().filter(|_| named.len() == 1)?;
    [b',', b';', b'\t', b'|'].contains(&separator).then_some((separator, line.len()))
}

/// The separator that parts all rows into the same number of cells, more than one; a comma where none does.
fn best_separator(head: &str) -> u8 {
    let score = |separator: u8| {
        let rows = rows(head, separator, ROWS);
        let width = rows.first().map_or(0, StringRecord::len);
        let same = rows.iter().filter(|row| row.len() == width).count();
        // A file of one column is one under every separator.
        if width < 2 { (0, 0) } else { (same * 1000 / rows.len(), width) }
    };
    // In this order: of equally good ones the first.
    let candidates = [b',', b';', b'\t', b'|'];
    let mut best = (b',', (0, 0));
    for separator in candidates {
        let found = score(separator);
        if found.0 > best.1.0 || (found.0 == best.1.0 && found.1 > best.1.1 && found.0 > 0) {
            best = (separator, found);
        }
    }
    best.0
}

/// How many cells the rows below the first have, where all have as many; else 0. Of any separator where that is one, and
/// enough rows to tell that they are not simply texts.
pub(super) fn width_of_rows(head: &str, separator: u8) -> usize {
    let width = |separator: u8| {
        let rows = rows(head, separator, ROWS);
        let width = rows.get(1).map_or(0, StringRecord::len);
        if rows.iter().skip(1).all(|row| row.len() == width) { width } else { 0 }
    };
    match width(separator) {
        0 | 1 if rows(head, separator, 10).len() == 10 => {
            [b',', b';', b'\t', b'|'].into_iter().map(width).max().unwrap_or(0)
        }
        width => width,
    }
}

/// Whether there are cells such as `3,5` and none such as `3.5`.
fn writes_decimal_commas(head: &str, separator: u8) -> bool {
    let mut commas = false;
    for row in rows(head, separator, usize::MAX).iter().skip(1) {
        for cell in row {
            commas |= is_decimal(cell, ',');
            if is_decimal(cell, '.') {
                return false;
            }
        }
    }
    commas
}

/// Whether a cell is digits, one `point`, and digits.
pub(super) fn is_decimal(cell: &str, point: char) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cell = cell.trim().trim_start_matches(['-', '+']);
    cell.split_once(point).is_some_and(|(whole, fraction)| {
        let fraction = fraction.split_once(['e', 'E']).map_or(fraction, |(fraction, _)| fraction);
        digits(whole) && digits(fraction)
    })
}

/// The first rows, without one that the end of the head may have cut.
fn rows(head: &str, separator: u8, most: usize) -> Vec<StringRecord> {
    let whole = match head.len() < HEAD / 2 {
        true => head,
        false => head.rsplit_once('\n').map_or(head, |(whole, _)| whole),
    };
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(whole.as_bytes());
    reader.records().take(most).filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> (char, bool, usize) {
        let dialect = recognise(head, &TableOptions::default());
        (dialect.separator.into(), dialect.decimal_comma, dialect.skip)
    }

    #[test]
    fn dialects_are_recognised() {
        assert_eq!(of("a,b\n1,2\n"), (',', false, 0));
        assert_eq!(of("a;b\n1,5;2\n"), (';', true, 0));
        assert_eq!(of("a;b\n1.5;2\n"), (';', false, 0));
        assert_eq!(of("a\tb\n1\t2\n"), ('\t', false, 0));
        assert_eq!(of("a|b\n1|2\n"), ('|', false, 0));
        assert_eq!(of("sep=;\r\na;b\r\n1;2\r\n"), (';', false, 7));
        assert_eq!(of("\"a;b\",c\n\"1;2\",3\n"), (',', false, 0));
        assert_eq!(of("a\n1\n2\n"), (',', false, 0));
        assert_eq!(of("text;y\nhello, you;1\nwell, well, well;0\n"), (';', false, 0));
        assert_eq!(of(""), (',', false, 0));
    }

    #[test]
    fn what_is_said_is_taken() {
        let said = TableOptions { separator: Some(b'|'), decimal_comma: Some(true), ..TableOptions::default() };
        assert_eq!(recognise("a,b\n", &said), Dialect { separator: b'|', decimal_comma: true, skip: 0 });
    }
}
