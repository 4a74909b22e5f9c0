//! Regressions, support vector machines and sums of trees through the real binary: create, play, predict, and bad input.

#[path = "common/process.rs"]
mod process;

use process::{mistake, succeed};
use std::fs;
use std::path::Path;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_linear_regression_predicts_numbers_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (models, keys) = (at("models"), at("keys"));
    let made = succeed(&["create", "linreg", "--data", "diabetes", "--out", &models]);
    assert!(made.contains("float R2: 0.") && made.contains("quantised R2: 0.") && made.contains("a number"), "{made}");
    succeed(&["create", "linreg", "--data", "diabetes", "--out", &at("again")]);
    for file in ["client.zip", "server.zip", "versions.json", "README.md"] {
        let read = |out: &str| fs::read(Path::new(out).join("linreg-diabetes").join(file)).unwrap();
        assert!(read(&models) == read(&at("again")), "{file} differs between two runs");
    }

    let model = ["linreg-diabetes", "--models", &models, "--keys", &keys];
    let (figures, report) = (at("f.json"), at("r.html"));
    let extra = ["--export-json", &figures, "--report", &report, "--record"];
    let out = succeed(&[&["play"], &model[..], &extra[..]].concat());
    let line = out.lines().find(|line| line.starts_with("for 66-th input, prediction=")).expect("67 test rows");
    let expected: f64 = line.split("with expected ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((25.0..=346.0).contains(&expected), "{line}");
    assert!(out.contains("R2 on 67 samples is 0.") && out.contains("RMSE on 67 samples is "), "{out}");
    assert!(out.contains("Agreement with the clear quantised model: 100.00 % of answers, score by score"), "{out}");
    let figures = json(Path::new(&figures));
    assert!(figures.get("accuracy").is_none() && number(&figures["agreement"]) == 1.0, "{figures}");
    assert!(number(&figures["r2"]) >= 0.33 && number(&figures["rmse"]) < 70.0, "{figures}");
    assert!(fs::read_to_string(&report).unwrap().contains("R2 0."));
    let card = fs::read_to_string(folder.path().join("models/linreg-diabetes/README.md")).unwrap();
    assert!(card.contains("| encrypted predictions | R2 0."), "{card}");

    // Rows without the target, columns in another order.
    let rows = fs::read_to_string("datasets/diabetes.csv").unwrap();
    let reversed = |line: &str| line.split(',').rev().skip(1).collect::<Vec<_>>().join(",");
    fs::write(at("rows.csv"), rows.lines().take(4).map(|line| reversed(line) + "\n").collect::<String>()).unwrap();
    let (input, output) = (at("rows.csv"), at("p.csv"));
    succeed(&[&["predict"], &model[..], &["--input", &input, "--output", &output]].concat());
    let table = fs::read_to_string(&output).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.len() == 4 && lines[0] == "prediction", "{table}");
    for (line, known) in lines[1..].iter().zip([151.0, 75.0, 141.0]) {
        assert!((line.parse::<f64>().unwrap() - known).abs() < 150.0, "{table}");
    }

    // A table of one's own, with its own test rows.
    let own = ["play", "linreg-diabetes", "--models", &models, "--keys", &keys, "--data", "datasets/diabetes.csv"];
    let out = succeed(&[&own[..], &["--samples", "30", "--jobs", "2"]].concat());
    assert!(out.contains("R2 on 30 samples is 0.") && out.contains("100.00 %"), "{out}");
}

#[test]
fn a_support_vector_machine_tells_classes_by_margins() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (models, keys) = (at("models"), at("keys"));
    for (data, samples) in [("iris", 23), ("synthetic", 40)] {
        succeed(&["create", "svm", "--data", data, "--out", &models]);
        let name = format!("svm-{data}");
        let count = samples.to_string();
        let out = succeed(&["play", &name, "--models", &models, "--keys", &keys, "--samples", &count]);
        assert!(out.contains(&format!("Accuracy on {samples} samples is 0.9")) && out.contains("100.00 %"), "{out}");
    }
    let features: Vec<String> = (0..30).map(|feature| format!("x{feature:02}")).collect();
    fs::write(at("rows.csv"), format!("{}\n{}\n", features.join(","), vec!["0.5"; 30].join(","))).unwrap();
    let table =
        succeed(&["predict", "svm-synthetic", "--models", &models, "--keys", &keys, "--input", &at("rows.csv")]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "prediction,score_0,score_1");
    let scores: Vec<f64> = lines[1].split(',').skip(1).map(|score| score.parse().unwrap()).collect();
    assert!(scores[0] == -scores[1] && lines[1].starts_with(if scores[1] > 0.0 { "1," } else { "0," }), "{table}");
}

/// Few enough input bits that a table holds any model.
#[test]
fn small_sums_of_trees_run_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (models, keys) = (at("models"), at("keys"));
    let table = "a,b,y\n".to_owned()
        + &(0..200)
            .map(|row| format!("{},{},{}.5\n", row % 13, row % 7, (row % 13) * 3 - (row % 7)))
            .collect::<String>();
    fs::write(at("numbers.csv"), table).unwrap();
    for (kind, data, extra) in [
        ("forest", "iris", vec!["--trees", "10"]),
        ("boost", "iris", vec!["--trees", "5"]),
        ("forest", "numbers", vec!["--trees", "10", "--max-depth", "6", "--task", "regress"]),
        ("boost", "numbers", vec!["--task", "regress"]),
        ("tree", "numbers", vec!["--max-depth", "6", "--task", "regress"]),
    ] {
        let source = if data == "iris" { "datasets/iris.csv".to_owned() } else { at("numbers.csv") };
        let own = ["create", kind, "--data", &source, "--bits", "4", "--circuit", "table", "--out", &models];
        succeed(&[&own[..], &extra[..]].concat());
        let name = format!("{kind}-{data}");
        let own = ["play", &name, "--models", &models, "--keys", &keys, "--data", &source, "--samples", "12"];
        let out = succeed(&own);
        let quality = if data == "iris" { "Accuracy on 12 samples is 1" } else { "R2 on 12 samples is 0.9" };
        assert!(out.contains(quality) && out.contains("100.00 %"), "{name}: {out}");
    }
    fs::write(at("rows.csv"), "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n").unwrap();
    let model = ["predict", "forest-iris", "--models", &models, "--keys", &keys, "--input", &at("rows.csv")];
    let table = succeed(&model);
    let shares: f64 = table.lines().nth(1).unwrap().split(',').skip(1).map(|share| share.parse::<f64>().unwrap()).sum();
    assert!((shares - 1.0).abs() < 0.1 && table.contains("setosa,"), "shares of votes add up to {shares}: {table}");
}

#[test]
fn what_does_not_suit_the_task_is_a_named_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let out = at("models");
    let create = |code: &str, arguments: &[&str]| mistake(code, &[&["create"], arguments, &["--out", &out]].concat());
    assert!(create("data_missing", &["linreg"]).contains("--data"));
    assert!(create("csv_target", &["logreg", "--data", "diabetes"]).contains("create linreg"));
    assert!(create("csv_target", &["forest", "--data", "diabetes", "--task", "classify"]).contains("--task regress"));
    create("csv_cell", &["linreg", "--data", "iris"]);
    fs::write(at("fractions.csv"), "a,y\n1,0.5\n2,1.5\n3,0.5\n4,1.5\n").unwrap();
    for kind in ["tree", "forest", "boost", "svm"] {
        assert!(create("csv_target", &[kind, "--data", &at("fractions.csv")]).contains("--task regress"));
    }
    let many: String = (0..300).map(|row| format!("{row},{row}\n")).collect();
    fs::write(at("many.csv"), format!("a,y\n{many}")).unwrap();
    assert!(create("csv_target", &["boost", "--data", &at("many.csv")]).contains("--task regress"));
    fs::write(at("same.csv"), "a,y\n1,0.5\n2,0.5\n3,0.5\n4,0.5\n").unwrap();
    create("one_value", &["linreg", "--data", &at("same.csv")]);
    // One test row: R2 would divide by nought.
    fs::write(at("few.csv"), "a,y\n1,1\n2,2\n3,4\n4,8\n5,9\n6,11\n").unwrap();
    create("one_value", &["linreg", "--data", &at("few.csv"), "--test-size", "0.1"]);
    create("linreg_params", &["linreg", "--data", "diabetes", "--alpha=-1"]);
    create("svm_params", &["svm", "--alpha", "0"]);
    create("boost_params", &["boost", "--learning-rate", "2"]);
    create("forest_params", &["forest", "--trees", "0"]);
    create("tree_params", &["tree", "--data", "diabetes", "--path-features", "3"]);
    create("tree_params", &["tree", "--value-bits", "4"]);
    assert!(!Path::new(&out).exists(), "a mistake left a bundle");
}
