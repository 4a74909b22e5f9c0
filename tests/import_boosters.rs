//! Boosted trees of tables with gaps and categories: predictions and scores are those of the tools that trained them.

#[path = "common/model_files.rs"]
mod model_files;

use fhectl_core::bundle::Predicted;
use fhectl_core::model::is_missing;
use fhectl_train::data::Dataset;
use fhectl_train::import::{FloatModel, Imported, Levels, exact_levels, quantize, read};
use model_files::model_files;
use std::fs;
use std::path::Path;

/// A model, rows that it has not seen as their cells, and what its tool predicts of them.
struct Fixture {
    name: String,
    imported: Imported,
    rows: Vec<Vec<f64>>,
    predicted: Vec<String>,
    /// One a class; none where a number is predicted.
    scores: Vec<Vec<f64>>,
}

impl Fixture {
    fn open(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut imported = read(&fs::read(path).unwrap(), &name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut table = csv_rows(&path.with_extension("csv"));
        let header = table.remove(0);
        let features = imported.features;
        assert_eq!(header[features], "predicted", "{name}: {features} features");
        if !imported.feature_names.is_empty() && !name.contains("onnx") {
            assert_eq!(imported.feature_names, header[..features], "{name}");
        }
        let encode = |cells: &[String]| match &imported.input {
            Some(input) => input.encode(cells).unwrap(),
            None => {
                let number = |cell: &String| if is_missing(cell) { f64::NAN } else { cell.parse().unwrap() };
                cells.iter().map(number).collect()
            }
        };
        let rows = table.iter().map(|cells| encode(&cells[..features])).collect();
        if name.ends_with("-zeros") {
            imported = imported.with_missing_value(0.0).unwrap();
        }
        Self {
            rows,
            predicted: table.iter().map(|cells| cells[features].clone()).collect(),
            scores: table
                .iter()
                .map(|cells| cells[features + 1..].iter().map(|cell| cell.parse().unwrap()).collect())
                .collect(),
            imported,
            name,
        }
    }

    /// What `scores` of each row stand for must be what the tool says.
    fn check(&self, scores: impl Fn(&[f64]) -> Vec<f64>) {
        let decoder = self.imported.decoder();
        for (at, row) in self.rows.iter().enumerate() {
            let place = || format!("{}, row {at}", self.name);
            let near = |got: f64, wanted: f64| {
                assert!((got - wanted).abs() <= 1e-4 * wanted.abs().max(1.0), "{}: {got} for {wanted}", place());
            };
            let scores = scores(row);
            match decoder.predict_real(&scores) {
                Predicted::Value(value) => near(value, self.predicted[at].parse().unwrap()),
                Predicted::Class(class) => {
                    assert_eq!(self.imported.classes[class], self.predicted[at], "{}", place());
                    let scores = decoder.class_scores_real(&scores);
                    assert_eq!(scores.len(), self.scores[at].len(), "{}", place());
                    scores.iter().zip(&self.scores[at]).for_each(|(got, wanted)| near(*got, *wanted));
                }
            }
        }
    }
}

fn csv_rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Made by `scripts/make_booster_fixtures.py`.
fn fixtures() -> Vec<Fixture> {
    let mut paths = model_files("boosters");
    paths.retain(|path| path.extension().is_some_and(|ending| ending != "csv"));
    assert!(paths.len() >= 45, "{} fixtures", paths.len());
    paths.iter().map(|path| Fixture::open(path)).collect()
}

#[test]
fn rows_with_gaps_and_categories_are_predicted_as_by_the_tool() {
    for fixture in fixtures() {
        fixture.check(|row| fixture.imported.model.scores(&fixture.imported.prepared(row)));
    }
}

/// Features that no row makes necessary are left out, and nothing else changes.
#[test]
fn models_suited_to_their_rows_predict_the_same() {
    let mut smaller = 0;
    for fixture in fixtures() {
        let suited = fixture.imported.clone().suited_to(&fixture.rows);
        // Without any step the row is as it is, features that no tree asks for among its numbers.
        let stepless = suited.preprocessing.len() < fixture.imported.preprocessing.len();
        assert!(stepless || suited.prepared_width() <= fixture.imported.prepared_width(), "{}", fixture.name);
        smaller += usize::from(suited.preprocessing != fixture.imported.preprocessing);
        fixture.check(|row| suited.model.scores(&suited.prepared(row)));
    }
    assert!(smaller >= 10, "{smaller}");
}

/// A model that saw no gap keeps its features as they are.
#[test]
fn models_of_complete_rows_need_no_step() {
    let of = |name: &str| fixtures().into_iter().find(|fixture| fixture.name == name).unwrap();
    let plain = of("xgboost-poisson");
    assert!(plain.imported.suited_to(&plain.rows).preprocessing.is_empty());
    let gaps = of("xgboost-gaps");
    assert!(gaps.imported.sends_missing_two_ways() && gaps.imported.takes_missing());
    assert_eq!(gaps.imported.zeros(&gaps.rows), None, "rows with gaps have no other missing values");
}

#[test]
fn rows_that_were_trained_with_zeros_as_missing_are_noticed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/boosters/xgboost-zeros.json");
    let silent = read(&fs::read(&path).unwrap(), "zeros").unwrap();
    let rows = Fixture::open(&path).rows;
    let zeros = silent.zeros(&rows).expect("zeros are predicted otherwise");
    assert!(zeros.columns.starts_with(&[0, 1]) && zeros.changed > 0.02, "{zeros:?}");
    assert!(zeros.to_string().contains("--missing-value 0"), "{zeros}");
}

#[test]
fn exact_thresholds_lose_nothing() {
    for fixture in fixtures() {
        let Fixture { imported, rows, .. } = &fixture;
        let FloatModel::Forest(forest) = &imported.model else { continue };
        let quantizer = exact_levels(forest, imported.prepared_width()).unwrap();
        let prepared: Vec<Vec<f64>> = rows.iter().map(|row| imported.prepared(row)).collect();
        let table = dataset(imported, prepared);
        let quantized = quantize(imported, &table, Levels::Exact, (None, &[])).unwrap();
        assert_eq!(quantized.quantizer, quantizer, "{}", fixture.name);
        for row in &table.rows {
            let (ours, theirs) =
                (quantized.model.scores(&quantizer.quantize(row).unwrap()), imported.model.scores(row));
            let equal = ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0));
            assert!(equal, "{}: {ours:?} for {theirs:?}", fixture.name);
        }
    }
}

fn dataset(imported: &Imported, rows: Vec<Vec<f64>>) -> Dataset {
    let count = rows.len();
    let columns: Vec<String> = (0..imported.features).map(|at| format!("x{at}")).collect();
    let numbers = imported.classes.is_empty();
    Dataset {
        name: "rows".into(),
        target: "y".into(),
        features: imported.names_after(&columns),
        input: None,
        classes: imported.classes.clone(),
        rows,
        labels: vec![0; if numbers { 0 } else { count }],
        values: vec![0.0; if numbers { count } else { 0 }],
        image: None,
    }
}
