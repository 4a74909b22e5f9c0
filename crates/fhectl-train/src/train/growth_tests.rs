use super::*;
use fhectl_core::model::{FeatureQuantizer, TreeNode};
use proptest::prelude::*;

fn quantizer(features: usize) -> Quantizer {
    let edges = (1..8).map(|level| f64::from(level) - 0.5).collect();
    Quantizer { features: vec![FeatureQuantizer::Edges { edges }; features] }
}

fn data(cells: &[(u32, u32, i32)]) -> Dataset {
    Dataset {
        name: "d".into(),
        target: "y".into(),
        features: vec!["a".into(), "b".into()],
        classes: Vec::new(),
        rows: cells.iter().map(|c| vec![f64::from(c.0), f64::from(c.1)]).collect(),
        labels: Vec::new(),
        values: cells.iter().map(|c| f64::from(c.2)).collect(),
        image: None,
    }
}

/// The sum of squared distances from their mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

proptest! {
    /// A stump leaves no more error than any split by any feature and threshold, and its leaves are means.
    #[test]
    fn a_regression_split_is_the_best_there_is(
        cells in prop::collection::vec((0u32..8, 0u32..8, -20i32..20), 4..40),
        min_leaf in 1usize..4,
    ) {
        let (data, quantizer) = (data(&cells), quantizer(2));
        let samples = Samples::new(&data, &quantizer, Targets::Values(data.values.clone())).unwrap();
        let all: Vec<u32> = (0..cells.len() as u32).collect();
        let params = GrowthParams { max_depth: 1, min_leaf, max_features: MaxFeatures::All };
        let tree = samples.grow(&all, &params, &mut Random::new(1));
        let error = |feature: u32, threshold: u32| {
            let (high, low): (Vec<&(u32, u32, i32)>, Vec<_>) =
                cells.iter().partition(|c| [c.0, c.1][feature as usize] >= threshold);
            let values = |part: &[&(u32, u32, i32)]| part.iter().map(|c| f64::from(c.2)).collect::<Vec<f64>>();
            (low.len().min(high.len()) >= min_leaf).then(|| squares(&values(&low)) + squares(&values(&high)))
        };
        let whole = squares(&data.values);
        let best = (0..2).flat_map(|f| (1..8).map(move |t| (f, t))).filter_map(|(f, t)| error(f, t)).fold(whole, f64::min);
        match &tree.nodes()[0] {
            TreeNode::Split { feature, threshold, low, high } => {
                let got = error(*feature, *threshold).expect("a leaf is too small");
                prop_assert!(got <= best + 1e-9 * whole.max(1.0), "{got}, best {best}");
                let side = |up: bool| cells.iter().filter(move |c| ([c.0, c.1][*feature as usize] >= *threshold) == up);
                for (leaf, up) in [(low, false), (high, true)] {
                    let TreeNode::Leaf(values) = &tree.nodes()[*leaf as usize] else { panic!() };
                    let mean = side(up).map(|c| f64::from(c.2)).sum::<f64>() / side(up).count() as f64;
                    prop_assert!((values[0] - mean).abs() < 1e-9);
                }
            }
            TreeNode::Leaf(_) => prop_assert!(best >= whole * (1.0 - 1e-9), "{best} of {whole} was left"),
        }
    }

    /// Depth lets a tree follow its rows: the error never grows with it, and ends at what equal rows leave.
    #[test]
    fn deeper_trees_leave_less_error(cells in prop::collection::vec((0u32..8, 0u32..8, -20i32..20), 4..40)) {
        let (data, quantizer) = (data(&cells), quantizer(2));
        let samples = Samples::new(&data, &quantizer, Targets::Values(data.values.clone())).unwrap();
        let all: Vec<u32> = (0..cells.len() as u32).collect();
        let mut last = f64::INFINITY;
        for max_depth in 1..=6 {
            let params = GrowthParams { max_depth, min_leaf: 1, max_features: MaxFeatures::All };
            let tree = samples.grow(&all, &params, &mut Random::new(1));
            let error: f64 = cells.iter().map(|c| (tree.leaf(&[c.0, c.1])[0] - f64::from(c.2)).powi(2)).sum();
            prop_assert!(error <= last + 1e-9);
            last = error;
        }
    }
}

#[test]
fn features_are_drawn_but_a_useful_one_is_found() {
    // Feature 0 is constant and feature 1 decides: with one feature a split it must still be found.
    let cells: Vec<(u32, u32, i32)> = (0..20).map(|row| (3, row % 8, i32::from(row % 8 >= 4))).collect();
    let (data, quantizer) = (data(&cells), quantizer(2));
    let samples = Samples::new(&data, &quantizer, Targets::Values(data.values.clone())).unwrap();
    let all: Vec<u32> = (0..20).collect();
    let params = GrowthParams { max_depth: 3, min_leaf: 1, max_features: MaxFeatures::Count(1) };
    for seed in 0..8 {
        let tree = samples.grow(&all, &params, &mut Random::new(seed));
        assert_eq!(tree.nodes().len(), 3);
        assert!(matches!(tree.nodes()[0], TreeNode::Split { feature: 1, threshold: 4, .. }));
    }
}

#[test]
fn leaves_of_classes_are_shares() {
    let mut data = data(&[(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (7, 0, 0)]);
    data.values.clear();
    data.labels = vec![0, 1, 1, 1, 0];
    let quantizer = quantizer(2);
    let all: Vec<u32> = (0..5).collect();
    let params = GrowthParams { max_depth: 4, min_leaf: 1, max_features: MaxFeatures::Sqrt };
    for (classes, wanted) in [(2, vec![0.5]), (3, vec![0.25, 0.75, 0.0])] {
        let targets = Targets::Classes { labels: data.labels.clone(), classes };
        let samples = Samples::new(&data, &quantizer, targets).unwrap();
        let tree = samples.grow(&all, &params, &mut Random::new(0));
        assert_eq!(*tree.leaf(&[0, 0]), wanted);
    }
}
