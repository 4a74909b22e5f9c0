//! Test rows of the committed models, with what the clear models say of them: `web/tests/rows.json`, which the browser's tests
//! read.
//!
//! To write it anew: `FHECTL_WRITE_WEB_ROWS=1 cargo test --release --test web_rows`.

use fhectl_core::bundle::{ServerBundle, folder};
use fhectl_core::model::class_of_scores;
use fhectl_train::data::{Holdout, load_split};
use serde_json::{Map, Value, json};
use std::path::Path;

/// One of each circuit, and of each kind of answer.
const MODELS: [&str; 11] = [
    "tree-spam",
    "tree-spam-leaf-sum",
    "forest-spam",
    "boost-spam",
    "boost-spam-cmux-forest",
    "logreg-synthetic",
    "linreg-diabetes",
    "qnn-iris",
    "cnn-digits",
    "mlp-mnist",
    "cnn-mnist",
];
const ROWS: usize = 10;

/// A network's noise may turn a class whose score is hardly larger than the next. Such rows would test chance.
fn is_clear(owner: &ServerBundle, scores: &[i64]) -> bool {
    if owner.spec.circuit.kind().name() != "network" {
        return true;
    }
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let spread = sorted[0] - sorted[sorted.len() - 1];
    (sorted[0] - sorted[1]) * 8 > spread
}

fn rows_of(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let owner = folder::read_server(&root.join("compiled_model").join(name)).unwrap();
    let asked = owner.spec.evaluation.clone().unwrap();
    let holdout = Holdout::Share { test_size: asked.test_size, seed: asked.seed };
    let (_, test) = load_split(&asked.data, &root.join("datasets"), None, None, holdout).unwrap();
    let scores = |row: &Vec<f64>| owner.server.model.scores(&owner.spec.quantize(row).unwrap());
    let rows: Vec<&Vec<f64>> = test.rows.iter().filter(|row| is_clear(&owner, &scores(row))).take(ROWS).collect();
    let scores: Vec<Vec<i64>> = rows.iter().map(|row| scores(row)).collect();
    let classes: Vec<Option<&str>> =
        scores.iter().map(|scores| owner.spec.classes.get(class_of_scores(scores)).map(String::as_str)).collect();
    json!({ "features": owner.spec.features, "rows": rows, "scores": scores, "classes": classes })
}

#[test]
fn the_browsers_tests_have_the_clear_models_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/tests/rows.json");
    let all: Map<String, Value> = MODELS.iter().map(|name| ((*name).to_owned(), rows_of(name))).collect();
    let lines: Vec<String> = all.iter().map(|(name, rows)| format!("{}:{rows}", json!(name))).collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    if std::env::var_os("FHECTL_WRITE_WEB_ROWS").is_some_and(|value| value == "1") {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == text, "run FHECTL_WRITE_WEB_ROWS=1 cargo test --release --test web_rows");
}
