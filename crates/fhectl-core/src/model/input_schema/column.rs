//! What a column holds.

use super::words::Words;
use serde::{Deserialize, Serialize};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputColumn {
    pub name: String,
    #[serde(flatten)]
    pub kind: ColumnKind,
}

/// What its cells hold. A missing cell is NaN, whatever the kind; only texts are never missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ColumnKind {
    /// A number.
    Number,
    /// `true`, `yes`, `t`, `y`, `on` or 1, and their opposites, in any case: 1 and 0.
    Boolean,
    /// One of these texts: its index. Any other text is as many as there are.
    Category { values: Vec<String> },
    /// A date, perhaps with a time: days since 1970-01-01.
    Date,
    /// Words: one number for each of the vocabulary.
    Text { words: Words },
}

impl ColumnKind {
    /// How many numbers a cell becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::Text { words } => words.width(),
            _ => 1,
        }
    }

    /// Its word, for programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Category { .. } => "category",
            Self::Date => "date",
            Self::Text { .. } => "text",
        }
    }

    /// What cells hold, in a person's words.
    pub fn describe(&self) -> String {
        match self {
            Self::Number => "a number".to_owned(),
            Self::Boolean => "yes or no".to_owned(),
            Self::Category { values } => format!("one of {} categories", values.len()),
            Self::Date => "a date".to_owned(),
            Self::Text { words } => format!("a text, {} words of it", words.width()),
        }
    }
}
