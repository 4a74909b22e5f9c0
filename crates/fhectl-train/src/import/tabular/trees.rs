//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`, versions 1 to 4.

use super::row::Row;
use super::scope::Scope;
use super::splits::{Chains, OnnxSplit, is_category};
use super::sum::ScoreSum;
use super::value::{self, Formula, Squash};
use super::vectors::{class_labels, one_target, post_transform};
use crate::import::derived::Derived;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, TensorData, invalid, unsupported};
use crate::import::tree_builder::{Budget, SourceNode, TreeBuilder};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::Result;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

pub(super) fn classifier(node: &Node, scope: &Scope<'_>) -> Result<Vec<Formula>> {
    let names = class_labels(node, "classlabels_int64s")?;
    let leaves = Leaves::read(node, "class", names.len())?;
    let post = post_transform(node)?;
    let one_score = names.len() == 2 && leaves.ids.windows(2).all(|pair| pair[0] == pair[1]);
    let unit = match post {
        // Shares of votes, or the sums of boosted trees.
        Squash::Nothing if leaves.weights.iter().all(|weight| *weight >= 0.0) => ScoreUnit::Share,
        _ => post.unit(names.len()),
    };
    if !one_score {
        let sum = ensemble(node, scope, &leaves, names.len())?;
        // A logistic function of each of two scores that mirror one another is one margin, not the sum of the two.
        let label = match post {
            Squash::Sigmoid if is_mirrored(&sum) => classifier_of(&sum.scaled(&[0.5, 0.5])?, unit, names)?,
            _ => classifier_of(&sum, unit, names)?,
        };
        return Ok(vec![label, Formula::Scores(Rc::new(sum), post)]);
    }
    // Both classes share one score, whatever its index: the probability of the second where no value is negative (then
    // that of the first is what is missing to 1), else its margin.
    let sum = ensemble(node, scope, &Leaves { ids: vec![0; leaves.ids.len()], ..leaves }, 1)?;
    let mut both = sum.combined(&[vec![(0, -1.0)], vec![(0, 1.0)]])?;
    let label = if unit == ScoreUnit::Share {
        both.biases[0] += 1.0;
        classifier_of(&both, unit, names)?
    } else {
        // Halves make the difference of the two the margin itself.
        classifier_of(&both.scaled(&[0.5, 0.5])?, unit, names)?
    };
    Ok(vec![label, Formula::Scores(Rc::new(both), post)])
}

fn classifier_of(sum: &ScoreSum, unit: ScoreUnit, names: Vec<String>) -> Result<Formula> {
    Ok(Formula::Label(Rc::new(value::classifier(sum, unit, names)?)))
}

/// Whether the first of two scores is the second with the other sign, for every row.
fn is_mirrored(sum: &ScoreSum) -> bool {
    let mirrored = |values: &[f64]| matches!(values, [first, second] if *first == -second);
    mirrored(&sum.biases) && sum.trees.iter().all(|tree| tree.leaves().all(|values| mirrored(values)))
}

pub(super) fn regressor(node: &Node, scope: &Scope<'_>) -> Result<Formula> {
    one_target(node, usize::try_from(node.int("n_targets", 1)?).unwrap_or(0))?;
    let sum = ensemble(node, scope, &Leaves::read(node, "target", 1)?, 1)?;
    Ok(Formula::Scores(Rc::new(sum), post_transform(node)?))
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

/// The sum of all trees.
fn ensemble(node: &Node, scope: &Scope<'_>, leaves: &Leaves<'_>, scores: usize) -> Result<ScoreSum> {
    let row = scope.row(node)?;
    let biases = match numbers(node, "base_values")? {
        list if list.is_empty() => vec![0.0; scores],
        list if list.len() == scores => list,
        list => return Err(invalid(format!("{}: {} base values for {scores} scores", node.label(), list.len()))),
    };
    let (roots, nodes, chained) =
        nodes(node, (&row, &scope.graph.producer), (leaves, scores), &mut scope.derived.borrow_mut())?;
    let mut builder = TreeBuilder::shared(&nodes);
    let mut budget = Budget::default();
    let trees = roots.iter().map(|(tree, root)| {
        let place = || format!("{}, tree {tree}", node.label());
        builder.tree(*root, &mut budget).map_err(|error| error.context(place()))
    });
    let trees = trees.collect::<Result<_>>()?;
    let unreached = builder.unreached().saturating_sub(chained);
    if unreached > 0 {
        return Err(invalid(format!("{}: no root reaches {unreached} nodes", node.label())));
    }
    let sum =
        ScoreSum { preprocessing: row.preprocessing.clone(), weights: Vec::new(), trees, biases: vec![0.0; scores] };
    let mut sum = match node.text("aggregate_function", "SUM")? {
        "SUM" => sum,
        "AVERAGE" => sum.scaled(&vec![1.0 / roots.len() as f64; scores])?,
        other => {
            return Err(unsupported(format!("{} that takes the {} of its trees", node.label(), other.escape_debug()))
                .hint("read are sums and averages"));
        }
    };
    sum.biases = biases;
    Ok(sum)
}

/// Trees, each by its number and root.
type Roots = Vec<(i64, usize)>;

/// Every tree's number and root, the nodes of all trees, and how many of these are parts of chains.
fn nodes(
    node: &Node,
    (row, producer): (&Row, &str),
    (leaves, scores): (&Leaves<'_>, usize),
    derived: &mut Derived,
) -> Result<(Roots, Vec<SourceNode>, usize)> {
    let (trees, ids) = (node.ints("nodes_treeids")?, node.ints("nodes_nodeids")?);
    let (yes, no) = (node.ints("nodes_truenodeids")?, node.ints("nodes_falsenodeids")?);
    let (features, modes) = (node.ints("nodes_featureids")?, node.texts("nodes_modes")?);
    let thresholds = thresholds(node)?;
    let count = ids.len();
    if count == 0 || [trees.len(), yes.len(), no.len(), features.len(), modes.len(), thresholds.len()] != [count; 6] {
        return Err(invalid(format!("{}: lists of nodes of different lengths", node.label())));
    }
    let tracks = node.ints("nodes_missing_value_tracks_true")?;
    if !tracks.is_empty() && tracks.len() != count {
        return Err(invalid(format!("{}: lists of nodes of different lengths", node.label())));
    }
    // Where all are zero, nobody thought of missing values, unless the exporter is of a tool that does.
    let thought = ["CatBoost", "OnnxMLTools"].iter().any(|tool| producer.starts_with(tool));
    let tracks = |at: usize| tracks.get(at).is_some_and(|tracks| *tracks != 0);
    let gaps = thought || (0..count).any(|at| modes[at] != "LEAF" && tracks(at));
    let places: BTreeMap<(i64, i64), usize> = trees.iter().zip(ids).map(|(tree, id)| (*tree, *id)).zip(0..).collect();
    if places.len() != count {
        return Err(invalid(format!("{}: two nodes of a tree have the same number", node.label())));
    }
    let leaf_count = modes.iter().filter(|mode| *mode == "LEAF").count();
    if leaf_count.saturating_mul(scores) > MAX_VALUES {
        return Err(large(format!("{leaf_count} leaves of {scores} scores")));
    }
    let mut parents = vec![0u32; count];
    let mut splits: Vec<Option<OnnxSplit>> = Vec::with_capacity(count);
    for at in 0..count {
        if modes[at] == "LEAF" {
            splits.push(None);
            continue;
        }
        let child = |id: i64| match places.get(&(trees[at], id)) {
            Some(place) => Ok(*place),
            None => Err(invalid(format!("{}: tree {} has no node {id}", node.label(), trees[at]))),
        };
        let (yes, no) = (child(yes[at])?, child(no[at])?);
        parents[yes] = parents[yes].saturating_add(1);
        parents[no] = parents[no].saturating_add(1);
        let column = usize::try_from(features[at]).ok().filter(|column| *column < row.columns.len());
        let column = column.ok_or_else(|| {
            invalid(format!("{}: a split on column {} of {}", node.label(), features[at], row.columns.len()))
        })?;
        let missing = gaps.then(|| tracks(at));
        let threshold = thresholds[at];
        let set = modes[at] == "BRANCH_EQ" && is_category(row.columns[column], threshold);
        splits.push(Some(OnnxSplit { column, threshold, yes, no, missing, set }));
    }
    let chains = Chains::of(&splits, &parents);
    let mut nodes = Vec::with_capacity(count);
    let mut steps = 0usize;
    for (at, split) in splits.iter().enumerate() {
        nodes.push(match split {
            None => SourceNode::Leaf { values: vec![0.0; scores] },
            // It is asked by the first of its chain.
            Some(_) if chains.within[at] => SourceNode::Leaf { values: Vec::new() },
            Some(split) => {
                let made = match split.set {
                    true => chains.set(at, &splits, &mut steps).and_then(|set| set.node(row, derived)),
                    false => split.node(row, &modes[at], derived),
                };
                made.map_err(|error| error.context(node.label()))?
            }
        });
    }
    for (entry, score) in leaves.ids.iter().enumerate() {
        let place = places.get(&(leaves.trees[entry], leaves.nodes[entry]));
        let place = place.ok_or_else(|| invalid(format!("{}: a leaf that no tree has", node.label())))?;
        // Weights of inner nodes are never reached.
        if let (SourceNode::Leaf { values }, None) = (&mut nodes[*place], &splits[*place]) {
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
    let chained = chains.within.iter().filter(|within| **within).count();
    Ok((roots.into_iter().collect(), nodes, chained))
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
