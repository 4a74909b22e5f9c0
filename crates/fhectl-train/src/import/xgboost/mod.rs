//! Models that XGBoost 1.7 to 3.x saves, as JSON or UBJSON.
//!
//! Follows XGBoost's JSON schema (doc/model.schema in its repository): a row goes left where its feature, in 32 bits, is
//! below the threshold. Where a missing value goes is not read, for no row has one.

mod schema;
mod ubjson;

use super::edge::{Precision, at_least};
use super::model::{FloatModel, Forest, Imported, Linear, MAX_CLASSES, MAX_FEATURES, MAX_VALUES, Tree, invalid, large};
use super::tree_builder::{Budget, SourceNode, TreeBuilder};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::{Error, ErrorCode, Result};
use schema::{File, Learner};

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

/// Reads XGBoost's JSON.
///
/// # Errors
/// `import_invalid` for a file that is no such model, `xgboost_unsupported` for models that predict otherwise than by a
/// sum, `import_large` for too large ones.
pub fn read_json(bytes: &[u8]) -> Result<Imported> {
    read(serde_json::from_slice(bytes).map_err(|error| not_a_model(&error.to_string()))?)
}

/// Reads XGBoost's UBJSON.
///
/// # Errors
/// As [`read_json`].
pub fn read_ubjson(bytes: &[u8]) -> Result<Imported> {
    read(ubjson::from_slice(bytes).map_err(|error| not_a_model(&error.to_string()))?)
}

/// What an objective makes of scores.
enum Task {
    /// The sign of one score.
    Binary,
    /// The largest of one score a class.
    Classes,
    /// The score.
    Value,
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
    if learner.feature_types.iter().any(|kind| kind == "c") {
        return Err(unsupported("categorical features").hint("train with numeric features, e.g. one-hot encoded ones"));
    }
    let task = task(&learner)?;
    let scores = match task {
        Task::Classes => learner.learner_model_param.num_class.0,
        Task::Binary | Task::Value => 1,
    };
    let base = base_margins(&learner, scores)?;
    let model = booster(&learner, features, base)?;
    let (classes, model) = match task {
        Task::Value => (0, model),
        Task::Binary => (2, model),
        Task::Classes if scores == 2 => (2, model.margin()),
        Task::Classes => (scores, model),
    };
    let imported = Imported {
        source,
        features,
        feature_names: learner.feature_names,
        classes: (0..classes).map(|class| class.to_string()).collect(),
        unit: if learner.objective.name == "binary:hinge" { ScoreUnit::Margin } else { ScoreUnit::Logit },
        input: None,
        preprocessing: Vec::new(),
        head: None,
        reveals_training_rows: false,
        model,
    };
    imported.checked()
}

fn task(learner: &Learner) -> Result<Task> {
    let params = &learner.learner_model_param;
    if params.num_target.is_some_and(|targets| targets.0 > 1) {
        return Err(unsupported("several targets").hint("train a model for each"));
    }
    match learner.objective.name.as_str() {
        "binary:logistic" | "binary:logitraw" | "binary:hinge" => Ok(Task::Binary),
        "multi:softmax" | "multi:softprob" => match params.num_class.0 {
            2..=MAX_CLASSES => Ok(Task::Classes),
            classes => Err(large(format!("{classes} classes, want 2 to {MAX_CLASSES}"))),
        },
        "reg:squarederror" | "reg:linear" | "reg:pseudohubererror" | "reg:absoluteerror" => Ok(Task::Value),
        other => Err(unsupported(format!("the objective `{}`", other.escape_debug())).hint(
            "read are binary:logistic, binary:logitraw, binary:hinge, multi:softmax, multi:softprob, reg:squarederror, \
             reg:pseudohubererror and reg:absoluteerror; others predict through a function of the score that a client \
             does not apply",
        )),
    }
}

/// The base score of each score, before the objective's link.
fn base_margins(learner: &Learner, scores: usize) -> Result<Vec<f64>> {
    let base = &learner.learner_model_param.base_score.0;
    let base = match base[..] {
        [one] => vec![one; scores],
        _ if base.len() == scores => base.clone(),
        _ => return Err(invalid(format!("{} base scores for {scores} scores", base.len()))),
    };
    if learner.objective.name != "binary:logistic" {
        return Ok(base);
    }
    // Of this objective alone the file holds a probability.
    match base.iter().all(|p| *p > 0.0 && *p < 1.0) {
        true => Ok(base.iter().map(|p| -(1.0 / p - 1.0).ln()).collect()),
        false => Err(invalid("the base score is no probability")),
    }
}

fn booster(learner: &Learner, features: usize, base: Vec<f64>) -> Result<FloatModel> {
    let booster = &learner.gradient_booster;
    match (booster.name.as_str(), &booster.model, &booster.gbtree) {
        ("gbtree", Some(model), _) => forest(&used(learner, model)?, &[], features, base),
        ("dart", _, Some(inner)) => match &inner.model {
            Some(model) if booster.weight_drop.len() == model.trees.len() => {
                forest(&used(learner, model)?, &booster.weight_drop, features, base)
            }
            _ => Err(invalid("dart without a weight for every tree")),
        },
        ("gblinear", Some(model), _) => linear(&model.weights, features, &base),
        ("gbtree" | "dart" | "gblinear", ..) => Err(invalid("a booster without a model")),
        (other, ..) => {
            Err(unsupported(format!("the booster `{}`", other.escape_debug()))
                .hint("read are gbtree, dart and gblinear"))
        }
    }
}

/// The trees that predict, with the score that each adds to. The scikit-learn interface stops at the best round.
fn used<'a>(learner: &Learner, model: &'a schema::Model) -> Result<Vec<(&'a schema::Tree, i32)>> {
    if model.tree_info.len() != model.trees.len() {
        return Err(invalid(format!("{} scores named for {} trees", model.tree_info.len(), model.trees.len())));
    }
    let attributes = &learner.attributes;
    let best = attributes.best_iteration.filter(|_| attributes.scikit_learn.is_some());
    let count = match best {
        None => model.trees.len(),
        Some(round) => {
            let parallel = model.gbtree_model_param.as_ref().and_then(|param| param.num_parallel_tree);
            let scores = learner.learner_model_param.num_class.0.max(1);
            let each = scores.saturating_mul(parallel.map_or(1, |count| count.0.max(1)));
            round.0.saturating_add(1).saturating_mul(each)
        }
    };
    Ok(model.trees.iter().zip(model.tree_info.iter().copied()).take(count).collect())
}

fn linear(weights: &[f64], features: usize, base: &[f64]) -> Result<FloatModel> {
    let scores = base.len();
    if weights.len() != (features + 1).saturating_mul(scores) {
        return Err(invalid(format!("{} weights for {features} features and {scores} scores", weights.len())));
    }
    let row = |score: usize| (0..features).map(|feature| weights[feature * scores + score]).collect();
    let bias = |score: usize| weights[features * scores + score] + base[score];
    Ok(FloatModel::Linear(Linear { weights: (0..scores).map(row).collect(), biases: (0..scores).map(bias).collect() }))
}

fn forest(trees: &[(&schema::Tree, i32)], weights: &[f64], features: usize, biases: Vec<f64>) -> Result<FloatModel> {
    if trees.is_empty() || trees.len() > MAX_TREES {
        return Err(large(format!("{} trees, want 1 to {MAX_TREES}", trees.len())));
    }
    let mut budget = Budget::default();
    let trees = trees.iter().enumerate().map(|(index, (source, score))| {
        let score = usize::try_from(*score).ok().filter(|score| *score < biases.len());
        let score = score.ok_or_else(|| invalid(format!("tree {index} adds to a score that there is not")))?;
        let place = Place { scores: biases.len(), score, weight: weights.get(index).copied().unwrap_or(1.0), features };
        tree(source, &place, &mut budget).map_err(|error| error.context(format!("tree {index}")))
    });
    let trees = trees.collect::<Result<_>>()?;
    Ok(FloatModel::Forest(Forest { biases, trees }))
}

/// Where a tree's values go.
struct Place {
    scores: usize,
    score: usize,
    /// What the values are multiplied with.
    weight: f64,
    features: usize,
}

fn tree(source: &schema::Tree, place: &Place, budget: &mut Budget) -> Result<Tree> {
    let count = source.left_children.len();
    if [source.right_children.len(), source.split_indices.len(), source.split_conditions.len()] != [count; 3] {
        return Err(invalid("lists of different lengths"));
    }
    if count.saturating_mul(place.scores) > MAX_VALUES {
        return Err(large(format!("{count} nodes for {} scores", place.scores)));
    }
    if source.split_type.iter().any(|kind| *kind != 0) {
        return Err(unsupported("a categorical split").hint("train with numeric features, e.g. one-hot encoded ones"));
    }
    if source.tree_param.size_leaf_vector.is_some_and(|size| size.0 > 1) {
        return Err(unsupported("trees of several outputs").hint("train with multi_strategy = one_output_per_tree"));
    }
    let nodes: Vec<SourceNode> = (0..count)
        .map(|at| {
            let condition = source.split_conditions[at];
            if source.left_children[at] == -1 {
                let mut values = vec![0.0; place.scores];
                values[place.score] = f64::from(condition) * place.weight;
                return Ok(SourceNode::Leaf { values });
            }
            if condition.is_nan() {
                return Err(invalid(format!("the threshold of node {at} is no number")));
            }
            let feature = source.split_indices[at];
            if feature as usize >= place.features {
                return Err(invalid(format!("node {at} splits on feature {feature} of {}", place.features)));
            }
            let child =
                |index: i32| usize::try_from(index).map_err(|_| invalid(format!("node {at} has a child {index}")));
            Ok(SourceNode::Split {
                feature,
                edge: at_least(condition.into(), Precision::Single),
                low: child(source.left_children[at])?,
                high: child(source.right_children[at])?,
            })
        })
        .collect::<Result<_>>()?;
    TreeBuilder::new(&nodes).tree(0, budget)
}

fn not_a_model(what: &str) -> Error {
    // Messages of serde quote what they found, which can be anything.
    let what: String = what.chars().take(160).flat_map(char::escape_debug).collect();
    Error::new(ErrorCode::ImportInvalid, format!("not a model of XGBoost: {what}"))
        .hint("save it with `booster.save_model(\"model.json\")` of XGBoost 1.7 or later")
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::XgboostUnsupported, message)
}
