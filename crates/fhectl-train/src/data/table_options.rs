//! How a table is written, and what its columns are for, where a person says so.

use fhectl_core::error::{Error, ErrorCode, Result};

/// What a person says of a table; by default all is recognised from the file.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    /// What separates cells: a comma, a semicolon, a tab or a bar.
    pub separator: Option<u8>,
    /// Whether `3,5` is a number.
    pub decimal_comma: Option<bool>,
    pub encoding: Option<TextEncoding>,
    /// Whether the first row is data; columns are then named `column1` and on.
    pub no_header: bool,
    /// Texts that stand for a missing value, beside the usual ones.
    pub missing: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// Columns of dates.
    pub dates: Vec<String>,
    /// Columns of text whose words are counted.
    pub text: Vec<String>,
    /// How many words are counted, those of the most texts.
    pub text_words: u32,
    /// Whether words are counted by their hash, in so many buckets: then nobody sees the words.
    pub hash_text: bool,
    /// Columns of categories, though their cells look like numbers.
    pub categories: Vec<String>,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            separator: None,
            decimal_comma: None,
            encoding: None,
            no_header: false,
            missing: Vec::new(),
            drop: Vec::new(),
            dates: Vec::new(),
            text: Vec::new(),
            text_words: 1000,
            hash_text: false,
            categories: Vec::new(),
        }
    }
}

impl TableOptions {
    /// Whether a column is said to be something in particular.
    pub(super) fn names_columns(&self) -> bool {
        [&self.drop, &self.dates, &self.text, &self.categories].iter().any(|names| !names.is_empty())
    }
}

/// How characters are written as bytes. A byte order mark at the file's beginning decides before this does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// Windows-1252, of which Latin-1 is a part.
    Windows1252,
}

impl std::str::FromStr for TextEncoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "utf-16" | "utf16" | "utf-16le" | "utf-16-le" => Ok(Self::Utf16Le),
            "utf-16be" | "utf-16-be" => Ok(Self::Utf16Be),
            "windows-1252" | "cp1252" | "latin-1" | "latin1" | "iso-8859-1" => Ok(Self::Windows1252),
            _ => Err(Error::new(ErrorCode::CsvEncoding, format!("`{}` is no known encoding", name.escape_debug()))
                .hint("known are utf-8, utf-16, utf-16be, windows-1252")),
        }
    }
}

/// The separator that a word or a character names.
///
/// # Errors
/// `csv_format`.
pub fn parse_separator(text: &str) -> Result<u8> {
    match text {
        "," | "comma" => Ok(b','),
        ";" | "semicolon" => Ok(b';'),
        "\t" | "\\t" | "tab" => Ok(b'\t'),
        "|" | "bar" | "pipe" => Ok(b'|'),
        _ => Err(Error::new(ErrorCode::CsvFormat, format!("`{}` separates no columns", text.escape_debug()))
            .hint("use `,`, `;`, `tab` or `|`")),
    }
}
