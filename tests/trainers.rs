//! Generalized linear models, nearest neighbors, networks for numbers and class weights through the real binary: create,
//! play, predict, and what scikit-learn says of the same rows.

#[path = "common/process.rs"]
mod process;

use process::{figure, folder, mistake, run, stderr, stdout, succeed};
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn numbers(table: &str) -> Vec<f64> {
    table.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
}

/// `scripts/make_glm_fixtures.py` says how scikit-learn's predictions were made.
#[test]
fn generalized_linear_models_predict_as_scikit_learn() {
    let (_folder, at) = folder();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/glm");
    let file = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    let (train, test, out, keys) = (file("train.csv"), file("test.csv"), at("models"), at("keys"));
    let expected = fs::read_to_string(file("expected.csv")).unwrap();
    let cells: Vec<Vec<&str>> = expected.lines().map(|line| line.split(',').collect()).collect();
    for (column, name) in cells[0].iter().enumerate() {
        let words: Vec<&str> = name.split(' ').collect();
        let (target, family, alpha) = (words[0], words[1], words[words.len() - 1]);
        let others: Vec<&str> = ["count", "cost", "amount"].into_iter().filter(|other| *other != target).collect();
        let drop = others.join(",");
        let mut command = vec!["create", "glm", "--data", &train, "--test-data", &test, "--target", target, "--drop"];
        command.extend([&drop, "--family", family, "--alpha", alpha, "--out", &out, "--name", "m", "--force"]);
        if let [_, _, power, _] = words[..] {
            command.extend(["--power", power]);
        }
        let said = succeed(&command);
        let wanted: Vec<f64> = cells[1..].iter().map(|row| row[column].parse().unwrap()).collect();
        let (d2, wanted) = wanted.split_last().unwrap();
        // The float model is scikit-learn's.
        let float = if family == "gaussian" { "float R2:" } else { "float D2:" };
        assert!((figure(&said, float) - d2).abs() < 2e-4, "{name}: {d2}, {said}");
        assert!((figure(&said, "quantised D2:") - d2).abs() < 0.01, "{name}: {d2}, {said}");

        let model = format!("{out}/m");
        let predicted = numbers(&succeed(&["predict", &model, "--input", &test, "--keys", &keys]));
        let largest = wanted.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        assert_eq!(predicted.len(), wanted.len());
        for (ours, theirs) in predicted.iter().zip(wanted) {
            assert!((ours - theirs).abs() < 0.02 * theirs.abs() + 0.005 * largest, "{name}: {ours} for {theirs}");
        }
        let card = fs::read_to_string(format!("{model}/README.md")).unwrap();
        assert!(card.contains(&format!("family {family}")) && card.contains("link"), "{card}");
        assert!(card.contains("(D2)"), "{card}");
    }
    let played = succeed(&["play", &format!("{out}/m"), "--data", &test, "--keys", &keys]);
    assert!(played.contains("100.00 % of answers") && played.contains("Mean absolute error on 60 samples"), "{played}");
}

#[test]
fn mistakes_of_families_are_named() {
    let (_folder, at) = folder();
    fs::write(at("t.csv"), "a,y\n1,1\n2,-2\n3,4\n4,8\n5,9\n6,11\n7,12\n8,15\n9,17\n10,21\n").unwrap();
    let (data, out) = (at("t.csv"), at("m"));
    let create = |code: &str, extra: &[&str]| {
        mistake(code, &[&["create", "glm", "--data", &data, "--out", &out][..], extra].concat())
    };
    assert!(create("glm_target", &[]).contains("--family gaussian"));
    create("glm_target", &["--family", "gamma"]);
    create("glm_params", &["--power", "1.5"]);
    create("glm_params", &["--family", "tweedie", "--power", "0.5"]);
    create("glm_params", &["--family", "gaussian", "--alpha=-1"]);
    assert!(!Path::new(&out).exists(), "a mistake left a bundle");
}

#[test]
fn nearest_neighbors_give_the_training_rows_away_only_when_asked() {
    let (_folder, at) = folder();
    let (out, keys) = (at("m"), at("keys"));
    let refused = mistake("import_reveals", &["create", "knn", "--out", &out]);
    assert!(refused.contains("--reveal training-rows") && refused.contains("scalar products"), "{refused}");
    let reveal = ["--reveal", "training-rows", "--out", &out, "--force"];
    let said = succeed(&[&["create", "knn", "--test-size", "0.3", "--name", "iris"], &reveal[..]].concat());
    assert!(figure(&said, "quantised accuracy:") >= figure(&said, "float accuracy:") - 0.03, "{said}");
    assert!(figure(&said, "quantised accuracy:") > 0.9, "{said}");
    let played = succeed(&["play", &format!("{out}/iris"), "--samples", "20", "--keys", &keys]);
    assert!(played.contains("100.00 % of answers"), "{played}");
    fs::write(at("rows.csv"), "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n").unwrap();
    let table = succeed(&["predict", &format!("{out}/iris"), "--input", &at("rows.csv"), "--keys", &keys]);
    assert!(table.lines().nth(1).unwrap().starts_with("setosa,1,0,0"), "{table}");

    let rows: String =
        (0..80).map(|row| format!("{},{},{}\n", row % 10, row / 10, 3 * (row % 10) + row / 10)).collect();
    fs::write(at("plane.csv"), format!("a,b,y\n{rows}")).unwrap();
    let data = at("plane.csv");
    let own = ["create", "knn", "--data", &data, "--task", "regress", "--neighbors", "3", "--no-scale", "--name", "p"];
    let said = succeed(&[&own[..], &reveal].concat());
    assert!(figure(&said, "quantised R2:") > 0.9, "{said}");
    // Nearer rows count more: the scores are distances.
    let near = ["create", "knn", "--data", &data, "--task", "regress", "--weights", "distance", "--name", "near"];
    let said = succeed(&[&near[..], &reveal].concat());
    assert!(figure(&said, "quantised R2:") > 0.9, "{said}");
    fs::write(at("new.csv"), "a,b\n4,3\n6.1,5\n").unwrap();
    let table = succeed(&["predict", &format!("{out}/near"), "--input", &at("new.csv"), "--keys", &keys]);
    for (ours, wanted) in numbers(&table).iter().zip([15.0, 23.3]) {
        assert!((ours - wanted).abs() < 1.0, "{table}");
    }
    let many = ["create", "knn", "--neighbors", "1000", "--name", "many"];
    mistake("knn_params", &[&many[..], &reveal].concat());
}

#[test]
fn networks_predict_numbers_in_the_targets_unit() {
    let (_folder, at) = folder();
    let (out, keys) = (at("m"), at("keys"));
    let said = succeed(&["create", "mlp", "--data", "diabetes", "--hidden", "8", "--epochs", "30", "--out", &out]);
    assert!(figure(&said, "quantised R2:") > 0.3, "{said}");
    assert!(figure(&said, "simulated R2, with the noise of encryption:") > 0.3, "{said}");
    assert!((20.0..70.0).contains(&figure(&said, "mean absolute error:")), "{said}");
    let played = succeed(&["play", &format!("{out}/mlp-diabetes"), "--samples", "10", "--keys", &keys]);
    assert!(played.contains("R2 on 10 samples is") && played.contains("Mean absolute error on 10 samples"), "{played}");
    let rows = fs::read_to_string("datasets/diabetes.csv").unwrap();
    fs::write(at("rows.csv"), rows.lines().take(6).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let table = succeed(&["predict", &format!("{out}/mlp-diabetes"), "--input", &at("rows.csv"), "--keys", &keys]);
    assert!(numbers(&table).iter().all(|value| (20.0..360.0).contains(value)), "{table}");
    mistake(
        "class_weights",
        &["create", "mlp", "--data", "diabetes", "--class-weight", "balanced", "--out", &out, "--force"],
    );
}

/// Two clouds, of which the second has one row in 40 and lies within the first.
fn rare(rows: usize) -> String {
    let mut text = "a,b,y\n".to_owned();
    let mut state = 7u64;
    let mut draw = || {
        // Sums of twelve uniform numbers are about normal.
        (0..12)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1u32 << 31)
            })
            .sum::<f64>()
            - 6.0
    };
    for row in 0..rows {
        let (label, shift) = if row % 40 == 0 { ("yes", 1.5) } else { ("no", 0.0) };
        let _ = writeln!(text, "{:.3},{:.3},{label}", draw() + shift, draw() + shift / 2.0);
    }
    text
}

#[test]
fn a_rare_class_is_found_where_it_counts_as_much_as_the_other() {
    let (_folder, at) = folder();
    fs::write(at("rare.csv"), rare(4000)).unwrap();
    let (data, out) = (at("rare.csv"), at("m"));
    for kind in ["tree", "forest", "boost", "logreg", "svm", "qnn"] {
        let create = |extra: &[&str]| {
            let own = ["create", kind, "--data", &data, "--out", &out, "--name", kind, "--force"];
            let quick: &[&str] = if kind == "qnn" { &["--hidden", "4", "--epochs", "6"] } else { &[] };
            let output = run(&[&own[..], quick, extra].concat());
            assert!(output.status.success(), "{kind}: {}", stderr(&output));
            (stdout(&output), stderr(&output))
        };
        let recall = |said: &str| figure(said, "class yes: recall");
        let (plain, told) = create(&[]);
        assert!(recall(&plain) < 0.4, "{kind}: {plain}");
        assert_eq!(told.contains("--class-weight balanced"), recall(&plain) < 0.2, "{kind}: {told}");
        let (weighed, told) = create(&["--class-weight", "balanced"]);
        assert!(recall(&weighed) > recall(&plain) + 0.25, "{kind}: {weighed}");
        let balanced = |said: &str| figure(said, "balanced accuracy:");
        assert!(balanced(&weighed) > balanced(&plain) + 0.1, "{kind}: {weighed}");
        assert!(!told.contains("--class-weight balanced"), "{kind}: {told}");
        let card = fs::read_to_string(format!("{out}/{kind}/README.md")).unwrap();
        assert!(card.contains("classes weigh no 0.5"), "{kind}: {card}");
        let (named, _) = create(&["--class-weight", "yes=39"]);
        assert_eq!(figure(&named, "class yes: recall"), figure(&weighed, "class yes: recall"), "{kind}");
    }
    let wrong = ["create", "tree", "--data", &data, "--out", &out, "--name", "w", "--class-weight"];
    mistake("class_weights", &[&wrong[..], &["maybe=3"]].concat());
    mistake("class_weights", &["create", "boost", "--data", "diabetes", "--out", &out, "--class-weight", "balanced"]);
}

/// A line goes on where the training rows end.
#[test]
fn linear_models_reach_beyond_the_training_rows() {
    let (_folder, at) = folder();
    let line: String =
        (0..200).map(|row| format!("{},{},{}\n", row % 21, row % 13, 5 * (row % 21) - 2 * (row % 13))).collect();
    fs::write(at("line.csv"), format!("a,b,y\n{line}")).unwrap();
    fs::write(at("beyond.csv"), "a,b\n29,6\n20,17\n0,0\n").unwrap();
    let (data, out, keys) = (at("line.csv"), at("m"), at("keys"));
    let said = succeed(&["create", "linreg", "--data", &data, "--out", &out, "--name", "line"]);
    assert!(said.contains("reach (--range, --margin): a 0 to 30; b 0 to 18"), "{said}");
    let table = succeed(&["predict", &format!("{out}/line"), "--input", &at("beyond.csv"), "--keys", &keys]);
    for (ours, wanted) in numbers(&table).iter().zip([133.0, 66.0, 0.0]) {
        assert!((ours - wanted).abs() < 1.0, "{table}");
    }
    // What it is comes first, its parameters only when asked.
    assert!(!said.contains("p_fail") && said.lines().last().unwrap().starts_with("an inference: about "), "{said}");
    let told = succeed(&["create", "linreg", "--data", &data, "--out", &out, "--name", "line", "--force", "-v"]);
    assert!(told.contains("p_fail: ") && told.contains("chosen"), "{told}");
}
