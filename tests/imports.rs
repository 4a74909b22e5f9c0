//! Models of other libraries: imported models predict what the libraries predict.

use fhectl_core::model::class_of_scores;
use fhectl_train::data::{self, Dataset, Task};
use fhectl_train::import::{Agreement, FloatModel, Imported, Levels, quantize, read};
use fhectl_train::train::Fit;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import")
}

/// What a library says of a row that its model has not seen.
struct Known {
    row: usize,
    predicted: String,
    scores: Vec<f64>,
}

/// A fixture: its model, the data it is of (prepared), and what is known of some rows.
struct Fixture {
    name: String,
    imported: Imported,
    data: Dataset,
    known: Vec<Known>,
}

impl Fixture {
    fn open(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let imported = read(&fs::read(path).unwrap(), &name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let set = ["spam", "iris", "digits", "diabetes"].into_iter().find(|set| name.contains(set)).unwrap();
        let task = if imported.classes.is_empty() { Task::Regress } else { Task::Classify };
        let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
        let mut data = data::load(set, &datasets, None, Some(task)).unwrap();
        data.rows.iter_mut().for_each(|row| *row = imported.prepared(row));
        data.features = imported.names_after(&data.features);
        let text = fs::read_to_string(path.with_extension("csv")).unwrap();
        let known = text.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            Known {
                row: cells[0].parse().unwrap(),
                predicted: cells[1].to_owned(),
                scores: cells[2..].iter().map(|cell| cell.parse().unwrap()).collect(),
            }
        });
        Self { known: known.collect(), name, imported, data }
    }

    /// The rows that the library was asked about.
    fn test(&self) -> Dataset {
        self.data.select(&self.known.iter().map(|known| known.row).collect::<Vec<_>>())
    }

    /// The rows that the model was trained on.
    fn calibration(&self) -> Dataset {
        let test: BTreeSet<usize> = self.known.iter().map(|known| known.row).collect();
        self.data.select(&(0..self.data.len()).filter(|row| !test.contains(row)).collect::<Vec<_>>())
    }
}

fn fixtures() -> Vec<Fixture> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| ["onnx", "json", "ubj"].contains(&path.extension().unwrap().to_str().unwrap()))
        // Networks have tests of their own.
        .filter(|path| !["torch", "sklearn_mlp"].iter().any(|kind| path.to_str().unwrap().contains(kind)))
        .collect();
    paths.sort();
    assert!(paths.len() >= 35, "{} fixtures", paths.len());
    paths.iter().map(|path| Fixture::open(path)).collect()
}

#[test]
fn what_is_read_predicts_what_its_library_predicts() {
    for fixture in fixtures() {
        let Fixture { name, imported, known, .. } = &fixture;
        for (row, known) in fixture.test().rows.iter().zip(known) {
            let scores = imported.model.scores(row);
            assert_eq!(scores.len(), known.scores.len(), "{name}");
            let size = known.scores.iter().fold(1.0, |size: f64, score| size.max(score.abs()));
            for (score, wanted) in scores.iter().zip(&known.scores) {
                assert!((score - wanted).abs() <= 1e-4 * size, "{name}, row {}: {score} for {wanted}", known.row);
            }
            if !imported.classes.is_empty() {
                let class = &imported.classes[class_of_scores(&scores)];
                assert_eq!(class, &known.predicted, "{name}, row {}", known.row);
            }
        }
    }
}

#[test]
fn integers_agree_with_the_original() {
    for fixture in fixtures() {
        let Fixture { name, imported, .. } = &fixture;
        let quantized = quantize(imported, &fixture.calibration(), Levels::Auto, None).unwrap();
        let test = fixture.test();
        let rows = fhectl_train::train::quantize_rows(&quantized.quantizer, &test).unwrap();
        let numbers = imported.classes.is_empty();
        let scores = integer_scores(&quantized.model, &rows);
        if numbers {
            let original: Vec<f64> = fixture.known.iter().map(|known| known.scores[0]).collect();
            let ours: Vec<f64> = scores.iter().map(|scores| scores[0]).collect();
            let loss = Fit::of(&original, &test.values).r2 - Fit::of(&ours, &test.values).r2;
            println!(
                "{name}: {:?} bits, R2 loss {loss:.4}, R2 with the original {:.4}",
                quantized.bits,
                Fit::of(&ours, &original).r2
            );
            assert!(loss <= 0.03, "{name}: R2 loss {loss}");
        } else {
            let original: Vec<Vec<f64>> = fixture.known.iter().map(|known| known.scores.clone()).collect();
            let same = Agreement::of(&imported.decoder(), &original, &scores, true).share();
            println!("{name}: {:?} bits, agreement {same:.4}", quantized.bits);
            assert!(same >= 0.98, "{name}: agreement {same}");
        }
    }
}

/// The scores of the integer model, as real numbers.
fn integer_scores(model: &fhectl_train::import::QuantizedModel, rows: &[Vec<u32>]) -> Vec<Vec<f64>> {
    use fhectl_train::import::QuantizedModel::{Forest, Linear};
    let (scores, scale): (Vec<Vec<i64>>, f64) = match model {
        Forest(forest) => {
            let (integer, scale) = forest.to_integer(8).unwrap();
            (rows.iter().map(|row| integer.scores(row)).collect(), scale)
        }
        Linear(linear) => {
            let integer = linear.to_integer(10).unwrap();
            (rows.iter().map(|row| integer.scores(row)).collect(), integer.scale)
        }
    };
    scores.into_iter().map(|row| row.into_iter().map(|score| score as f64 * scale).collect()).collect()
}

#[test]
fn exact_thresholds_lose_nothing() {
    let mut forests = 0;
    for fixture in fixtures() {
        let Fixture { name, imported, .. } = &fixture;
        if !matches!(imported.model, FloatModel::Forest(_)) {
            continue;
        }
        forests += 1;
        let quantized = quantize(imported, &fixture.calibration(), Levels::Exact, None).unwrap();
        for row in &fixture.test().rows {
            let ours = quantized.model.scores(&quantized.quantizer.quantize(row).unwrap());
            let original = imported.model.scores(row);
            for (a, b) in ours.iter().zip(&original) {
                assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{name}: {a} for {b}");
            }
        }
    }
    assert!(forests >= 15, "{forests}");
}
