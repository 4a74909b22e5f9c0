//! Models that CatBoost 1 saves as JSON (`save_model(..., format="json")`).
//!
//! Follows CatBoost's documentation of the format and its `json_model_helpers.cpp`: a row goes right where its feature,
//! in 32 bits, is above the border, or is the one category that a split names. The trees' sum is scaled, and then a bias
//! is added.

mod columns;
mod errors;
mod objective;
mod schema;
mod tree;

pub(super) use objective::of_onnx;

use super::categories::schema as input_schema;
use super::derived::Derived;
use super::model::{FloatModel, Forest, Imported, MAX_VALUES, invalid, large};
use super::tree_builder::Budget;
use columns::Columns;
use fhectl_core::error::{Error, ErrorCode, Result};
use objective::Objective;
use schema::File;
use tree::Place;

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

/// Reads CatBoost's JSON.
///
/// # Errors
/// `import_invalid` for a file that is no such model, `catboost_unsupported` for models that predict otherwise than by a
/// sum or compute statistics of categories, `import_large` for too large ones.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let file: File = serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
        .map_err(|error| not_a_model(&error.to_string()))?;
    let features = file.features_info.check()?;
    let info = &file.model_info;
    let count = file.oblivious_trees.len() + file.trees.len();
    if count == 0 || count > MAX_TREES {
        return Err(large(format!("{count} trees, want 1 to {MAX_TREES}")));
    }
    let (scale, bias) =
        file.scale_and_bias.as_ref().map_or((1.0, Vec::new()), |(scale, bias)| (*scale, bias.0.clone()));
    let scores = match (file.oblivious_trees.first(), file.trees.first()) {
        (Some(tree), _) => tree.scores()?,
        (None, Some(tree)) => tree.scores(),
        (None, None) => 0,
    };
    let objective = Objective::of(&info.params.loss_function.name, &info.class_params, scores)?;
    if scores.saturating_mul(count) > MAX_VALUES {
        return Err(large(format!("{count} trees of {scores} scores")));
    }
    let biases = match bias.len() {
        0 => vec![0.0; scores],
        1 => vec![bias[0]; scores],
        count if count == scores => bias,
        count => return Err(invalid(format!("{count} biases for {scores} scores"))),
    };
    let columns = Columns::of(&file.features_info, features, file.splits())?;
    let place = Place { scores, scale, columns: &columns };
    let (mut derived, mut budget) = (Derived::default(), Budget::default());
    let named = |index: usize| move |error: Error| error.context(format!("tree {index}"));
    let mut trees = Vec::with_capacity(count);
    for (index, tree) in file.oblivious_trees.iter().enumerate() {
        trees.push(tree::oblivious(tree, &place, &mut derived, &mut budget).map_err(named(index))?);
    }
    for (index, tree) in file.trees.iter().enumerate() {
        trees.push(tree::nested(tree, &place, &mut derived, &mut budget).map_err(named(index))?);
    }
    let (preprocessing, forest) = derived.finish(Forest { biases, trees }, features)?;
    let model = FloatModel::Forest(forest);
    let one_margin = scores == 2 && objective.head.is_none();
    let names = file.features_info.names(features);
    let imported = Imported {
        source: format!("CatBoost JSON, {}", info.params.loss_function.name.escape_debug()),
        input: input_schema(&names, &columns.categories),
        features,
        feature_names: names,
        classes: objective.classes,
        unit: objective.unit,
        preprocessing,
        head: objective.head,
        reveals_training_rows: false,
        model: if one_margin { model.margin() } else { model },
    };
    imported.checked()
}

fn not_a_model(what: &str) -> Error {
    // Messages of serde quote what they found, which can be anything.
    let what: String = what.chars().take(160).flat_map(char::escape_debug).collect();
    Error::new(ErrorCode::ImportInvalid, format!("not a model of CatBoost: {what}"))
        .hint("save it with `model.save_model(\"model.json\", format=\"json\")` of CatBoost 1")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
