//! Forests, boosted trees, regressions and support vector machines on the built-in sets.

use super::tests::{dataset, holdout};
use super::*;
use crate::data::Dataset;
use fhectl_core::bundle::{ScoreDecoder, ScoreUnit};
use fhectl_core::error::ErrorCode;
use fhectl_core::model::{IntegerForest, Model, Output, Quantizer};

fn forest_params(trees: usize, max_depth: usize, seed: u64) -> ForestParams {
    let growth = GrowthParams { max_depth, min_leaf: 1, max_features: MaxFeatures::Sqrt };
    ForestParams { trees, growth, seed, class_weights: ClassWeights::default() }
}

fn boost_params(rounds: usize, learning_rate: f64) -> BoostParams {
    BoostParams { rounds, max_depth: 3, learning_rate, l2: 1.0, min_leaf: 0.1, class_weights: ClassWeights::default() }
}

/// The integer form with leaves of so many bits, checked, with its score; a number's mean is added apart.
fn integer(forest: &FloatForest, quantizer: &Quantizer, test: &Dataset, bits: u32) -> (IntegerForest, Score) {
    let (integer, scale) = forest.to_integer(bits).unwrap();
    integer.check(quantizer, test.output()).unwrap();
    let decoder =
        ScoreDecoder { scale: Some(scale), ..ScoreDecoder::classes(test.classes.len(), ScoreUnit::default()) };
    let score = score(&Model::Forest(integer.clone()), quantizer, test, &decoder).unwrap();
    (integer, score)
}

fn share(score: Score) -> f64 {
    let Score::Accuracy(accuracy) = score else { panic!("{score:?}") };
    accuracy
}

fn r2(score: Score) -> f64 {
    let Score::Fit(fit) = score else { panic!("{score:?}") };
    fit.r2
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

/// Trees know the rows that they were shown by heart, so that only the others tell what new rows would be told.
#[test]
fn rows_outside_of_the_bag_are_told_as_new_ones() {
    let (train, test) = holdout("spam");
    let quantizer = fit_edges(&train, 6).unwrap();
    let forest = train_forest(&train, &quantizer, &forest_params(30, 16, 42)).unwrap();
    let of = |rows| share(score_forest(&forest, &quantizer, rows).unwrap());
    let outside = share(out_of_bag(&forest, &train, &quantizer, 42).unwrap());
    println!("outside {outside:.4}, test {:.4}, training {:.4}", of(&test), of(&train));
    assert!((outside - of(&test)).abs() < 0.02 && of(&train) > outside + 0.03);
    // With the rows of other draws most trees judge what they were shown.
    assert!(share(out_of_bag(&forest, &train, &quantizer, 7).unwrap()) > outside + 0.02);
}

#[test]
fn forests_are_accurate_and_the_same_on_any_number_of_threads() {
    for (name, depth, wanted) in [("spam", 4, 0.90), ("digits", 8, 0.94), ("iris", 4, 0.90)] {
        let (train, test) = holdout(name);
        let quantizer = fit_edges(&train, 6).unwrap();
        let grow = |seed| train_forest(&train, &quantizer, &forest_params(50, depth, seed)).unwrap();
        let forest = on_threads(1, || grow(42));
        assert_eq!(forest, on_threads(3, || grow(42)), "{name}");
        assert_ne!(forest, grow(43), "{name}");
        let float = share(score_forest(&forest, &quantizer, &test).unwrap());
        let (integer, quantized) = integer(&forest, &quantizer, &test, 8);
        println!("forest {name}: float leaves {float:.4}, integer leaves {:.4}", share(quantized));
        assert!(share(quantized) >= wanted && (share(quantized) - float).abs() <= 0.01, "{name}");
        assert!(integer.trees.len() == 50 && integer.depth() <= depth, "{name}");
    }
}

#[test]
fn a_forests_scores_are_shares_of_votes() {
    let (train, test) = holdout("iris");
    let quantizer = fit_edges(&train, 4).unwrap();
    let forest = train_forest(&train, &quantizer, &forest_params(20, 3, 1)).unwrap();
    for row in quantize_rows(&quantizer, &test).unwrap() {
        let scores = forest.scores(&row);
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{scores:?}");
    }
}

#[test]
fn boosted_trees_are_accurate_and_the_same_on_any_number_of_threads() {
    for (name, rate, wanted) in [("spam", 0.4, 0.94), ("digits", 0.4, 0.96), ("iris", 0.4, 0.90)] {
        let (train, test) = holdout(name);
        let quantizer = fit_edges(&train, 6).unwrap();
        let boost = || train_boost(&train, &quantizer, &boost_params(50, rate)).unwrap();
        let forest = on_threads(1, boost);
        assert_eq!(forest, on_threads(3, boost), "{name}");
        let float = share(score_forest(&forest, &quantizer, &test).unwrap());
        let (_, quantized) = integer(&forest, &quantizer, &test, 8);
        println!("boost {name}: float leaves {float:.4}, integer leaves {:.4}", share(quantized));
        assert!(share(quantized) >= wanted && (share(quantized) - float).abs() <= 0.01, "{name}");
    }
}

#[test]
fn every_round_lowers_the_loss() {
    let (train, _) = holdout("spam");
    let quantizer = fit_edges(&train, 6).unwrap();
    let mut forest = train_boost(&train, &quantizer, &boost_params(20, 0.3)).unwrap();
    let rows = quantize_rows(&quantizer, &train).unwrap();
    let loss = |forest: &FloatForest| -> f64 {
        let each = |(row, label): (&Vec<u32>, &u32)| {
            let margin = forest.scores(row)[0] * if *label == 1 { 1.0 } else { -1.0 };
            (1.0 + (-margin).exp()).ln()
        };
        rows.iter().zip(&train.labels).map(each).sum()
    };
    let mut last = loss(&forest);
    while forest.trees.pop().is_some() {
        let before = loss(&forest);
        assert!(last < before, "{} trees: {before}, one more: {last}", forest.trees.len());
        last = before;
    }
}

#[test]
fn sums_of_trees_predict_numbers() {
    let (train, test) = holdout("diabetes");
    let quantizer = fit_edges(&train, 6).unwrap();
    let growth = GrowthParams { max_depth: 4, min_leaf: 5, max_features: MaxFeatures::All };
    let forests = [
        ("tree", train_regression_tree(&train, &quantizer, &growth).unwrap(), 0.0),
        (
            "forest",
            train_forest(&train, &quantizer, &ForestParams { growth, ..forest_params(50, 4, 42) }).unwrap(),
            0.28,
        ),
        ("boost", train_boost(&train, &quantizer, &boost_params(50, 0.1)).unwrap(), 0.28),
    ];
    for (name, mut forest, wanted) in forests {
        let float = r2(score_forest(&forest, &quantizer, &test).unwrap());
        let mean = std::mem::take(&mut forest.biases[0]);
        assert!((100.0..200.0).contains(&mean), "{name}: {mean}");
        let shifted = Dataset { values: test.values.iter().map(|value| value - mean).collect(), ..test.clone() };
        let quantized = r2(integer(&forest, &quantizer, &shifted, 8).1);
        println!("{name} diabetes: float leaves {float:.4}, integer leaves {quantized:.4}");
        assert!(quantized >= wanted && (quantized - float).abs() <= 0.01, "{name}: {quantized}, float {float}");
    }
}

/// The unit of the target changes the unit of the prediction and nothing else.
#[test]
fn predictions_follow_the_targets_unit() {
    let (train, _) = holdout("diabetes");
    let quantizer = fit_edges(&train, 4).unwrap();
    let affine = fit_affine(&train, 6).unwrap();
    let rows = quantize_rows(&quantizer, &train).unwrap();
    let unit = 2f64.powi(300);
    let scaled = Dataset { values: train.values.iter().map(|value| value * unit).collect(), ..train.clone() };
    let growth = GrowthParams { max_depth: 3, min_leaf: 1, max_features: MaxFeatures::All };
    let predict = |train: &Dataset| -> Vec<Vec<f64>> {
        let forests = [
            train_regression_tree(train, &quantizer, &growth).unwrap(),
            train_boost(train, &quantizer, &boost_params(5, 0.5)).unwrap(),
        ];
        let mut predicted: Vec<Vec<f64>> =
            forests.iter().map(|forest| rows.iter().map(|row| forest.scores(row)[0]).collect()).collect();
        let linear = train_linreg(train, &affine, &LinregParams::default()).unwrap();
        predicted.push(train.rows.iter().map(|row| linear.linear.scores(row)[0] + linear.offset).collect());
        predicted
    };
    for (plain, scaled) in predict(&train).into_iter().zip(predict(&scaled)) {
        assert!(plain.iter().zip(&scaled).all(|(a, b)| (a * unit - b).abs() <= 1e-6 * (a * unit).abs()));
    }
}

#[test]
fn linear_regressions_keep_their_fit_as_integers() {
    let (train, test) = holdout("diabetes");
    let quantizer = fit_affine(&train, 8).unwrap();
    for (alpha, l1_ratio) in [(0.0, 0.0), (0.05, 0.0), (0.5, 1.0), (0.5, 0.5)] {
        let params = LinregParams { alpha, l1_ratio };
        let float = float_linreg(&train, &params).unwrap().fit(&test).r2;
        let fitted = train_linreg(&train, &quantizer, &params).unwrap();
        assert_eq!(fitted, train_linreg(&train, &quantizer, &params).unwrap());
        let integer = fitted.linear.to_integer(10).unwrap();
        integer.check(&quantizer, Output::Value).unwrap();
        let scale = integer.scale;
        let decoder = ScoreDecoder {
            scale: Some(scale),
            offset: Some(fitted.offset),
            ..ScoreDecoder::classes(0, ScoreUnit::default())
        };
        let quantized = r2(score(&Model::Linear(integer), &quantizer, &test, &decoder).unwrap());
        println!("linreg {alpha} {l1_ratio}: float {float:.4}, quantized {quantized:.4}");
        assert!(quantized >= 0.35 && (quantized - float).abs() <= 0.02, "{quantized}, float {float}");
    }
}

#[test]
fn least_squares_finds_the_line_of_the_smallest_weights() {
    let line = |second: fn(f64) -> f64| {
        let rows: Vec<Vec<f64>> = (0..30).map(|row| vec![f64::from(row), second(f64::from(row))]).collect();
        let values = rows.iter().map(|row| 3.0 * row[0] - 2.0 * row[1] + 7.0).collect();
        Dataset { values, labels: Vec::new(), classes: Vec::new(), ..dataset(rows, vec![0; 30], 2) }
    };
    let independent = line(|x| x * x);
    let fitted = float_linreg(&independent, &LinregParams::default()).unwrap();
    let [ref weights] = fitted.linear.weights[..] else { panic!() };
    assert!((weights[0] - 3.0).abs() < 1e-8 && (weights[1] + 2.0).abs() < 1e-8, "{weights:?}");
    assert!((fitted.linear.biases[0] + fitted.offset - 7.0).abs() < 1e-6);
    // A constant feature has no weight, and a repeated one shares it.
    assert!((float_linreg(&line(|_| 4.0), &LinregParams::default()).unwrap().linear.weights[0][0] - 3.0).abs() < 1e-8);
    let repeated = line(|x| x);
    for params in [LinregParams::default(), LinregParams { alpha: 1e-6, l1_ratio: 0.0 }] {
        let shared = float_linreg(&repeated, &params).unwrap().linear;
        assert!((shared.weights[0][0] - 0.5).abs() < 1e-3 && (shared.weights[0][1] - 0.5).abs() < 1e-3, "{shared:?}");
    }
    // More features than rows.
    let few = independent.select(&[3]).select(&[0, 0]);
    let few = Dataset { values: vec![1.0, 2.0], rows: vec![vec![1.0, 5.0], vec![2.0, 9.0]], ..few };
    assert!(float_linreg(&few, &LinregParams::default()).unwrap().fit(&few).rmse < 1e-6);
    let lasso = float_linreg(&independent, &LinregParams { alpha: 1e9, l1_ratio: 1.0 });
    assert_eq!(lasso.unwrap_err().code, ErrorCode::LinregTrivial);
    for (alpha, l1_ratio) in [(-1.0, 0.0), (f64::NAN, 0.0), (1.0, 1.5)] {
        assert_eq!(
            float_linreg(&independent, &LinregParams { alpha, l1_ratio }).unwrap_err().code,
            ErrorCode::LinregParams
        );
    }
}

#[test]
fn support_vector_machines_are_accurate_as_integers() {
    for (name, bits, wanted) in [("spam", 10, 0.88), ("iris", 8, 0.9), ("digits", 5, 0.93), ("synthetic", 8, 0.8)] {
        let (train, test) = holdout(name);
        let float = float_svm(&train, &LinearClassifierParams::default()).unwrap().accuracy(&test);
        let quantizer = fit_affine(&train, bits).unwrap();
        let machine = train_svm(&train, &quantizer, &LinearClassifierParams::default()).unwrap();
        assert_eq!(machine, train_svm(&train, &quantizer, &LinearClassifierParams::default()).unwrap());
        let integer = machine.to_integer(10).unwrap();
        integer.check(&quantizer, train.output()).unwrap();
        let quantized = accuracy(&Model::Linear(integer), &quantizer, &test).unwrap();
        println!("svm {name}: float {float:.4}, quantized {quantized:.4}");
        assert!(quantized >= wanted && (quantized - float).abs() <= 0.02, "{name}: {quantized}, float {float}");
    }
}

/// Two points of either class: the machine of the widest margin lies between the nearer two.
#[test]
fn a_hard_margin_is_in_the_middle() {
    let data = dataset(vec![vec![-9.0], vec![-1.0], vec![3.0], vec![11.0]], vec![0, 0, 1, 1], 2);
    let machine =
        float_svm(&data, &LinearClassifierParams { alpha: 1e-3, ..LinearClassifierParams::default() }).unwrap();
    let boundary = -machine.biases[0] / machine.weights[0][0];
    assert!((boundary - 1.0).abs() < 0.02, "{boundary}");
    assert!((machine.scores(&[3.0])[0] - 1.0).abs() < 0.02 && (machine.scores(&[-1.0])[0] + 1.0).abs() < 0.02);
    assert_eq!(
        float_svm(&data, &LinearClassifierParams { alpha: 0.0, ..LinearClassifierParams::default() }).unwrap_err().code,
        ErrorCode::SvmParams
    );
    let short = float_svm(
        &data,
        &LinearClassifierParams { max_iterations: 1, alpha: 1e-3, ..LinearClassifierParams::default() },
    );
    assert_eq!(short.unwrap_err().code, ErrorCode::SvmDiverged);
}

#[test]
fn parameters_out_of_range_are_named() {
    let (train, _) = holdout("iris");
    let quantizer = fit_edges(&train, 4).unwrap();
    let forest = |params: ForestParams| train_forest(&train, &quantizer, &params).unwrap_err().code;
    assert_eq!(forest(forest_params(0, 4, 1)), ErrorCode::ForestParams);
    assert_eq!(forest(forest_params(1, 21, 1)), ErrorCode::TreeParams);
    let boost = |params: BoostParams| train_boost(&train, &quantizer, &params).unwrap_err().code;
    for params in [boost_params(0, 0.3), boost_params(5, 0.0), boost_params(5, f64::NAN), boost_params(8192, 0.3)] {
        assert_eq!(boost(params.clone()), ErrorCode::BoostParams, "{params:?}");
    }
    assert_eq!(boost(BoostParams { l2: -1.0, ..boost_params(5, 0.3) }), ErrorCode::BoostParams);
    let noise = dataset(vec![vec![0.0], vec![0.0], vec![1.0], vec![1.0]], vec![0, 1, 0, 1], 2);
    let quantizer = fit_edges(&noise, 3).unwrap();
    assert_eq!(train_boost(&noise, &quantizer, &boost_params(5, 0.3)).unwrap_err().code, ErrorCode::TreeTrivial);
}
