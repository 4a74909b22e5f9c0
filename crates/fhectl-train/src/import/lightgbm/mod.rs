//! Models that LightGBM 3 and 4 save as text (`booster.save_model`).
//!
//! Follows LightGBM's `src/io/tree.cpp` and `gbdt_model_text.cpp`: a row goes left where its feature is at most the
//! threshold, or is one of a set of categories; where a missing value goes is part of a node's decision type.

mod errors;
mod objective;
mod text;
mod tree;

use super::categories::{Categories, schema};
use super::derived::Derived;
use super::model::{FloatModel, Forest, Imported, MAX_FEATURES, MAX_VALUES, invalid, large};
use super::tree_builder::Budget;
use errors::unsupported;
use fhectl_core::error::Result;
use objective::Objective;
use serde_json::Value;
use text::Text;
use tree::{Place, tree};

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

/// Reads LightGBM's text.
///
/// # Errors
/// `import_invalid` for a file that is no such model, `lightgbm_unsupported` for models that predict otherwise than by a
/// sum, `import_large` for too large ones.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let text = Text::read(bytes)?;
    let header = &text.header;
    let features = header.count("max_feature_idx")?.saturating_add(1);
    if features > MAX_FEATURES {
        return Err(large(format!("{features} features, at most {MAX_FEATURES}")));
    }
    let scores = header.count("num_tree_per_iteration")?;
    let objective = Objective::of(header.text("objective"), header.count("num_class")?, scores)?;
    let count = text.trees.len();
    if count == 0 || count > MAX_TREES || count % scores != 0 {
        return Err(large(format!("{count} trees for {scores} scores, want 1 to {MAX_TREES}")));
    }
    if scores.saturating_mul(count) > MAX_VALUES {
        return Err(large(format!("{count} trees of {scores} scores")));
    }
    let columns = columns(&text, features)?;
    // Random forests take the mean of their rounds.
    let mean = if text.average { 1.0 / (count / scores) as f64 } else { 1.0 };
    let mut budget = Budget::default();
    let mut derived = Derived::default();
    let trees = text.trees.iter().enumerate().map(|(index, source)| {
        let place = Place { scores, score: index % scores, weight: mean * objective.factor, columns: &columns };
        tree(source, &place, &mut derived, &mut budget).map_err(|error| error.context(format!("tree {index}")))
    });
    let forest = Forest { biases: vec![0.0; scores], trees: trees.collect::<Result<_>>()? };
    let (preprocessing, forest) = derived.finish(forest, features)?;
    let model = FloatModel::Forest(forest);
    let one_margin = scores == 2 && objective.head.is_none();
    let names: Vec<String> = header.list("feature_names").map(str::to_owned).collect();
    // What columns are called where they had no names.
    let placeholder = |(index, name): (usize, &String)| *name == format!("Column_{index}");
    let names = if names.iter().enumerate().all(placeholder) { Vec::new() } else { names };
    let imported = Imported {
        source: format!("LightGBM {}, {}", header.text("version").unwrap_or("text").escape_debug(), objective.name),
        input: schema(&names, &columns),
        features,
        feature_names: names,
        classes: (0..objective.classes).map(|class| class.to_string()).collect(),
        unit: objective.unit,
        preprocessing,
        head: objective.head,
        reveals_training_rows: false,
        model: if one_margin { model.margin() } else { model },
    };
    imported.checked()
}

/// The categories that pandas had for each column, which the file's last line holds.
fn columns(text: &Text<'_>, features: usize) -> Result<Vec<Option<Categories>>> {
    let mut columns = vec![None; features];
    let lists: Vec<Vec<Value>> = match text.pandas {
        None | Some("null" | "") => return Ok(columns),
        Some(lists) => serde_json::from_str(lists).map_err(|error| invalid(format!("pandas_categorical: {error}")))?,
    };
    if lists.is_empty() {
        return Ok(columns);
    }
    let index = |part: &str| part.trim().parse::<usize>().ok().filter(|index| *index < features);
    let places: Option<Vec<usize>> = text.categorical.map(|list| list.split(',').map(index).collect()).unwrap_or(None);
    let mut places = places.filter(|places| places.len() == lists.len()).ok_or_else(|| {
        unsupported(format!("{} columns of categories whose places the file does not say", lists.len()))
            .hint("train on a DataFrame whose category columns are all the categorical features, or on integer codes")
    })?;
    places.sort_unstable();
    for (place, list) in places.into_iter().zip(&lists) {
        columns[place] = Some(categories(list)?);
    }
    Ok(columns)
}

fn categories(list: &[Value]) -> Result<Categories> {
    if let Some(numbers) = list.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>() {
        return Ok(Categories::numbers(&numbers));
    }
    if let Some(flags) = list.iter().map(Value::as_bool).collect::<Option<Vec<bool>>>() {
        return Ok(Categories::booleans(&flags));
    }
    let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Categories::texts(&list.iter().map(name).collect::<Vec<_>>())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
