//! The lines of LightGBM's text: `name=value`, in sections.

use super::super::model::invalid;
use fhectl_core::error::Result;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A file's sections.
#[derive(Debug, Default)]
pub(super) struct Text<'a> {
    pub header: Section<'a>,
    pub trees: Vec<Section<'a>>,
    /// Whether the mean of rounds is predicted.
    pub average: bool,
    /// The training parameter `categorical_feature`.
    pub categorical: Option<&'a str>,
    /// The categories that pandas had, as JSON.
    pub pandas: Option<&'a str>,
}

/// The values of a section, by their names.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Text<'a> {
    /// # Errors
    /// `import_invalid` for bytes that are no text, a name given twice and a file without its end.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            invalid(format!("not a model of LightGBM: no UTF-8 after byte {}", error.valid_up_to()))
        })?;
        let mut file = Self::default();
        let mut lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim);
        let mut ended = false;
        for line in lines.by_ref() {
            match line.split_once('=') {
                _ if line == "end of trees" => {
                    ended = true;
                    break;
                }
                _ if line == "average_output" => file.average = true,
                Some(("Tree", _)) => file.trees.push(Section::default()),
                Some((name, value)) => {
                    let section = file.trees.last_mut().unwrap_or(&mut file.header);
                    if section.values.insert(name, value.trim()).is_some() {
                        return Err(invalid(format!("`{}` is given twice", shown(name))));
                    }
                }
                None => {}
            }
        }
        if !ended {
            return Err(invalid("the file ends before the trees do"));
        }
        for line in lines {
            if let Some(list) = line.strip_prefix("[categorical_feature:") {
                file.categorical = list.strip_suffix(']').map(str::trim);
            } else if let Some(lists) = line.strip_prefix("pandas_categorical:") {
                file.pandas = Some(lists.trim());
            }
        }
        Ok(file)
    }
}

impl<'a> Section<'a> {
    /// A value as it stands.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).copied()
    }

    /// The parts of a list; none where there is no list.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.text(name).unwrap_or_default().split_ascii_whitespace()
    }

    /// A list of numbers.
    ///
    /// # Errors
    /// `import_invalid` for a part that is no such number.
    pub(super) fn numbers<T: FromStr>(&self, name: &str) -> Result<Vec<T>> {
        let number = |part: &str| part.parse().map_err(|_| invalid(format!("`{name}` holds `{}`", shown(part))));
        self.list(name).map(number).collect()
    }

    /// A count.
    ///
    /// # Errors
    /// `import_invalid` where there is none.
    pub(super) fn count(&self, name: &str) -> Result<usize> {
        match self.numbers(name)?[..] {
            [count] => Ok(count),
            _ => Err(invalid(format!("not a model of LightGBM: no count `{name}`"))),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
