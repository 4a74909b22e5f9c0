//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`, versions 1 to 4.

use super::super::chains::{Asked, Chains};
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::split::{OnnxSplit, Splits};
use super::super::value::{Kind, Origin, Tensor, Value};
use super::labels;
use super::linear::{one_target, post_transform};
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, TensorData, invalid, unsupported};
use crate::import::tree_builder::{Budget, SourceNode, TreeBuilder};
use fhectl_core::error::Result;
use std::collections::BTreeMap;

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

pub(in super::super) fn classifier(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let names = labels::names(node, "classlabels_int64s")?;
    let leaves = Leaves::read(node, "class", names.texts.len())?;
    let one_score = names.texts.len() == 2 && leaves.ids.windows(2).all(|pair| pair[0] == pair[1]);
    let scores = if one_score {
        // Both classes share one score, whatever its index: the probability of the second where no value is negative
        // (then that of the first is what is missing to 1), else its margin.
        let shares = node.text("post_transform", "NONE")? == "NONE" && leaves.weights.iter().all(|value| *value >= 0.0);
        let score = ensemble(node, scope, &Leaves { ids: vec![0; leaves.ids.len()], ..leaves }, 1)?.swap_remove(0);
        let first = if shares { Lin::constant(1.0).minus(&score) } else { score.negated() };
        vec![first, score]
    } else {
        ensemble(node, scope, &leaves, names.texts.len())?
    };
    let seen = post_transform(node, scope, scores.clone())?;
    let label = labels::value(scope, names, scores)?;
    Ok(vec![label, Tensor::row(seen, Kind::Single, Origin::Model).value()])
}

pub(in super::super) fn regressor(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    one_target(node, usize::try_from(node.int("n_targets", 1)?).unwrap_or(0))?;
    let scores = ensemble(node, scope, &Leaves::read(node, "target", 1)?, 1)?;
    let seen = post_transform(node, scope, scores)?;
    Ok(Tensor::row(seen, Kind::Single, Origin::Model).value())
}

/// What leaves add: each entry a tree, a node, a score and a weight.
struct Leaves<'a> {
    trees: &'a [i64],
    nodes: &'a [i64],
    ids: Vec<usize>,
    weights: Vec<f64>,
}

impl<'a> Leaves<'a> {
    /// Reads the attributes that begin with `kind`, `class` or `target`.
    fn read(node: &'a Node, kind: &str, scores: usize) -> Result<Self> {
        let ids = node.ints(&format!("{kind}_ids"))?.iter().map(|id| match usize::try_from(*id) {
            Ok(id) if id < scores => Ok(id),
            _ => Err(invalid(format!("{}: a leaf adds to score {id} of {scores}", node.label()))),
        });
        let leaves = Self {
            trees: node.ints(&format!("{kind}_treeids"))?,
            nodes: node.ints(&format!("{kind}_nodeids"))?,
            ids: ids.collect::<Result<_>>()?,
            weights: numbers(node, &format!("{kind}_weights"))?,
        };
        let count = leaves.ids.len();
        if [leaves.trees.len(), leaves.nodes.len(), leaves.weights.len()] != [count; 3] {
            return Err(invalid(format!("{}: lists of leaves of different lengths", node.label())));
        }
        Ok(leaves)
    }
}

/// A list of floats, or a tensor of doubles in its place.
fn numbers(node: &Node, name: &str) -> Result<Vec<f64>> {
    match node.tensor(&format!("{name}_as_tensor"))? {
        Some(tensor) => tensor.floats(),
        None => Ok(node.floats(name)?.iter().map(|value| f64::from(*value)).collect()),
    }
}

/// The sums of all trees.
fn ensemble(node: &Node, scope: &mut Scope<'_>, leaves: &Leaves<'_>, scores: usize) -> Result<Vec<Lin>> {
    let biases = match numbers(node, "base_values")? {
        list if list.is_empty() => vec![0.0; scores],
        list if list.len() == scores => list,
        list => return Err(invalid(format!("{}: {} base values for {scores} scores", node.label(), list.len()))),
    };
    let row = scope.row(node)?;
    let splits = Splits::of(node, scope, &row)?;
    let (roots, nodes, chained) = nodes(node, scope, &splits, leaves, scores)?;
    let mut builder = TreeBuilder::shared(&nodes);
    let mut budget = Budget::default();
    let mut sums = vec![Vec::new(); scores];
    let share = match node.text("aggregate_function", "SUM")? {
        "SUM" => 1.0,
        "AVERAGE" => 1.0 / roots.len() as f64,
        other => {
            return Err(unsupported(format!("{} that takes the {} of its trees", node.label(), other.escape_debug()))
                .hint("read are sums and averages"));
        }
    };
    for (tree, root) in &roots {
        let made = builder.tree(*root, &mut budget);
        let made = made.map_err(|error| error.context(format!("{}, tree {tree}", node.label())))?;
        sums.iter_mut().zip(scope.arena.tree(made)?).for_each(|(sum, score)| sum.push(score));
    }
    let unreached = builder.unreached().saturating_sub(chained);
    if unreached > 0 {
        return Err(invalid(format!("{}: no root reaches {unreached} nodes", node.label())));
    }
    let sum = |scores: &Vec<Lin>| Lin::sum(scores.iter().map(|score| (share, score)));
    Ok(sums.iter().zip(biases).map(|(scores, bias)| sum(scores).shifted(bias)).collect())
}

/// Trees, each by its number and root.
type Roots = Vec<(i64, usize)>;

/// Every tree's number and root, the nodes of all trees, and how many of these are parts of chains.
fn nodes(
    node: &Node,
    scope: &mut Scope<'_>,
    splits: &Splits,
    leaves: &Leaves<'_>,
    scores: usize,
) -> Result<(Roots, Vec<SourceNode>, usize)> {
    let (trees, ids) = (node.ints("nodes_treeids")?, node.ints("nodes_nodeids")?);
    let (yes, no) = (node.ints("nodes_truenodeids")?, node.ints("nodes_falsenodeids")?);
    let (features, modes) = (node.ints("nodes_featureids")?, node.texts("nodes_modes")?);
    let thresholds = thresholds(node)?;
    let gaps = node.ints("nodes_missing_value_tracks_true")?;
    // Where no node names the side of a missing number, the tool had none; unless it is one that always thinks of them.
    let thought = ["CatBoost", "OnnxMLTools"].iter().any(|tool| scope.graph.producer.starts_with(tool));
    let thought = thought || gaps.iter().any(|gap| *gap != 0);
    let count = ids.len();
    if !gaps.is_empty() && gaps.len() != count {
        return Err(invalid(format!("{}: lists of nodes of different lengths", node.label())));
    }
    if count == 0 || [trees.len(), yes.len(), no.len(), features.len(), modes.len(), thresholds.len()] != [count; 6] {
        return Err(invalid(format!("{}: lists of nodes of different lengths", node.label())));
    }
    let places: BTreeMap<(i64, i64), usize> = trees.iter().zip(ids).map(|(tree, id)| (*tree, *id)).zip(0..).collect();
    if places.len() != count {
        return Err(invalid(format!("{}: two nodes of a tree have the same number", node.label())));
    }
    let leaf_count = modes.iter().filter(|mode| *mode == "LEAF").count();
    if leaf_count.saturating_mul(scores) > MAX_VALUES {
        return Err(large(format!("{leaf_count} leaves of {scores} scores")));
    }
    let mut parents = vec![0u32; count];
    let mut asked: Vec<Asked> = Vec::with_capacity(count);
    for at in 0..count {
        if modes[at] == "LEAF" {
            asked.push(None);
            continue;
        }
        let child = |id: i64| match places.get(&(trees[at], id)) {
            Some(place) => Ok(*place),
            None => Err(invalid(format!("{}: tree {} has no node {id}", node.label(), trees[at]))),
        };
        let (yes, no) = (child(yes[at])?, child(no[at])?);
        for side in [yes, no] {
            parents[side] = parents[side].saturating_add(1);
        }
        let column = usize::try_from(features[at]).ok().filter(|column| *column < splits.width());
        let column = column.ok_or_else(|| {
            let message = format!("{}: a split on column {} of {}", node.label(), features[at], splits.width());
            if features[at] < 0 { invalid(message) } else { scope.other_columns(message) }
        })?;
        let missing = thought.then(|| gaps.get(at).is_some_and(|gap| *gap != 0));
        let category = modes[at] == "BRANCH_EQ" && splits.is_category(column, thresholds[at]);
        asked.push(Some((OnnxSplit { column, threshold: thresholds[at], yes, no, missing }, category)));
    }
    let mut chains = Chains::of(&asked, &parents);
    let mut nodes = Vec::with_capacity(count);
    for (at, split) in asked.iter().enumerate() {
        let made = match split {
            None => Ok(SourceNode::Leaf { values: vec![0.0; scores] }),
            Some(_) if chains.is_within(at) => Ok(SourceNode::Leaf { values: Vec::new() }),
            Some((split, true)) => {
                chains.set(split).and_then(|(last, values)| splits.one_of(&mut scope.arena, &last, values))
            }
            Some((split, false)) => splits.node(&mut scope.arena, split, &modes[at]),
        };
        nodes.push(made.map_err(|error| error.context(node.label()))?);
    }
    for (entry, score) in leaves.ids.iter().enumerate() {
        let place = places.get(&(leaves.trees[entry], leaves.nodes[entry]));
        let place = place.ok_or_else(|| invalid(format!("{}: a leaf that no tree has", node.label())))?;
        // Weights of inner nodes are never reached.
        if let (SourceNode::Leaf { values }, None) = (&mut nodes[*place], &asked[*place]) {
            values[*score] += leaves.weights[entry];
        }
    }
    let mut roots: BTreeMap<i64, usize> = BTreeMap::new();
    for at in (0..count).filter(|at| parents[*at] == 0) {
        if roots.insert(trees[at], at).is_some() {
            return Err(invalid(format!("{}: tree {} has two roots", node.label(), trees[at])));
        }
    }
    let mut numbers = trees.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    if roots.len() != numbers.len() || roots.len() > MAX_TREES {
        return Err(invalid(format!(
            "{}: {} roots for {} trees, at most {MAX_TREES}",
            node.label(),
            roots.len(),
            numbers.len()
        )));
    }
    Ok((roots.into_iter().collect(), nodes, chains.count()))
}

/// Thresholds as they are, for they may be infinite: the builder knows what to do with those.
fn thresholds(node: &Node) -> Result<Vec<f64>> {
    match node.tensor("nodes_values_as_tensor")? {
        None => Ok(node.floats("nodes_values")?.iter().map(|value| f64::from(*value)).collect()),
        Some(tensor) => match &tensor.data {
            TensorData::Floats { values, .. } => Ok(values.clone()),
            _ => Err(invalid(format!("{}: thresholds that are no floats", node.label()))),
        },
    }
}
