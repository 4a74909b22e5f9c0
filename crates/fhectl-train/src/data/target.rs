//! The column that is to be predicted.

use super::table::Place;
use super::task::Task;
use super::{Dataset, MAX_CLASSES, one_class, shorten};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::collections::HashMap;

/// Collects the target's cells, row after row.
pub(super) struct Target {
    pub name: String,
    task: Task,
    lenient: bool,
    ids: HashMap<String, u32>,
    labels: Vec<u32>,
    values: Vec<f64>,
}

impl Target {
    /// The task, and whether all labels may be the same.
    pub fn new(name: String, (task, lenient): (Task, bool)) -> Self {
        Self { name, task, lenient, ids: HashMap::new(), labels: Vec::new(), values: Vec::new() }
    }

    /// Takes the cell of the next row.
    ///
    /// # Errors
    /// `csv_cell` for one that is missing, or no number where one is wanted; `csv_target` for too many classes.
    pub fn push(&mut self, place: Place, text: &str) -> Result<()> {
        if self.task == Task::Regress {
            self.values.push(place.target_number(&self.name, text)?);
            return Ok(());
        }
        let text = label(place, &self.name, text)?;
        let next = self.ids.len() as u32;
        self.labels.push(match self.ids.get(text) {
            Some(id) => *id,
            None if self.ids.len() == MAX_CLASSES => {
                return Err(looks_like_a_number(&self.name, format!("more than {MAX_CLASSES} distinct values")));
            }
            None => *self.ids.entry(text.to_owned()).or_insert(next),
        });
        Ok(())
    }

    /// Gives the rows of `data` their classes or numbers.
    ///
    /// # Errors
    /// `one_class`; `csv_target` where classes look like numbers to predict.
    pub fn finish(mut self, data: &mut Dataset) -> Result<()> {
        data.target = self.name;
        if self.task == Task::Regress {
            data.values = self.values;
            return Ok(());
        }
        let (classes, renumbered) = order_classes(&self.ids);
        if classes.len() == 1 && !self.lenient {
            return Err(one_class(&data.target, &classes[0]));
        }
        let fractional = classes.iter().any(|class| integer(class).is_none())
            && classes.iter().all(|class| class.parse::<f64>().is_ok_and(f64::is_finite));
        if fractional {
            let what = format!("{} distinct values, fractions among them, in {} rows", classes.len(), data.rows.len());
            return Err(looks_like_a_number(&data.target, what));
        }
        self.labels.iter_mut().for_each(|id| *id = renumbered[*id as usize]);
        (data.classes, data.labels) = (classes, self.labels);
        Ok(())
    }
}

/// The error of a cell, told where it stands; that the column is no target is told of the whole table.
///
/// # Errors
/// Any but `csv_target`.
pub(super) fn told_at_once(pushed: &Result<()>) -> Result<()> {
    match pushed {
        Err(error) if error.code != ErrorCode::CsvTarget => Err(error.clone()),
        _ => Ok(()),
    }
}

/// A label, which must be there.
pub(super) fn label<'a>(place: Place, target: &str, text: &'a str) -> Result<&'a str> {
    // `none` and `-` name a class in some tables; these name a gap in all.
    let gaps = ["na", "n/a", "nan", "-nan", "null", "#n/a", "#na", "<na>", "?"];
    if text.is_empty() {
        return Err(place
            .error(ErrorCode::CsvCell, format!("column `{}` is missing", shorten(target)))
            .hint("every row needs a label; drop those without"));
    }
    if gaps.iter().any(|gap| text.eq_ignore_ascii_case(gap)) {
        return Err(place
            .error(ErrorCode::CsvCell, format!("column `{}` is missing: `{text}`", shorten(target)))
            .hint("every row needs a label; drop those without, or name the class otherwise where it is one"));
    }
    Ok(text)
}

/// What a person should know about the classes of the target, `is_last` where nobody named it.
pub(super) fn class_notes(data: &Dataset, is_last: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let mut of_lower: HashMap<String, &String> = HashMap::new();
    for class in &data.classes {
        if let Some(other) = of_lower.insert(class.to_lowercase(), class) {
            let (a, b, target) = (shorten(other), shorten(class), shorten(&data.target));
            notes.push(format!("`{a}` and `{b}` are two classes of `{target}`; spell them alike where they are one"));
        }
    }
    if is_last && data.classes.len() > 20 {
        let (target, classes) = (shorten(&data.target), data.classes.len());
        notes.push(format!("`{target}` is predicted, the last column, with {classes} classes; --target names another"));
    }
    notes
}

/// Where names of classes are found: as they are spelled, as the integer or the yes or no that they spell.
pub struct ClassIds<'a>(HashMap<&'a str, u32>);

impl<'a> ClassIds<'a> {
    pub fn new(classes: &'a [String]) -> Self {
        Self(classes.iter().map(String::as_str).zip(0..).collect())
    }

    pub fn find(&self, text: &str) -> Option<u32> {
        let other = || -> Option<u32> {
            if let Some(number) = integer(text) {
                return self.0.get(number.to_string().as_str()).copied();
            }
            // `True` in a table is 1 in a model.
            let yes = fhectl_core::model::boolean(text)? == 1.0;
            let named = |word: &str| self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, id)| *id);
            if yes { named("1").or_else(|| named("true")) } else { named("0").or_else(|| named("false")) }
        };
        self.0.get(text).copied().or_else(other)
    }
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
