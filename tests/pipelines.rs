//! Pipelines of scikit-learn: what a client prepares, what is encrypted, and what a client makes of scores say together
//! what scikit-learn says, classes and probabilities alike.

#[path = "common/model_files.rs"]
mod model_files;

use fhectl_core::bundle::Predicted;
use fhectl_core::model::{ClearStep, ColumnRule};
use fhectl_train::data::Dataset;
use fhectl_train::import::{Imported, Levels, QuantizedModel, quantize, read};
use fhectl_train::train::quantize_rows;
use model_files::model_files;
use std::fs;
use std::path::{Path, PathBuf};

/// A pipeline, rows of cells, and what scikit-learn says of each.
struct Fixture {
    name: String,
    imported: Imported,
    rows: Vec<Vec<f64>>,
    predicted: Vec<String>,
    scores: Vec<Vec<f64>>,
}

/// Made by `scripts/make_pipeline_fixtures.py`.
fn paths() -> Vec<PathBuf> {
    let mut paths = model_files("pipelines");
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "onnx"));
    assert!(paths.len() > 100);
    paths
}

fn fixtures() -> impl Iterator<Item = Fixture> {
    paths().into_iter().filter(|path| !path.to_str().unwrap().contains("refused")).map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap();
        let name = if folder.starts_with("seed") { format!("{stem}, {folder}") } else { stem.to_owned() };
        let imported = read(&fs::read(&path).unwrap(), &name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut table = csv::Reader::from_path(path.with_extension("csv")).unwrap();
        let end = table.headers().unwrap().iter().position(|cell| cell == "prediction").unwrap();
        let (mut rows, mut predicted, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for line in table.records() {
            let cells: Vec<String> = line.unwrap().iter().map(str::to_owned).collect();
            let numbers = match &imported.input {
                Some(input) => input.encode(&cells[..end]).unwrap(),
                None => cells[..end].iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect(),
            };
            rows.push(numbers);
            predicted.push(cells[end].clone());
            scores.push(cells[end + 1..].iter().map(|cell| cell.parse().unwrap()).collect());
        }
        Fixture { name, imported, rows, predicted, scores }
    })
}

#[test]
fn pipelines_predict_what_scikit_learn_predicts() {
    for Fixture { name, imported, rows, predicted, scores } in fixtures() {
        let decoder = imported.decoder();
        // libsvm's probabilities are the end of an iteration that is broken off.
        let near = if name.starts_with("svc-linear-proba") { 5e-3 } else { 2e-4 };
        for (at, row) in rows.iter().enumerate() {
            let made = imported.model.scores(&imported.prepared(row));
            match decoder.predict_real(&made) {
                Predicted::Class(class) => {
                    assert_eq!(imported.classes[class], predicted[at], "{name}, row {at}");
                    let ours = decoder.class_scores_real(&made);
                    if scores[at].len() == ours.len() {
                        for (score, wanted) in ours.iter().zip(&scores[at]) {
                            assert!((score - wanted).abs() <= near, "{name}, row {at}: {ours:?} for {:?}", scores[at]);
                        }
                    }
                }
                Predicted::Value(value) => {
                    let wanted: f64 = predicted[at].parse().unwrap();
                    assert!(
                        (value - wanted).abs() <= near * wanted.abs().max(1.0),
                        "{name}, row {at}: {value} for {wanted}"
                    );
                }
            }
        }
    }
}

#[test]
fn outlier_detectors_say_how_far_a_row_is_off() {
    let forest = fixtures().find(|fixture| fixture.name == "isolation-forest").unwrap();
    assert_eq!(forest.imported.classes, ["-1", "1"]);
    for (row, wanted) in forest.rows.iter().zip(&forest.scores) {
        let made = forest.imported.model.scores(&forest.imported.prepared(row));
        let scores = forest.imported.decoder().class_scores_real(&made);
        assert!((scores[1] - wanted[0]).abs() < 1e-5 && scores[0] == -scores[1], "{scores:?} for {wanted:?}");
    }
}

/// The rows as a model sees them, for its quantizer.
fn prepared(fixture: &Fixture) -> Dataset {
    let Fixture { name, imported, rows, .. } = fixture;
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| imported.prepared(row)).collect();
    Dataset {
        name: name.clone(),
        target: "y".into(),
        features: (0..imported.prepared_width()).map(|at| format!("x{at}")).collect(),
        classes: imported.classes.clone(),
        labels: match imported.classes.len() as u32 {
            0 => Vec::new(),
            classes => (0..rows.len() as u32).map(|row| row % classes).collect(),
        },
        values: if imported.classes.is_empty() { (0..rows.len()).map(|row| row as f64).collect() } else { Vec::new() },
        rows,
        input: None,
        image: None,
    }
}

#[test]
fn integers_with_their_programs_say_what_the_original_says() {
    for fixture in fixtures() {
        let rows = prepared(&fixture);
        let Fixture { name, imported, .. } = &fixture;
        let quantized =
            quantize(imported, &rows, Levels::Bits(12), (None, &[])).unwrap_or_else(|error| panic!("{name}: {error}"));
        let levels = quantize_rows(&quantized.quantizer, &rows).unwrap();
        let (made, scale): (Vec<Vec<i64>>, f64) = match &quantized.model {
            QuantizedModel::Forest(forest) => {
                let (integer, scale) = forest.to_integer(12).unwrap();
                (levels.iter().map(|row| integer.scores(row)).collect(), scale)
            }
            QuantizedModel::Linear(linear) => {
                let integer = linear.to_integer(14).unwrap();
                (levels.iter().map(|row| integer.scores(row)).collect(), integer.scale)
            }
        };
        let decoder = fhectl_core::bundle::ScoreDecoder { scale: Some(scale), ..imported.decoder() };
        let mut same = 0;
        for (row, scores) in rows.rows.iter().zip(&made) {
            let original = imported.model.scores(row);
            match (decoder.predict(scores), imported.decoder().predict_real(&original)) {
                (Predicted::Value(ours), Predicted::Value(wanted)) => {
                    same += usize::from((ours - wanted).abs() <= 0.02 * wanted.abs().max(1.0));
                }
                (ours, wanted) => same += usize::from(ours == wanted),
            }
        }
        let share = same as f64 / made.len() as f64;
        println!("{name}: {share}");
        assert!(share >= 0.9, "{name}: {same} of {} rows as the original has them", made.len());
    }
}

#[test]
fn what_is_not_read_is_named_by_its_step() {
    for (name, message, hint) in [
        ("adaboost-regression", "AdaBoostRegressor", "GradientBoostingRegressor"),
        ("kernel", "kernel RBF", "linear"),
        ("knn-distance", "by distance", "weights=\"uniform\""),
        ("knn-manhattan", "metric", "metric=\"euclidean\""),
        ("stack-forest", "another model's scores", "final_estimator"),
        ("stack-of-both", "a linear model (LinearClassifier", "StackingClassifier"),
        ("vectorizer-letters", "pattern of words", "`analyzer`"),
        ("vectorizer-pattern", "`[a-z]+`", "`token_pattern`"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/pipelines/refused-{name}.onnx"));
        let error = read(&fs::read(path).unwrap(), name).unwrap_err();
        assert!(error.message.contains(message), "{}", error.message);
        assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{:?}", error.hint);
    }
}

#[test]
fn a_model_stays_secret_where_a_client_computes_around_it() {
    let find = |name: &str| fixtures().find(|fixture| fixture.name == name).unwrap().imported;
    // Neither the means of naive Bayes nor training rows are in what a client has.
    let bayes = find("gaussian-nb3-double");
    assert!(!bayes.reveals_training_rows && bayes.head.is_none());
    let middles = bayes.preprocessing.iter().map(|step| match step {
        ClearStep::Columns { columns } => {
            columns.iter().filter(|column| matches!(column.rule, ColumnRule::Affine { .. })).count()
        }
        _ => 0,
    });
    assert_eq!(middles.sum::<usize>(), bayes.features, "one middle a feature, not one a class");
    assert!(find("knn").reveals_training_rows && find("knn-regression").reveals_training_rows);
    // A projection before trees is the client's, one before a linear model is part of it.
    assert!(find("pca-logreg").preprocessing.is_empty() && !find("pca-forest").preprocessing.is_empty());
    assert!(find("vote-soft-linear").head.is_some() && find("vote-soft-trees").head.is_none());
}

#[test]
fn cells_are_read_as_the_pipeline_was_given_them() {
    let find = |name: &str| fixtures().find(|fixture| fixture.name == name).unwrap().imported;
    let mixed = find("ct-onehot-logreg");
    let input = mixed.input.as_ref().unwrap();
    let names: Vec<&str> = input.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["age", "fare", "color", "city", "level"]);
    let columns: Vec<String> = names.iter().map(ToString::to_string).collect();
    let features = mixed.names_after(&columns);
    assert!(features.contains(&"color=red".to_owned()) && features.contains(&"age".to_owned()), "{features:?}");
    // Neither a word that no row had nor an empty cell is any of the categories.
    for color in ["violet", ""] {
        let row = mixed.prepared(&input.encode(&["30", "7.5", color, "Oslo", "1"]).unwrap());
        let of_color = features.iter().zip(&row).filter(|(name, _)| name.starts_with("color="));
        let wanted: Vec<f64> = of_color
            .map(|(name, value)| if name == "color=NA" && color.is_empty() { value - 1.0 } else { *value })
            .collect();
        assert!(wanted.iter().all(|value| *value == 0.0), "{color}: {wanted:?}");
    }
    assert!(find("logreg-double").input.is_none() && find("logreg-double").feature_names.is_empty());
    assert!(find("impute-logreg").prepared(&[f64::NAN; 6]).iter().all(|value| value.is_finite()));
}
