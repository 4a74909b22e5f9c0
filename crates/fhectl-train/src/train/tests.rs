use super::*;
use crate::data::{Dataset, Holdout, load_split};
use fhectl_core::error::ErrorCode;
use fhectl_core::model::{ClassLeaf, FeatureQuantizer, Model, Output, Tree, TreeNode};
use proptest::prelude::*;
use std::path::Path;

pub(super) fn holdout(name: &str) -> (Dataset, Dataset) {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    load_split(name, &datasets, None, None, Holdout::Share { test_size: 0.15, seed: 42 }).unwrap()
}

pub(super) fn dataset(rows: Vec<Vec<f64>>, labels: Vec<u32>, classes: usize) -> Dataset {
    Dataset {
        name: "d".into(),
        target: "y".into(),
        features: (0..rows[0].len()).map(|feature| format!("f{feature}")).collect(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
        rows,
        labels,
        values: Vec::new(),
        input: None,
        image: None,
    }
}

#[test]
fn a_spam_tree_is_accurate_valid_and_the_same_again() {
    let (train, test) = holdout("spam");
    let quantizer = fit_edges(&train, 6).unwrap();
    quantizer.check().unwrap();
    let params = TreeParams { max_depth: 6, min_leaf: 1, ..TreeParams::default() };
    let tree = train_tree(&train, &quantizer, &params).unwrap();
    tree.check(&quantizer, Output::Classes(2)).unwrap();
    assert!(tree.depth() <= 6);
    assert_eq!(tree, train_tree(&train, &quantizer, &params).unwrap());
    assert!(accuracy(&Model::Tree(tree), &quantizer, &test).unwrap() >= 0.90);
    assert!(float_tree_accuracy(&train, &test, &params).unwrap() >= 0.90);
}

#[test]
fn a_tree_of_many_classes_is_the_same_again() {
    let (train, test) = holdout("digits");
    let quantizer = fit_edges(&train, 4).unwrap();
    let params = TreeParams { max_depth: 8, min_leaf: 2, ..TreeParams::default() };
    let tree = train_tree(&train, &quantizer, &params).unwrap();
    tree.check(&quantizer, Output::Classes(10)).unwrap();
    assert_eq!(tree, train_tree(&train, &quantizer, &params).unwrap());
    assert!(accuracy(&Model::Tree(tree), &quantizer, &test).unwrap() >= 0.75);
}

#[test]
fn trees_without_a_use_are_refused() {
    // The feature is independent of the label.
    let noise = dataset(vec![vec![0.0], vec![0.0], vec![1.0], vec![1.0]], vec![0, 1, 0, 1], 2);
    let quantizer = fit_edges(&noise, 3).unwrap();
    let train = |params| train_tree(&noise, &quantizer, &params).unwrap_err().code;
    assert_eq!(train(TreeParams::default()), ErrorCode::TreeTrivial);
    assert_eq!(train(TreeParams { max_depth: 0, min_leaf: 1, ..TreeParams::default() }), ErrorCode::TreeParams);
    assert_eq!(train(TreeParams { max_depth: 3, min_leaf: 0, ..TreeParams::default() }), ErrorCode::TreeParams);
    assert_eq!(fit_edges(&noise, 0).unwrap_err().code, ErrorCode::BitsRange);
    assert_eq!(fit_affine(&noise, 17).unwrap_err().code, ErrorCode::BitsRange);
}

#[test]
fn constant_columns_get_one_level_and_no_weight() {
    let rows = (0..40).map(|row| vec![7.5, f64::from(row)]).collect();
    let data = dataset(rows, (0..40).map(|row| u32::from(row >= 20)).collect(), 2);
    for quantizer in [fit_edges(&data, 4).unwrap(), fit_affine(&data, 8).unwrap()] {
        assert_eq!(quantizer.features[0].levels(), 1);
        let tree = train_tree(&data, &quantizer, &TreeParams::default()).unwrap();
        assert_eq!(tree.depth(), 1);
        let linear =
            train_logreg(&data, &quantizer, &LinearClassifierParams::default()).unwrap().to_integer(8).unwrap();
        assert_eq!(linear.weights[0][0], 0);
        assert!(linear.weights[0][1] > 0, "class 1 has the large values");
    }
}

#[test]
fn a_binary_margin_is_positive_for_class_1_whatever_comes_first() {
    for (first, majority) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let labels: Vec<u32> = (0..30)
            .map(|row| if row == 0 || row % 3 != 0 { if row == 0 { first } else { majority } } else { 1 - majority })
            .collect();
        let rows = labels.iter().enumerate().map(|(row, l)| vec![f64::from(*l) * 3.0 + (row % 5) as f64]).collect();
        let data = dataset(rows, labels, 2);
        let model = float_logreg(&data, &LinearClassifierParams::default()).unwrap();
        assert!(model.weights[0][0] > 0.0, "{first} {majority}");
    }
}

#[test]
fn linear_models_keep_their_accuracy_as_integers() {
    for (name, bits, wanted) in [("synthetic", 8, 0.85), ("spam", 10, 0.88), ("iris", 8, 0.9), ("digits", 5, 0.93)] {
        let (train, test) = holdout(name);
        let params = LinearClassifierParams::default();
        let float = float_logreg(&train, &params).unwrap().accuracy(&test);
        let quantizer = fit_affine(&train, bits).unwrap();
        quantizer.check().unwrap();
        let fitted = train_logreg(&train, &quantizer, &params).unwrap();
        assert_eq!(fitted, train_logreg(&train, &quantizer, &params).unwrap());
        let integer = fitted.to_integer(10).unwrap();
        integer.check(&quantizer, train.output()).unwrap();
        let quantized = accuracy(&Model::Linear(integer), &quantizer, &test).unwrap();
        assert!(quantized >= wanted && (quantized - float).abs() <= 0.02, "{name}: {quantized}, float {float}");
    }
}

#[test]
fn separable_classes_do_not_blow_up() {
    let rows = (0..60).map(|row| vec![f64::from(row / 20) * 1e6, f64::from(row % 7)]).collect();
    let data = dataset(rows, (0..60).map(|row| row / 20).collect(), 3);
    for alpha in [1.0, 0.0] {
        let model = float_logreg(&data, &LinearClassifierParams { alpha, ..LinearClassifierParams::default() });
        match model {
            Ok(model) => assert!(model.accuracy(&data) > 0.9, "{alpha}"),
            Err(error) => assert_eq!((alpha, error.code), (0.0, ErrorCode::LogregDiverged)),
        }
    }
    let bad = float_logreg(&data, &LinearClassifierParams { alpha: f64::NAN, ..LinearClassifierParams::default() });
    assert_eq!(bad.unwrap_err().code, ErrorCode::LogregParams);
    let short = float_logreg(&data, &LinearClassifierParams { max_iterations: 1, ..LinearClassifierParams::default() });
    assert_eq!(short.unwrap_err().code, ErrorCode::LogregDiverged);
}

#[test]
fn integer_weights_fill_their_range() {
    let model = FloatLinear {
        weights: vec![vec![0.5, -1.0]],
        biases: vec![0.25],
        means: vec![0.0; 2],
        deviations: vec![1.0; 2],
    };
    let integer = model.to_integer(4).unwrap();
    assert_eq!((integer.weights, integer.biases), (vec![vec![4, -7]], vec![2]));
    assert_eq!(model.to_integer(1).unwrap_err().code, ErrorCode::WeightBits);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Deep trees without a minimum fit their quantized rows as well as any function of them can.
    #[test]
    fn a_tree_is_valid_and_follows_its_rows(
        cells in prop::collection::vec((0i32..40, 0i32..40, 0u32..3), 8..80),
        bits in 1u32..5,
    ) {
        let rows = cells.iter().map(|(a, b, _)| vec![f64::from(*a), f64::from(*b) / 3.0]).collect();
        let data = dataset(rows, cells.iter().map(|cell| cell.2).collect(), 3);
        let Ok(quantizer) = fit_edges(&data, bits) else { return Ok(()) };
        let params = TreeParams { max_depth: 4, min_leaf: 1, ..TreeParams::default() };
        let Ok(tree) = train_tree(&data, &quantizer, &params) else { return Ok(()) };
        tree.check(&quantizer, Output::Classes(3)).unwrap();
        prop_assert!(tree.depth() <= 4);
        let majority = *data.class_counts().iter().max().unwrap() as f64 / data.len() as f64;
        let model = Model::Tree(tree);
        prop_assert!(accuracy(&model, &quantizer, &data).unwrap() >= majority);
        for row in &data.rows {
            let quantized = quantizer.quantize(row).unwrap();
            // The levels' edges, compared with the raw value, lead to the same leaf.
            let Model::Tree(tree) = &model else { unreachable!() };
            let raw: Vec<TreeNode<f64, ClassLeaf>> = tree.tree.nodes().iter().map(|node| match node {
                TreeNode::Leaf(leaf) => TreeNode::Leaf(*leaf),
                TreeNode::Split { feature, threshold, low, high } => {
                    let FeatureQuantizer::Edges { edges } = &quantizer.features[*feature as usize] else { panic!() };
                    let threshold = edges[*threshold as usize - 1];
                    TreeNode::Split { feature: *feature, threshold, low: *low, high: *high }
                }
            }).collect();
            let class = Tree::new(raw).unwrap().leaf(row).class;
            prop_assert_eq!(class as usize, model.predict(&quantized));
        }
    }
}
