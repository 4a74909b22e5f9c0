//! The three parts of a model: what a client makes of the row, what is encrypted, and what a client makes of scores.

use super::arena::{Arena, Side};
use super::atom::{Atom, Op};
use super::center::centered;
use super::cut::{self, Cut};
use super::inputs::Table;
use super::lin::{AtomId, Lin};
use super::outputs::{self, Said};
use super::prefix::{self, Prefix};
use super::program;
use super::scope::Scope;
use super::steps;
use crate::import::model::{FloatModel, Forest, Imported, Linear, MAX_VALUES, Tree, invalid, large};
use crate::import::onnx::{Graph, unsupported};
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::Result;
use fhectl_core::model::{Function, TreeNode};
use std::collections::{BTreeMap, BTreeSet};

/// The model of what a graph was read as.
///
/// # Errors
/// `onnx_unsupported`, `import_invalid` and `import_large`.
pub(super) fn of(mut scope: Scope<'_>, table: &Table) -> Result<Imported> {
    let said = outputs::of(&scope)?;
    let (classes, mut sums, unit, head) = match said {
        Said::Class { names, scores } => {
            if scores.len() != names.len() || names.len() < 2 {
                return Err(invalid(format!("{} classes for {} scores", names.len(), scores.len())));
            }
            match simple(&scope.arena, &scores) {
                Some((sums, unit)) => (names, sums, unit, None),
                None => {
                    let (sums, head) = with_head(&scope.arena, &scores)?;
                    (names, sums, ScoreUnit::Margin, Some(head))
                }
            }
        }
        Said::Number(number) if !scope.arena.has_score(&number) => (Vec::new(), vec![number], ScoreUnit::Logit, None),
        Said::Number(number) => {
            let (sums, head) = with_head(&scope.arena, &[number])?;
            (Vec::new(), sums, ScoreUnit::Logit, Some(head))
        }
    };
    let of_trees = cut::of_trees(&scope.arena, &sums)?;
    let of_trees = of_trees.ok_or_else(|| mixed(scope.graph))?;
    if !of_trees {
        sums = centered(&mut scope.arena, sums)?;
    }
    let atoms = features(&scope.arena, &sums, of_trees);
    let Prefix { input, width, steps, places, features } = prefix::of(&mut scope.arena, table, &atoms)?;
    let model = match of_trees {
        true => FloatModel::Forest(forest(&scope.arena, &sums, &places)?),
        false => FloatModel::Linear(linear(&sums, &places, features)?),
    };
    let producer = if scope.graph.producer.is_empty() { "an unnamed tool" } else { &scope.graph.producer };
    let names = if table.named { table.columns.iter().map(|column| column.name.clone()).collect() } else { Vec::new() };
    let imported = Imported {
        source: format!("ONNX from {}", producer.escape_debug()),
        features: width,
        feature_names: names,
        classes,
        unit,
        input,
        preprocessing: steps,
        head,
        reveals_training_rows: scope.neighbors,
        model,
    };
    imported.checked()
}

/// Sums whose unit says what classes' scores are made of them, without a program.
fn simple(arena: &Arena, scores: &[Lin]) -> Option<(Vec<Lin>, ScoreUnit)> {
    let plain = |sums: &[Lin]| sums.iter().all(|sum| !arena.has_score(sum));
    if let Some(logits) = logits(arena, scores).filter(|logits| plain(logits)) {
        return Some((logits, ScoreUnit::Logit));
    }
    if !plain(scores) {
        return None;
    }
    let shares = are_shares(arena, scores);
    let unit = if shares { ScoreUnit::Share } else { ScoreUnit::Margin };
    Some(match scores {
        [first, second] if !shares && first.near(&second.negated()) => (vec![second.clone()], unit),
        // Half of the distance is the margin of each: the two are told apart as the tool does.
        [first, second] => (vec![second.minus(first)], unit),
        _ => (scores.to_vec(), unit),
    })
}

/// What scores are the softmax of; of two the logit of the second.
fn logits(arena: &Arena, scores: &[Lin]) -> Option<Vec<Lin>> {
    if let [first, second] = scores
        && let Some((atom, factor, bias)) = second.single()
        && let Some(logit) = arena.argument(atom, Function::Sigmoid)
        && Lin::constant(1.0).minus(second).near(first)
    {
        return match (factor, bias) {
            (1.0, 0.0) => Some(vec![logit.clone()]),
            (-1.0, 1.0) => Some(vec![logit.negated()]),
            _ => None,
        };
    }
    let Some(Atom::Part { op: Op::Softmax, of, .. }) = scores.first()?.pure().map(|atom| arena.atom(atom)) else {
        return None;
    };
    let in_order = scores.iter().enumerate().all(|(at, score)| {
        let part = score.pure().map(|atom| arena.atom(atom));
        matches!(part, Some(Atom::Part { op: Op::Softmax, of: other, index }) if *index as usize == at && other == of)
    });
    match &of[..] {
        _ if !in_order || of.len() != scores.len() => None,
        [first, second] => Some(vec![second.minus(first)]),
        all => Some(all.to_vec()),
    }
}

/// Whether scores of trees are shares of 1, whatever leaves a row reaches.
fn are_shares(arena: &Arena, scores: &[Lin]) -> bool {
    if scores.iter().any(|score| arena.bounds(score).0 < -1e-4) {
        return false;
    }
    let total = Lin::sum(scores.iter().map(|score| (1.0, score)));
    let mut of_tree: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (atom, factor) in total.terms() {
        let Atom::Leaf { tree, values } = arena.atom(*atom) else { return false };
        let sums = of_tree.entry(*tree).or_insert_with(|| vec![0.0; values.len()]);
        sums.iter_mut().zip(values.iter()).for_each(|(sum, value)| *sum += factor * value);
    }
    let ends = of_tree.values().map(|sums| {
        sums.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, sum| (ends.0.min(*sum), ends.1.max(*sum)))
    });
    let (low, high) = ends.fold((total.bias, total.bias), |all, ends| (all.0 + ends.0, all.1 + ends.1));
    !scores.iter().all(|score| score.terms().is_empty()) && (low - 1.0).abs() < 1e-3 && (high - 1.0).abs() < 1e-3
}

/// The sums that outputs are functions of, and these functions.
fn with_head(arena: &Arena, outputs: &[Lin]) -> Result<(Vec<Lin>, Head)> {
    let cut = Cut::of(arena, outputs)?;
    if cut.sums.is_empty() {
        return Err(unsupported("scores that do not depend on the row").hint("the model says the same of every row"));
    }
    let steps = program::steps(arena, &cut, outputs)?;
    Ok((cut.sums.clone(), Head { scores: cut.sums.len() as u32, steps }))
}

/// The atoms that a model is over.
fn features(arena: &Arena, sums: &[Lin], of_trees: bool) -> BTreeSet<AtomId> {
    let atoms = sums.iter().flat_map(|sum| sum.terms()).map(|term| term.0);
    if !of_trees {
        return atoms.collect();
    }
    let trees: BTreeSet<u32> = atoms.filter_map(|atom| tree_of(arena, atom)).collect();
    trees.iter().flat_map(|tree| arena.trees[*tree as usize].splits()).map(|(feature, _)| feature).collect()
}

fn tree_of(arena: &Arena, atom: AtomId) -> Option<u32> {
    match arena.side_of(atom) {
        Side::Leaf(tree) => Some(tree),
        _ => None,
    }
}

fn linear(sums: &[Lin], places: &BTreeMap<AtomId, u32>, features: usize) -> Result<Linear> {
    if sums.len().saturating_mul(features) > MAX_VALUES {
        return Err(large(format!("{} scores of {features} features", sums.len())));
    }
    let mut weights = vec![vec![0.0; features]; sums.len()];
    for (row, sum) in weights.iter_mut().zip(sums) {
        for (atom, factor) in sum.terms() {
            let place = places.get(atom).ok_or_else(|| invalid("a feature that is lost"))?;
            row[*place as usize] += factor;
        }
    }
    Ok(Linear { weights, biases: sums.iter().map(|sum| sum.bias).collect() })
}

fn forest(arena: &Arena, sums: &[Lin], places: &BTreeMap<AtomId, u32>) -> Result<Forest> {
    // For each tree its part of each sum.
    let mut parts: BTreeMap<u32, Vec<(usize, AtomId, f64)>> = BTreeMap::new();
    for (score, sum) in sums.iter().enumerate() {
        for (atom, factor) in sum.terms() {
            let tree = tree_of(arena, *atom).ok_or_else(|| invalid("a leaf of no tree"))?;
            parts.entry(tree).or_default().push((score, *atom, *factor));
        }
    }
    let mut size = 0usize;
    let mut trees = Vec::with_capacity(parts.len());
    for (tree, parts) in parts {
        let source = &arena.trees[tree as usize];
        size = size.saturating_add(source.nodes().len().saturating_mul(sums.len()));
        if size > MAX_VALUES {
            return Err(large(format!("trees of {} scores", sums.len())));
        }
        let leaf = |leaf: u32| {
            let mut values = vec![0.0; sums.len()];
            for (score, atom, factor) in &parts {
                if let Atom::Leaf { values: of_leaf, .. } = arena.atom(*atom) {
                    values[*score] += factor * of_leaf[leaf as usize];
                }
            }
            values
        };
        let node = |node: &TreeNode<f64, u32>| match node {
            TreeNode::Leaf(index) => Ok(TreeNode::Leaf(leaf(*index))),
            TreeNode::Split { feature, threshold, low, high } => {
                let feature = *places.get(feature).ok_or_else(|| invalid("a feature that is lost"))?;
                Ok(TreeNode::Split { feature, threshold: *threshold, low: *low, high: *high })
            }
        };
        let nodes = source.nodes().iter().map(node).collect::<Result<_>>()?;
        trees.push(Tree::new(nodes).map_err(|error| invalid(error.to_string()))?);
    }
    Ok(Forest { biases: sums.iter().map(|sum| sum.bias).collect(), trees })
}

/// Says which of a graph's models are linear and which are trees.
fn mixed(graph: &Graph) -> fhectl_core::error::Error {
    let label = |trees: bool| {
        let node = graph.nodes.iter().find(|node| match node.op.as_str() {
            op if op.starts_with("TreeEnsemble") => trees,
            "LinearClassifier" | "LinearRegressor" | "SVMClassifier" | "SVMRegressor" | "MatMul" | "Gemm" => !trees,
            _ => false,
        });
        node.map_or_else(|| "a sum".to_owned(), |node| node.label())
    };
    steps::mixed(&label(false), &label(true))
}
