//! `create import` through the real binary: from another tool's file to encrypted answers.

#[path = "common/process.rs"]
mod process;

use process::{figure, folder, mistake, succeed};
use std::fs;

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/import/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imported_models_answer_on_encrypted_rows_as_in_clear() {
    let (_folder, at) = folder();
    for (file, data, least) in [
        ("logreg-spam.onnx", "spam", 98.0),
        ("normalizer-logreg-digits.onnx", "digits", 98.0),
        ("tree-spam.onnx", "spam", 98.0),
    ] {
        let out = succeed(&["create", "import", &fixture(file), "--data", data, "--out", &at("models")]);
        assert!(out.contains("read: ONNX from skl2onnx"), "{out}");
        let agreement = figure(&out, "agreement: the same class as the original on ");
        assert!(agreement >= least, "{file}: {agreement}");
        let name = format!("import-{}", file.trim_end_matches(".onnx"));
        let card = fs::read_to_string(format!("{}/{name}/README.md", at("models"))).unwrap();
        assert!(card.contains("| original |") && card.contains("the same class as the original on"), "{card}");
        let model = format!("{}/{name}", at("models"));
        let figures = at(&format!("{name}.json"));
        succeed(&["play", &model, "--samples", "12", "--keys", &at("keys"), "--export-json", &figures]);
        let figures: serde_json::Value = serde_json::from_slice(&fs::read(figures).unwrap()).unwrap();
        assert_eq!(figures["agreement"], 1.0, "{file}: {figures}");
    }
}

#[test]
fn a_regression_is_close_to_the_originals_numbers() {
    let (_folder, at) = folder();
    let out = succeed(&[
        "create",
        "import",
        &fixture("xgboost-linear-diabetes.json"),
        "--data",
        "diabetes",
        "--out",
        &at("m"),
    ]);
    assert!(figure(&out, "agreement: R2 of its numbers with the original's is ") > 0.98, "{out}");
    assert!(out.contains("XGBoost 3"), "{out}");
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    let (_folder, at) = folder();
    let make = |out: &str| {
        succeed(&["create", "import", &fixture("tree-spam.onnx"), "--data", "spam", "--out", &at(out)]);
        fs::read(format!("{}/import-tree-spam/server.zip", at(out))).unwrap()
    };
    assert_eq!(make("a"), make("b"));
}

#[test]
fn trees_keep_their_thresholds_without_rows_and_say_so() {
    let (_folder, at) = folder();
    let file = fixture("tree-iris.onnx");
    let out = succeed(&["create", "import", &file, "--exact-thresholds", "--out", &at("m"), "--name", "exact"]);
    assert!(out.contains("client.zip holds the model's thresholds"), "{out}");
    assert!(out.contains("accuracy: not measured"), "{out}");
    let card = fs::read_to_string(at("m/exact/README.md")).unwrap();
    assert!(card.contains("the model's own thresholds") && card.contains("Not measured"), "{card}");
    assert!(succeed(&["inspect", &at("m/exact")]).contains("not measured"));
    let figures = at("figures.json");
    let iris = format!("{}/datasets/iris.csv", env!("CARGO_MANIFEST_DIR"));
    // The columns of the rows are then the file's own: x0, x1, ...
    let text = fs::read_to_string(iris).unwrap();
    let renamed = text.replacen("sepal_length,sepal_width,petal_length,petal_width,species", "x0,x1,x2,x3,class", 1);
    fs::write(at("iris.csv"), renamed).unwrap();
    succeed(&[
        "play",
        &at("m/exact"),
        "--data",
        &at("iris.csv"),
        "--samples",
        "20",
        "--keys",
        &at("keys"),
        "--export-json",
        &figures,
    ]);
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(figures).unwrap()).unwrap();
    assert_eq!(figures["agreement"], 1.0);
    assert!(figures["accuracy"].as_f64().unwrap() > 0.9, "{figures}");
}

#[test]
fn a_single_tree_answers_with_the_originals_shares() {
    let (_folder, at) = folder();
    let make = |more: &[&str]| {
        let command = ["create", "import", &fixture("tree-spam.onnx"), "--data", "spam", "--out", &at("m"), "--force"];
        succeed(&[&command[..], more].concat())
    };
    let line = |out: &str| out.lines().find(|line| line.starts_with("agreement: ")).unwrap().to_owned();
    let shares = make(&[]);
    let mean: f64 = line(&shares).split("(mean ").nth(1).unwrap().trim_end_matches(')').parse().unwrap();
    assert!(mean < 0.01 && shares.contains("with --class-only: about"), "{shares}");
    let class = make(&["--class-only", "-v"]);
    assert!(!line(&class).contains("scores") && class.contains("a client learns: the class"), "{class}");
    let forest = fixture("boosting-spam.onnx");
    let refused = ["create", "import", &forest, "--data", "spam", "--out", &at("m"), "--class-only"];
    assert!(mistake("circuit_unfit", &refused).contains("no single tree"));
}

#[test]
fn columns_whose_names_are_alike_are_the_models() {
    let (_folder, at) = folder();
    let file = format!("{}/tests/fixtures/boosters/xgboost-poisson.json", env!("CARGO_MANIFEST_DIR"));
    let rows = fs::read_to_string(file.replace(".json", ".csv")).unwrap();
    let make = |header: &str| {
        fs::write(at("rows.csv"), rows.replacen("a,b,c,tenth,predicted", header, 1)).unwrap();
        vec!["create".into(), "import".into(), file.clone(), "--data".into(), at("rows.csv"), "--out".into(), at("m")]
    };
    fn texts(command: &[String]) -> Vec<&str> {
        command.iter().map(String::as_str).collect()
    }
    let out = succeed(&texts(&make("A,[b],c,Tenth,predicted")));
    assert!(out.contains("features: 4: A, [b], c, Tenth"), "{out}");
    // Two columns are alike: none is guessed.
    assert!(
        mistake("import_features", &texts(&[make("A,[b],c,x,predicted"), vec!["--force".into()]].concat()))
            .contains("`a`")
    );
}

#[test]
fn mistakes_have_a_name_and_a_hint() {
    let (_folder, at) = folder();
    let import = |file: &str, more: &[&str]| -> Vec<String> {
        let out = at("models");
        [&["create", "import", file, "--out", &out], more].concat().iter().map(ToString::to_string).collect()
    };
    let wrong = |code: &str, file: &str, more: &[&str]| {
        let command = import(file, more);
        mistake(code, &command.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (logreg, tree) = (fixture("logreg-spam.onnx"), fixture("tree-iris.onnx"));
    wrong("import_read", &at("nothing.onnx"), &["--data", "spam"]);
    assert!(wrong("data_missing", &logreg, &[]).contains("--data"));
    assert!(wrong("data_missing", &tree, &[]).contains("--exact-thresholds"));
    wrong("data_missing", &logreg, &["--exact-thresholds"]);
    wrong("import_exact", &logreg, &["--data", "spam", "--exact-thresholds"]);
    assert!(wrong("import_features", &logreg, &["--data", "iris"]).contains("takes 57"));
    assert!(wrong("import_classes", &tree, &["--data", "iris", "--classes", "a,b,c"]).contains("--classes setosa"));
    wrong("import_classes", &tree, &["--data", "iris", "--classes", "a,b"]);
    wrong("import_classes", &tree, &["--data", "iris", "--classes", "a,a,b"]);
    fs::write(at("model.pkl"), b"\x80\x04\x95....").unwrap();
    assert!(wrong("import_format", &at("model.pkl"), &["--data", "spam"]).contains("pickle"));
    assert!(wrong("import_format", &at("."), &["--data", "spam"]).contains("pickle"));
    fs::write(at("cut.onnx"), &fs::read(&logreg).unwrap()[..300]).unwrap();
    assert!(wrong("onnx_invalid", &at("cut.onnx"), &["--data", "spam"]).contains("cut.onnx"));
    // A file that only says it is large is refused before it is read.
    fs::File::create(at("large.onnx")).unwrap().set_len(1 << 40).unwrap();
    wrong("import_large", &at("large.onnx"), &["--data", "spam"]);
    assert!(!std::path::Path::new(&at("models")).exists(), "nothing was written");
}
