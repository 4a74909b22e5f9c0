use super::super::class_weights::ClassWeights;
use super::*;
use crate::train::growth::MaxFeatures::{All, Count, Sqrt};
use fhectl_core::model::{Tree, TreeNode};
use proptest::prelude::*;

const LEVELS: u32 = 8;

fn columns(cells: &[(u32, u32, i32)]) -> Columns {
    let levels = vec![cells.iter().map(|c| c.0).collect(), cells.iter().map(|c| c.1).collect()];
    Columns::of(levels, vec![LEVELS; 2])
}

/// How a test grows: on all rows, with thresholds right above the lower level.
struct Trial {
    max_depth: usize,
    min_curvature: f64,
    l2: f64,
    max_features: MaxFeatures,
    seed: u64,
}

impl Trial {
    const fn deep(max_depth: usize) -> Self {
        Self { max_depth, min_curvature: 1.0, l2: 0.0, max_features: All, seed: 1 }
    }

    fn grow(&self, columns: &Columns, derivatives: &Derivatives<'_>) -> Tree<u32, Vec<f64>> {
        let grower = Grower {
            columns,
            max_depth: self.max_depth,
            rules: LeafRules { min_curvature: self.min_curvature, min_rows: 0, l2: self.l2 },
            max_features: self.max_features,
            leaf: &|values| values,
            threshold: &|split| split.low + 1,
        };
        let rows: Vec<u32> = (0..columns.levels[0].len() as u32).collect();
        grower.grow(derivatives, &rows, &mut Random::new(self.seed)).depth_first()
    }
}

/// The sum of squared distances from their mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

fn values(cells: &[(u32, u32, i32)]) -> Vec<f64> {
    cells.iter().map(|c| f64::from(c.2)).collect()
}

fn cells(rows: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u32, u32, i32)>> {
    prop::collection::vec((0..LEVELS, 0..LEVELS, -20i32..20), rows)
}

/// The rows that a split at a threshold sends down and up.
fn parts(cells: &[(u32, u32, i32)], feature: u32, threshold: u32) -> (Vec<usize>, Vec<usize>) {
    (0..cells.len()).partition(|row| [cells[*row].0, cells[*row].1][feature as usize] < threshold)
}

fn all_splits() -> impl Iterator<Item = (u32, u32)> {
    (0..2).flat_map(|feature| (1..LEVELS).map(move |threshold| (feature, threshold)))
}

proptest! {
    /// A stump leaves no more error than any split by any feature and threshold, and its leaves are means.
    #[test]
    fn a_regression_split_is_the_best_there_is(cells in cells(4..40), min_leaf in 1usize..4) {
        let wanted = values(&cells);
        let trial = Trial { min_curvature: min_leaf as f64, ..Trial::deep(1) };
        let tree = trial.grow(&columns(&cells), &Derivatives::Values(&wanted));
        let of = |rows: &[usize]| rows.iter().map(|row| wanted[*row]).collect::<Vec<f64>>();
        let error = |(feature, threshold)| {
            let (low, high) = parts(&cells, feature, threshold);
            (low.len().min(high.len()) >= min_leaf).then(|| squares(&of(&low)) + squares(&of(&high)))
        };
        let whole = squares(&wanted);
        let best = all_splits().filter_map(error).fold(whole, f64::min);
        match &tree.nodes()[0] {
            TreeNode::Split { feature, threshold, low, high } => {
                let got = error((*feature, *threshold)).expect("a leaf is too small");
                prop_assert!(got <= best + 1e-9 * whole.max(1.0), "{got}, best {best}");
                let (below, above) = parts(&cells, *feature, *threshold);
                for (leaf, rows) in [(low, below), (high, above)] {
                    let TreeNode::Leaf(values) = &tree.nodes()[*leaf as usize] else { panic!() };
                    let mean = of(&rows).iter().sum::<f64>() / rows.len() as f64;
                    prop_assert!((values[0] - mean).abs() < 1e-9);
                }
            }
            TreeNode::Leaf(_) => prop_assert!(best >= whole * (1.0 - 1e-9), "{best} of {whole} was left"),
        }
    }

    /// A Newton stump minimizes the penalized second-order loss `sum(g w + h w^2 / 2) + l2 / 2 w^2` over all splits, with
    /// leaves of enough curvature whose values are its minima.
    #[test]
    fn a_newton_split_is_the_best_there_is(
        cells in cells(4..40),
        curvatures in prop::collection::vec(0.01f64..1.0, 40),
        l2 in 0.0f64..3.0,
        min_curvature in 0.0f64..2.0,
    ) {
        let steps: Vec<(f64, f64)> =
            cells.iter().zip(&curvatures).map(|(c, curvature)| (f64::from(c.2), *curvature)).collect();
        let trial = Trial { min_curvature, l2, ..Trial::deep(1) };
        let tree = trial.grow(&columns(&cells), &Derivatives::Newton(&steps));
        let sums = |rows: &[usize]| {
            rows.iter().fold((0.0, 0.0), |(g, h), row| (g + steps[*row].0, h + steps[*row].1))
        };
        let loss = |(g, h): (f64, f64)| -g * g / (h + l2) / 2.0;
        let split_loss = |(feature, threshold)| {
            let (low, high) = parts(&cells, feature, threshold);
            let (low, high) = (sums(&low), sums(&high));
            (low.1.min(high.1) >= min_curvature.max(1e-9)).then(|| loss(low) + loss(high))
        };
        let whole = loss(sums(&(0..cells.len()).collect::<Vec<_>>()));
        let best = all_splits().filter_map(split_loss).fold(whole, f64::min);
        match &tree.nodes()[0] {
            TreeNode::Split { feature, threshold, low, high } => {
                let (below, above) = parts(&cells, *feature, *threshold);
                let (below, above) = (sums(&below), sums(&above));
                prop_assert!(below.1.min(above.1) >= min_curvature - 1e-9);
                let got = loss(below) + loss(above);
                prop_assert!(got <= best + 1e-9 * best.abs().max(1.0), "{got}, best {best}");
                for (leaf, (g, h)) in [(low, below), (high, above)] {
                    let TreeNode::Leaf(values) = &tree.nodes()[*leaf as usize] else { panic!() };
                    prop_assert!((values[0] + g / (h + l2)).abs() < 1e-9 * (1.0 + values[0].abs()));
                }
            }
            TreeNode::Leaf(_) => prop_assert!(best >= whole - 1e-9 * whole.abs().max(1.0), "{best}, without {whole}"),
        }
    }

    /// Depth lets a tree follow its rows: the error never grows with it.
    #[test]
    fn deeper_trees_leave_less_error(cells in cells(4..40)) {
        let wanted = values(&cells);
        let mut last = f64::INFINITY;
        for max_depth in 1..=6 {
            let tree = Trial::deep(max_depth).grow(&columns(&cells), &Derivatives::Values(&wanted));
            let error: f64 = cells.iter().map(|c| (tree.leaf(&[c.0, c.1])[0] - f64::from(c.2)).powi(2)).sum();
            prop_assert!(error <= last + 1e-9);
            last = error;
        }
    }

    /// Squared errors are the same whether they come as numbers or as slopes and curvatures.
    #[test]
    fn squared_errors_are_newton_steps(cells in cells(4..40)) {
        let wanted = values(&cells);
        let steps: Vec<(f64, f64)> = wanted.iter().map(|value| (-value, 1.0)).collect();
        let tree = Trial::deep(4).grow(&columns(&cells), &Derivatives::Values(&wanted));
        let newton = Trial::deep(4).grow(&columns(&cells), &Derivatives::Newton(&steps));
        for c in &cells {
            prop_assert_eq!(tree.leaf(&[c.0, c.1]), newton.leaf(&[c.0, c.1]));
        }
    }
}

#[test]
fn features_are_drawn_but_a_useful_one_is_found() {
    // Feature 0 is constant and feature 1 decides: with one feature a split it must still be found.
    let cells: Vec<(u32, u32, i32)> = (0..20).map(|row| (3, row % 8, i32::from(row % 8 >= 4))).collect();
    let wanted = values(&cells);
    for seed in 0..8 {
        let trial = Trial { max_features: Count(1), seed, ..Trial::deep(3) };
        let tree = trial.grow(&columns(&cells), &Derivatives::Values(&wanted));
        assert_eq!(tree.nodes().len(), 3);
        assert!(matches!(tree.nodes()[0], TreeNode::Split { feature: 1, threshold: 4, .. }));
    }
}

#[test]
fn leaves_of_classes_are_shares() {
    let columns = columns(&[(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (7, 0, 0)]);
    let labels = [0, 1, 1, 1, 0];
    let trial = Trial { max_features: Sqrt, ..Trial::deep(4) };
    let tree =
        trial.grow(&columns, &Derivatives::Classes { labels: &labels, classes: 3, weights: &ClassWeights::default() });
    assert_eq!(*tree.leaf(&[0, 0]), [0.25, 0.75, 0.0]);
    assert_eq!(*tree.leaf(&[7, 0]), [1.0, 0.0, 0.0]);
}

#[test]
fn a_penalty_draws_leaves_to_zero() {
    let columns = columns(&[(0, 0, 0), (7, 0, 0)]);
    let steps = [(-3.0, 1.0), (3.0, 1.0)];
    let tree = Trial { l2: 2.0, ..Trial::deep(1) }.grow(&columns, &Derivatives::Newton(&steps));
    assert_eq!((tree.leaf(&[0, 0])[0], tree.leaf(&[7, 0])[0]), (1.0, -1.0));
}
