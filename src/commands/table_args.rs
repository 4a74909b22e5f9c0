//! Flags that say how a table is written and what its columns are for.

use clap::Args;
use fhectl_train::data::{TableOptions, TextEncoding, parse_separator};

/// How tables are written; by default it is recognized.
#[derive(Debug, Args)]
pub struct TableArgs {
    /// What separates columns: `,`, `;`, `tab` or `|` [default: recognized]
    #[arg(long, help_heading = "Tables", env = "FHECTL_SEPARATOR", value_parser = parse_separator)]
    separator: Option<u8>,
    /// Numbers are written as 3,5 [default: recognized where commas separate no columns]
    #[arg(long, help_heading = "Tables", env = "FHECTL_DECIMAL_COMMA")]
    decimal_comma: bool,
    /// How characters are written: utf-8, utf-16, utf-16be, windows-1252 [default: a byte order mark's, else utf-8]
    #[arg(long, help_heading = "Tables", env = "FHECTL_ENCODING")]
    encoding: Option<TextEncoding>,
    /// The first row is data: columns are named column1, column2 and so on
    #[arg(long, help_heading = "Tables", env = "FHECTL_NO_HEADER")]
    no_header: bool,
    /// Texts that stand for a missing value, beside empty cells, NA, NaN, null, ? and others
    #[arg(
        long,
        help_heading = "Tables",
        env = "FHECTL_MISSING",
        value_name = "TEXT,...",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    missing: Vec<String>,
}

impl TableArgs {
    /// The options, without any for single columns.
    pub fn options(&self) -> TableOptions {
        TableOptions {
            separator: self.separator,
            decimal_comma: self.decimal_comma.then_some(true),
            encoding: self.encoding,
            no_header: self.no_header,
            missing: self.missing.clone(),
            ..TableOptions::default()
        }
    }
}

/// What single columns are for.
#[derive(Debug, Args)]
pub struct ColumnArgs {
    /// Columns to leave out
    #[arg(long, help_heading = "Tables", env = "FHECTL_DROP", value_name = "COLUMN,...", value_delimiter = ',')]
    drop: Vec<String>,
    /// Columns of dates, to be read as days
    #[arg(long, help_heading = "Tables", env = "FHECTL_DATES", value_name = "COLUMN,...", value_delimiter = ',')]
    dates: Vec<String>,
    /// Columns of texts, to be read as weighted counts of their words (TF-IDF); client.zip then holds the words
    #[arg(long, help_heading = "Tables", env = "FHECTL_TEXT", value_name = "COLUMN,...", value_delimiter = ',')]
    text: Vec<String>,
    /// How many words of a text are counted, those that the most texts have
    #[arg(long, help_heading = "Tables", env = "FHECTL_TEXT_WORDS", value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    text_words: u32,
    /// Count words in --text-words buckets by their hash: client.zip then holds no words
    #[arg(long, help_heading = "Tables", env = "FHECTL_HASH_TEXT")]
    hash_text: bool,
    /// Columns of categories, though their cells look like numbers
    #[arg(long, help_heading = "Tables", env = "FHECTL_CATEGORY", value_name = "COLUMN,...", value_delimiter = ',')]
    category: Vec<String>,
}

impl ColumnArgs {
    /// `options` with those of columns.
    pub fn on(&self, options: TableOptions) -> TableOptions {
        TableOptions {
            drop: self.drop.clone(),
            dates: self.dates.clone(),
            text: self.text.clone(),
            text_words: self.text_words,
            hash_text: self.hash_text,
            categories: self.category.clone(),
            ..options
        }
    }
}
