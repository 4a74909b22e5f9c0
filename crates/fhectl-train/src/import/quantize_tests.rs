use super::*;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::ErrorCode;
use proptest::prelude::*;

fn leaf(value: f64) -> Branch<f64, Vec<f64>> {
    Branch::Leaf(vec![value])
}

fn stump(edge: f64) -> Tree {
    Branch::split(0, edge, leaf(0.0), leaf(1.0)).depth_first()
}

fn imported(trees: Vec<Tree>) -> Imported {
    Imported {
        source: "test".into(),
        features: 1,
        feature_names: Vec::new(),
        classes: Vec::new(),
        unit: ScoreUnit::Logit,
        input: None,
        preprocessing: Vec::new(),
        head: None,
        reveals_training_rows: false,
        model: FloatModel::Forest(Forest { biases: vec![0.0], trees }),
    }
}

fn rows(values: &[f64]) -> Dataset {
    Dataset {
        name: "rows".into(),
        target: "y".into(),
        features: vec!["x".into()],
        classes: Vec::new(),
        rows: values.iter().map(|value| vec![*value]).collect(),
        labels: Vec::new(),
        values: (0..values.len()).map(|value| value as f64).collect(),
        input: None,
        image: None,
    }
}

fn rule(edges: &[f64], values: &[f64]) -> Rule {
    let ranks = edges.iter().map(|edge| values.iter().filter(|value| *value < edge).count()).collect();
    Rule { edges: edges.to_vec(), values: values.to_vec(), ranks }
}

#[test]
fn thresholds_go_where_they_misroute_the_fewest_rows() {
    let values = [0.0, 1.0, 1.1, 1.2, 5.0, 9.0];
    let rule = rule(&[0.5, 4.0, 7.0], &values);
    assert_eq!(rule.threshold(4.0), 2, "an edge is itself");
    // At 0.5 the rows 1.0 and 1.1 would go another way, at 4.0 only 1.2.
    assert_eq!(rule.threshold(1.15), 2);
    assert_eq!(rule.threshold(0.7), 1);
    assert_eq!(rule.threshold(-3.0), 0, "every row is at least that");
    assert_eq!(rule.threshold(10.0), 4, "no row is");
}

#[test]
fn a_split_without_rows_on_one_side_is_left_out() {
    let forest = Forest { biases: vec![0.0], trees: vec![stump(100.0)] };
    let quantizer = Quantizer { features: vec![FeatureQuantizer::Edges { edges: vec![1.5] }] };
    let snapped = snapped(&forest, &quantizer, &rows(&[1.0, 2.0, 3.0, 4.0]).rows);
    assert_eq!(snapped.trees[0].nodes(), [TreeNode::Leaf(vec![0.0])]);
}

#[test]
fn splits_that_the_path_decides_are_left_out() {
    let tree = Branch::split(0, 2.0, leaf(1.0), Branch::split(0, 1.0, leaf(2.0), leaf(3.0)));
    let forest = Forest { biases: vec![0.0], trees: vec![tree.depth_first()] };
    let quantizer = exact_levels(&forest, 1).unwrap();
    let snapped = snapped(&forest, &quantizer, &[]);
    assert_eq!(snapped.trees[0].nodes().len(), 3);
    for (x, wanted) in [(0.0, 1.0), (1.5, 1.0), (2.0, 3.0)] {
        assert_eq!(snapped.scores(&quantizer.quantize(&[x]).unwrap()), [wanted]);
    }
}

#[test]
fn exact_thresholds_are_refused_of_linear_models() {
    let linear = FloatModel::Linear(Linear { weights: vec![vec![1.0]], biases: vec![0.0] });
    let model = Imported { model: linear, ..imported(vec![stump(1.0)]) };
    assert_eq!(
        quantize(&model, &rows(&[1.0, 2.0]), Levels::Exact, (None, &[])).unwrap_err().code,
        ErrorCode::ImportExact
    );
}

#[test]
fn a_linear_model_of_what_never_varies_is_refused() {
    let linear = FloatModel::Linear(Linear { weights: vec![vec![0.0]], biases: vec![1.0] });
    let model = Imported { model: linear, ..imported(vec![stump(1.0)]) };
    assert_eq!(
        quantize(&model, &rows(&[1.0, 2.0]), Levels::Bits(6), (None, &[])).unwrap_err().code,
        ErrorCode::ImportTrivial
    );
}

proptest! {
    #[test]
    fn exact_levels_decide_as_the_edges_do(
        edges in prop::collection::vec(-50i32..50, 1..20),
        x in -60i32..60,
    ) {
        let trees: Vec<Tree> = edges.iter().map(|edge| stump(f64::from(*edge) / 4.0)).collect();
        let model = imported(trees);
        let quantized = quantize(&model, &rows(&[0.0, 1.0]), Levels::Exact, (None, &[])).unwrap();
        let row = [f64::from(x) / 4.0];
        let ours = quantized.model.scores(&quantized.quantizer.quantize(&row).unwrap());
        prop_assert_eq!(ours, model.model.scores(&row));
    }

    #[test]
    fn a_threshold_misroutes_no_more_rows_than_any_edge_would(
        mut values in prop::collection::vec(-50i32..50, 1..40),
        edges in prop::collection::btree_set(-50i32..50, 0..8),
        edge in -60i32..60,
    ) {
        values.sort_unstable();
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let edges: Vec<f64> = edges.into_iter().map(|edge| f64::from(edge) + 0.5).collect();
        let edge = f64::from(edge);
        let misrouted = |threshold: u32| {
            let q = |x: f64| edges.iter().filter(|edge| **edge <= x).count() as u32;
            values.iter().filter(|x| (q(**x) >= threshold) != (**x >= edge)).count()
        };
        let best = (0..=edges.len() as u32 + 1).map(misrouted).min().unwrap();
        prop_assert_eq!(misrouted(rule(&edges, &values).threshold(edge)), best);
    }
}
