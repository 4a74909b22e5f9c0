//! What to call the numbers that preprocessing makes.

use super::clear_step::{ClearStep, Column, ColumnRule};
use super::input_schema::{ColumnKind, InputSchema, Vocabulary};

/// The name of each number that `steps` make of a row: of the columns of `input`, or of `columns` where every one is a
/// number. Names say what was done: `sex=female`, `age is missing`.
///
/// ```
/// use fhectl_core::model::{ClearStep, Column, ColumnRule, feature_names};
///
/// let columns = vec![
///     Column { source: 0, rule: ColumnRule::Impute { value: 30.0 } },
///     Column { source: 0, rule: ColumnRule::Missing },
/// ];
/// let names = feature_names(None, &["age".to_owned()], &[ClearStep::Columns { columns }]);
/// assert_eq!(names, ["age", "age is missing"]);
/// ```
pub fn feature_names(input: Option<&InputSchema>, columns: &[String], steps: &[ClearStep]) -> Vec<String> {
    let numbers = match input {
        Some(input) => of_input(input),
        None => columns.iter().cloned().map(Named::plain).collect(),
    };
    let made = steps.iter().fold(numbers, |numbers, step| after(step, numbers));
    unique(made.into_iter().map(|number| number.name).collect())
}

#[derive(Clone)]
struct Named {
    name: String,
    /// What the number stands for where it is an index.
    categories: Vec<String>,
}

impl Named {
    fn plain(name: String) -> Self {
        Self { name, categories: Vec::new() }
    }

    fn value(&self, value: f64) -> String {
        let listed = (value >= 0.0 && value.fract() == 0.0).then(|| self.categories.get(value as usize)).flatten();
        listed.cloned().unwrap_or_else(|| value.to_string())
    }

    fn column(&self, rule: &ColumnRule) -> Self {
        let name = &self.name;
        match rule {
            ColumnRule::Copy => self.clone(),
            ColumnRule::Missing => Self::plain(format!("{name} is missing")),
            ColumnRule::OneOf { values, .. } => match &values[..] {
                [value] => Self::plain(format!("{name}={}", self.value(*value))),
                [] => Self::plain(format!("{name} in nothing")),
                [first, .., last] => {
                    Self::plain(format!("{name} in {} to {} ({})", self.value(*first), self.value(*last), values.len()))
                }
            },
            ColumnRule::AtLeast { edge } => Self::plain(format!("{name}>={edge}")),
            _ => Self::plain(name.clone()),
        }
    }
}

fn of_input(input: &InputSchema) -> Vec<Named> {
    let mut numbers = Vec::with_capacity(input.width());
    for column in &input.columns {
        let name = &column.name;
        match &column.kind {
            ColumnKind::Text { words } => match &words.vocabulary {
                Vocabulary::Listed { words } => {
                    numbers.extend(words.iter().map(|word| Named::plain(format!("{name}: {word}"))));
                }
                Vocabulary::Hashed { buckets } => {
                    numbers.extend((0..*buckets).map(|bucket| Named::plain(format!("{name}: bucket {bucket}"))));
                }
            },
            ColumnKind::Category { values } => numbers.push(Named { name: name.clone(), categories: values.clone() }),
            ColumnKind::Number | ColumnKind::Boolean | ColumnKind::Date => numbers.push(Named::plain(name.clone())),
        }
    }
    numbers
}

fn after(step: &ClearStep, numbers: Vec<Named>) -> Vec<Named> {
    match step {
        ClearStep::Scale { .. } | ClearStep::Normalize { .. } | ClearStep::Function { .. } | ClearStep::Softmax {} => {
            numbers.into_iter().map(|number| Named::plain(number.name)).collect()
        }
        ClearStep::Columns { columns } => {
            columns.iter().map(|Column { source, rule }| numbers[*source as usize].column(rule)).collect()
        }
        ClearStep::Linear { weights, .. } => {
            (0..weights.len()).map(|index| Named::plain(format!("component {index}"))).collect()
        }
        ClearStep::Products { terms } => {
            let name = |term: &Vec<u32>| {
                let factors: Vec<&str> = term.iter().map(|source| numbers[*source as usize].name.as_str()).collect();
                if factors.is_empty() { "1".to_owned() } else { factors.join(" * ") }
            };
            terms.iter().map(|term| Named::plain(name(term))).collect()
        }
        ClearStep::Parts { parts } => {
            let part = |sources: &[u32]| sources.iter().map(|source| numbers[*source as usize].clone()).collect();
            let made = parts.iter().map(|one| one.steps.iter().fold(part(&one.sources), |n, step| after(step, n)));
            made.flatten().collect()
        }
        ClearStep::Neighbors(_) => vec![Named::plain("neighbors".to_owned())],
        ClearStep::Largest {} => vec![Named::plain("the largest".to_owned())],
        ClearStep::WhichLargest {} => vec![Named::plain("which is largest".to_owned())],
        ClearStep::Choose { choices } => {
            choices.iter().map(|[_, yes, _]| Named::plain(numbers[*yes as usize].name.clone())).collect()
        }
    }
}

/// Names that occur again are numbered.
fn unique(mut names: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in &mut names {
        let mut candidate = name.clone();
        let mut count = 2;
        while !seen.insert(candidate.clone()) {
            candidate = format!("{name} #{count}");
            count += 1;
        }
        *name = candidate;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InputColumn;

    #[test]
    fn names_say_what_was_done() {
        let category = ColumnKind::Category { values: vec!["blue".into(), "red".into()] };
        let column = |name: &str, kind| InputColumn { name: name.into(), kind };
        let input = InputSchema {
            columns: vec![column("color", category), column("age", ColumnKind::Number)],
            missing: Vec::new(),
        };
        let of = |source, rule| Column { source, rule };
        let one = |values: &[f64]| ColumnRule::OneOf { values: values.to_vec(), missing: false };
        let steps = [
            ClearStep::Columns {
                columns: vec![
                    of(0, one(&[1.0])),
                    of(0, one(&[0.0, 1.0])),
                    of(1, ColumnRule::AtLeast { edge: 2.5 }),
                    of(1, ColumnRule::Copy),
                    of(1, ColumnRule::Copy),
                ],
            },
            ClearStep::Products { terms: vec![vec![0], vec![1], vec![2, 3], vec![], vec![4], vec![3]] },
        ];
        let names = feature_names(Some(&input), &[], &steps);
        assert_eq!(names, ["color=red", "color in blue to red (2)", "age>=2.5 * age", "1", "age", "age #2"]);
    }
}
