//! One tree of XGBoost.

use super::super::categories::Categories;
use super::super::derived::{Derived, Gap, Number};
use super::super::edge::{Precision, at_least};
use super::super::model::{self, MAX_VALUES, invalid, large};
use super::super::tree_builder::{Budget, SourceNode, TreeBuilder};
use super::errors::unsupported;
use super::schema::Tree;
use fhectl_core::error::Result;

/// Where a tree's values go, and what its features are.
pub(super) struct Place<'a> {
    pub scores: usize,
    pub score: usize,
    /// What the values are multiplied with.
    pub weight: f64,
    /// The row's numbers, with their categories where the file names them.
    pub columns: &'a [Option<Categories>],
}

/// # Errors
/// `import_invalid` for lists that contradict one another, `import_large`, `xgboost_unsupported` for trees of vectors.
pub(super) fn tree(
    source: &Tree,
    place: &Place<'_>,
    derived: &mut Derived,
    budget: &mut Budget,
) -> Result<model::Tree> {
    let count = source.left_children.len();
    if [source.right_children.len(), source.split_indices.len(), source.split_conditions.len()] != [count; 3] {
        return Err(invalid("lists of different lengths"));
    }
    if count.saturating_mul(place.scores) > MAX_VALUES {
        return Err(large(format!("{count} nodes for {} scores", place.scores)));
    }
    if source.tree_param.size_leaf_vector.is_some_and(|size| size.0 > 1) {
        return Err(unsupported("trees of several outputs").hint("train with multi_strategy = one_output_per_tree"));
    }
    let sets = sets(source)?;
    let nodes: Vec<SourceNode> = (0..count).map(|at| node(source, at, &sets, place, derived)).collect::<Result<_>>()?;
    TreeBuilder::new(&nodes).tree(0, budget)
}

fn node(
    source: &Tree,
    at: usize,
    sets: &[Option<&[i32]>],
    place: &Place<'_>,
    derived: &mut Derived,
) -> Result<SourceNode> {
    let condition = source.split_conditions[at];
    if source.left_children[at] == -1 {
        let mut values = vec![0.0; place.scores];
        values[place.score] = f64::from(condition) * place.weight;
        return Ok(SourceNode::Leaf { values });
    }
    let feature = source.split_indices[at];
    let Some(categories) = place.columns.get(feature as usize) else {
        return Err(invalid(format!("node {at} splits on feature {feature} of {}", place.columns.len())));
    };
    let child = |index: i32| usize::try_from(index).map_err(|_| invalid(format!("node {at} has a child {index}")));
    let (left, right) = (child(source.left_children[at])?, child(source.right_children[at])?);
    let gap = match source.default_left.get(at) {
        None => Gap::Unknown,
        Some(flag) if flag.0 => Gap::Low,
        Some(_) => Gap::High,
    };
    let number = Number::plain(feature);
    match source.split_type.get(at).copied().unwrap_or(0) {
        0 if condition.is_nan() => Err(invalid(format!("the threshold of node {at} is no number"))),
        0 => Ok(derived.split(number, at_least(condition.into(), Precision::Single), gap, left, right)),
        1 => {
            let set = sets[at].ok_or_else(|| invalid(format!("node {at} splits on categories that are not listed")))?;
            let code =
                |code: &i32| usize::try_from(*code).map_err(|_| invalid(format!("node {at} has the category {code}")));
            let codes: Vec<usize> = set.iter().map(code).collect::<Result<_>>()?;
            let values = match categories {
                Some(categories) => categories.of_codes(codes),
                None => codes.into_iter().map(|code| code as f64).collect(),
            };
            // Those that are listed go right.
            derived.one_of(number, values, gap == Gap::High, (left, right))
        }
        other => Err(unsupported(format!("node {at} splits in the way {other}"))),
    }
}

/// For each node its categories, where it splits on some.
fn sets(source: &Tree) -> Result<Vec<Option<&[i32]>>> {
    let mut sets = vec![None; source.left_children.len()];
    let count = source.categories_nodes.len();
    if [source.categories_segments.len(), source.categories_sizes.len()] != [count; 2] {
        return Err(invalid("lists of categories of different lengths"));
    }
    for (index, node) in source.categories_nodes.iter().enumerate() {
        let (from, size) = (source.categories_segments[index].0, source.categories_sizes[index].0);
        let set = from.checked_add(size).and_then(|to| source.categories.get(from..to));
        let set = set.ok_or_else(|| invalid(format!("categories from {from}, {size} of them")))?;
        let place = usize::try_from(*node).ok().and_then(|node| sets.get_mut(node));
        *place.ok_or_else(|| invalid(format!("categories of a node {node}")))? = Some(set);
    }
    Ok(sets)
}
