//! Models that CatBoost 1 saves as JSON (`save_model(..., format="json")`).
//!
//! Follows CatBoost's documentation of the format and its `json_model_helpers.cpp`: a row goes right where its feature,
//! in 32 bits, is above the border, or is the one category that a split names. The trees' sum is scaled, and then a bias
//! is added.

mod objective;
mod schema;
mod tree;

pub(super) use objective::of_onnx;

use super::categories::{Categories, schema as input_schema};
use super::derived::Derived;
use super::model::{FloatModel, Forest, Imported, MAX_VALUES, invalid, large};
use super::tree_builder::Budget;
use fhectl_core::error::{Error, ErrorCode, Result};
use objective::Objective;
use schema::{Features, File};
use std::collections::BTreeMap;
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

/// What a model's features are in a table.
struct Columns {
    /// Of each number of the row, what the categories are that splits name.
    categories: Vec<Option<Categories>>,
    /// For each feature of numbers its place in the row, and whether missing values go above every border.
    floats: BTreeMap<usize, (u32, bool)>,
    /// For each feature of categories its place in the row, and its hashes in the order of codes.
    hashes: BTreeMap<usize, (u32, Vec<u32>)>,
}

impl Columns {
    fn of<'a>(info: &Features, features: usize, splits: impl Iterator<Item = &'a schema::Split>) -> Result<Self> {
        let high = |treatment: &str| match treatment {
            "AsTrue" => Ok(true),
            "AsIs" | "AsFalse" => Ok(false),
            other => Err(unsupported(format!("missing values treated as {}", other.escape_debug()))),
        };
        let float = |feature: &schema::FloatFeature| {
            Ok((feature.feature_index, (feature.flat_feature_index as u32, high(&feature.nan_value_treatment)?)))
        };
        let floats = info.float_features.iter().map(float).collect::<Result<_>>()?;
        let mut hashes: BTreeMap<usize, (u32, Vec<u32>)> = (info.categorical_features.iter())
            .map(|feature| (feature.feature_index, (feature.flat_feature_index as u32, Vec::new())))
            .collect();
        for (feature, hash) in splits.filter_map(schema::Split::category) {
            let (_, list) = hashes.get_mut(&feature).ok_or_else(|| {
                invalid(format!("a split on the categories of feature {feature}, which there is not"))
            })?;
            list.push(hash);
        }
        let names: BTreeMap<u32, &String> =
            info.cat_features_hash.iter().map(|pair| (pair.hash, &pair.value)).collect();
        let mut categories = vec![None; features];
        for (place, list) in hashes.values_mut() {
            list.sort_unstable();
            list.dedup();
            let texts: Option<Vec<String>> =
                list.iter().map(|hash| names.get(hash).map(|name| (*name).clone())).collect();
            let texts = texts.ok_or_else(|| {
                unsupported("categories whose names the file does not hold")
                    .hint("save it with the rows: `model.save_model(\"model.json\", format=\"json\", pool=train_pool)`")
            })?;
            categories[*place as usize] = Some(Categories::names(&texts)?);
        }
        Ok(Self { categories, floats, hashes })
    }
}

fn not_a_model(what: &str) -> Error {
    // Messages of serde quote what they found, which can be anything.
    let what: String = what.chars().take(160).flat_map(char::escape_debug).collect();
    Error::new(ErrorCode::ImportInvalid, format!("not a model of CatBoost: {what}"))
        .hint("save it with `model.save_model(\"model.json\", format=\"json\")` of CatBoost 1")
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::CatboostUnsupported, message)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
