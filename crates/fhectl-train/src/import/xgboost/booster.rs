//! The sums that a learner's booster computes.

use super::super::categories::Categories;
use super::super::derived::Derived;
use super::super::model::{FloatModel, Forest, Linear, invalid, large};
use super::super::tree_builder::Budget;
use super::errors::unsupported;
use super::schema::{Learner, Model, Tree};
use super::tree::{Place, tree};
use fhectl_core::error::Result;
use fhectl_core::model::ClearStep;

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

/// What a booster computes of a row: first in clear, then the sums.
pub(super) type Sums = (Vec<ClearStep>, FloatModel);

/// The model of a row of as many numbers as there are `columns`.
///
/// # Errors
/// `import_invalid`, `import_large` and `xgboost_unsupported`.
pub(super) fn booster(learner: &Learner, columns: &[Option<Categories>], base: Vec<f64>) -> Result<Sums> {
    let booster = &learner.gradient_booster;
    match (booster.name.as_str(), &booster.model, &booster.gbtree) {
        ("gbtree", Some(model), _) => forest(&used(learner, model)?, &[], columns, base),
        ("dart", _, Some(inner)) => match &inner.model {
            Some(model) if booster.weight_drop.len() == model.trees.len() => {
                forest(&used(learner, model)?, &booster.weight_drop, columns, base)
            }
            _ => Err(invalid("dart without a weight for every tree")),
        },
        ("gblinear", Some(model), _) => Ok((Vec::new(), linear(&model.weights, columns.len(), &base)?)),
        ("gbtree" | "dart" | "gblinear", ..) => Err(invalid("a booster without a model")),
        (other, ..) => {
            Err(unsupported(format!("the booster `{}`", other.escape_debug()))
                .hint("read are gbtree, dart and gblinear"))
        }
    }
}

/// The trees of a booster, whichever it is.
pub(super) fn model(learner: &Learner) -> Option<&Model> {
    let booster = &learner.gradient_booster;
    booster.gbtree.as_ref().and_then(|inner| inner.model.as_ref()).or(booster.model.as_ref())
}

/// The trees that predict, with the score that each adds to. The scikit-learn interface stops at the best round.
fn used<'a>(learner: &Learner, model: &'a Model) -> Result<Vec<(&'a Tree, i32)>> {
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

fn forest(trees: &[(&Tree, i32)], weights: &[f64], columns: &[Option<Categories>], biases: Vec<f64>) -> Result<Sums> {
    if trees.is_empty() || trees.len() > MAX_TREES {
        return Err(large(format!("{} trees, want 1 to {MAX_TREES}", trees.len())));
    }
    let mut budget = Budget::default();
    let mut derived = Derived::default();
    let trees = trees.iter().enumerate().map(|(index, (source, score))| {
        let score = usize::try_from(*score).ok().filter(|score| *score < biases.len());
        let score = score.ok_or_else(|| invalid(format!("tree {index} adds to a score that there is not")))?;
        let place = Place { scores: biases.len(), score, weight: weights.get(index).copied().unwrap_or(1.0), columns };
        tree(source, &place, &mut derived, &mut budget).map_err(|error| error.context(format!("tree {index}")))
    });
    let trees = trees.collect::<Result<_>>()?;
    let (steps, forest) = derived.finish(Forest { biases, trees }, columns.len())?;
    Ok((steps, FloatModel::Forest(forest)))
}
