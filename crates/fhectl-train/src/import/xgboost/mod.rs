//! Models that XGBoost 1.7 to 3.x saves, as JSON or UBJSON.
//!
//! Follows XGBoost's JSON schema (doc/model.schema in its repository): a row goes left where its feature, in 32 bits, is
//! below the threshold, or is a category that is not listed; a missing one goes where the node says.

mod booster;
mod errors;
mod objective;
mod schema;
mod tree;
mod ubjson;

use super::categories::{Categories, schema};
use super::model::{Imported, MAX_FEATURES, invalid, large};
use booster::booster;
use fhectl_core::error::{Error, ErrorCode, Result};
use objective::Objective;
use schema::{File, Learner, Number};

/// Reads XGBoost's JSON.
///
/// # Errors
/// `import_invalid` for a file that is no such model, `xgboost_unsupported` for models that predict otherwise than by a
/// sum, `import_large` for too large ones.
pub fn read_json(bytes: &[u8]) -> Result<Imported> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    read(serde_json::from_slice(bytes).map_err(|error| not_a_model(&error.to_string()))?)
}

/// Reads XGBoost's UBJSON.
///
/// # Errors
/// As [`read_json`].
pub fn read_ubjson(bytes: &[u8]) -> Result<Imported> {
    read(ubjson::from_slice(bytes).map_err(|error| not_a_model(&error.to_string()))?)
}

fn read(file: File) -> Result<Imported> {
    let learner = file.learner;
    let version: Vec<String> = file.version.iter().take(3).map(ToString::to_string).collect();
    let source = format!(
        "XGBoost {}, {}, {}",
        version.join("."),
        learner.gradient_booster.name.escape_debug(),
        learner.objective.name.escape_debug()
    );
    let features = learner.learner_model_param.num_feature.0;
    if features > MAX_FEATURES {
        return Err(large(format!("{features} features, at most {MAX_FEATURES}")));
    }
    let objective = Objective::of(&learner)?;
    let columns = columns(&learner, features)?;
    let (preprocessing, model) = booster(&learner, &columns, objective.base_scores(&learner)?)?;
    // Of two scores, one a class, the difference says it all.
    let model = if objective.scores == 2 { model.margin() } else { model };
    let imported = Imported {
        source,
        input: schema(&learner.feature_names, &columns),
        features,
        feature_names: learner.feature_names,
        classes: (0..objective.classes).map(|class| class.to_string()).collect(),
        unit: objective.unit,
        preprocessing,
        head: objective.head,
        reveals_training_rows: false,
        model,
    };
    imported.checked()
}

/// What the file says of each column's categories. Columns whose codes it does not explain hold the codes.
fn columns(learner: &Learner, features: usize) -> Result<Vec<Option<Categories>>> {
    let mut columns = vec![None; features];
    let lists = booster::model(learner).and_then(|model| model.cats.as_ref());
    for (column, list) in columns.iter_mut().zip(lists.iter().flat_map(|lists| &lists.enc)) {
        *column = match &list.offsets {
            None if list.values.is_empty() => None,
            None => Some(Categories::numbers(&list.values)),
            Some(offsets) => texts(offsets, &list.values)?.map(|names| Categories::texts(&names)).transpose()?,
        };
    }
    Ok(columns)
}

/// Texts between offsets into their bytes. `None` where there are none, and where some are not ASCII: of these XGBoost
/// writes as many bytes as they have characters, which does not tell them apart, so that codes have to stand in tables.
fn texts(offsets: &[Number], bytes: &[f64]) -> Result<Option<Vec<String>>> {
    let text = |pair: &[Number]| -> Result<Option<String>> {
        let part = bytes.get(pair[0].0..pair[1].0);
        let part = part.ok_or_else(|| invalid(format!("a category at bytes {} to {}", pair[0].0, pair[1].0)))?;
        let ascii = |byte: &f64| (0.0..128.0).contains(byte).then_some(char::from(*byte as u8));
        Ok(part.iter().map(ascii).collect())
    };
    let names: Option<Vec<String>> = offsets.windows(2).map(text).collect::<Result<_>>()?;
    Ok(names.filter(|names| !names.is_empty()))
}

fn not_a_model(what: &str) -> Error {
    // Messages of serde quote what they found, which can be anything.
    let what: String = what.chars().take(160).flat_map(char::escape_debug).collect();
    Error::new(ErrorCode::ImportInvalid, format!("not a model of XGBoost: {what}"))
        .hint("save it with `booster.save_model(\"model.json\")` of XGBoost 1.7 or later")
}
