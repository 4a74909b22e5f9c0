//! What `create import` does with a model that was read, until it looks for parameters.

use fhectl_core::bundle::Predicted;
use fhectl_core::model::InputSchema;
use fhectl_train::data::Dataset;
use fhectl_train::import::{FloatModel, Imported, Levels, quantize};

/// Rows are of one of these each, and one of all.
const NUMBERS: [f64; 8] = [0.5, 0.0, 1.0, -2.5, 1e10, 3.5e38, f64::MIN, f64::NAN];
const CELLS: [&str; 6] = ["", "0.5", "1", "no", "a", "2024-02-29"];
/// The most numbers of all rows, and nodes of a forest, that are quantized here.
const WORK: usize = 1 << 12;

/// Uses a model with rows of many kinds.
pub fn used(imported: Imported) {
    let rows = rows(&imported);
    let columns = columns(&imported);
    if let Some(zeros) = imported.zeros(&rows) {
        assert!(!zeros.to_string().is_empty());
    }
    if let Some(outside) = imported.out_of_range(&rows, &columns) {
        assert!(!outside.to_string().is_empty());
    }
    if let Ok(other) = imported.clone().with_missing_value(0.0) {
        predicted(&other, &rows);
    }
    predicted(&imported, &rows);
    let imported = imported.suited_to(&rows);
    let prepared = predicted(&imported, &rows);
    let features = imported.names_after(&columns);
    assert_eq!(features.len(), imported.prepared_width());
    quantized(&imported, prepared, features);
}

fn rows(imported: &Imported) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = NUMBERS.iter().map(|number| vec![*number; imported.features]).collect();
    rows.push(NUMBERS.iter().copied().cycle().take(imported.features).collect());
    for cell in imported.input.iter().flat_map(|input| CELLS.map(|cell| input.encode(&vec![cell; input.columns.len()]))) {
        rows.extend(cell.ok());
    }
    rows
}

fn columns(imported: &Imported) -> Vec<String> {
    match (&imported.input, &imported.feature_names[..]) {
        (Some(InputSchema { columns, .. }), _) => columns.iter().map(|column| column.name.clone()).collect(),
        (None, []) => (0..imported.features).map(|feature| format!("x{feature}")).collect(),
        (None, names) => names.to_vec(),
    }
}

/// The rows as the model sees them, each with a prediction.
fn predicted(imported: &Imported, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (decoder, classes) = (imported.decoder(), imported.classes.len());
    let prepared = rows.iter().map(|row| {
        let row = imported.prepared(row);
        assert_eq!(row.len(), imported.prepared_width());
        let scores = imported.model.scores(&row);
        assert_eq!(scores.len(), imported.output().margins());
        if let Predicted::Class(class) = decoder.predict_real(&scores) {
            assert!(class < classes);
            assert_eq!(decoder.class_scores_real(&scores).len(), classes);
        }
        row
    });
    prepared.collect()
}

fn quantized(imported: &Imported, mut rows: Vec<Vec<f64>>, features: Vec<String>) {
    rows.retain(|row| row.iter().all(|x| x.is_finite()));
    let nodes = match &imported.model {
        FloatModel::Forest(forest) => forest.nodes(),
        FloatModel::Linear(linear) => linear.weights.len() * features.len(),
        FloatModel::Network(_) => return,
    };
    if rows.is_empty() || rows.len() * features.len() > WORK || nodes > WORK {
        return;
    }
    let rows = Dataset {
        name: "fuzz".into(),
        target: "y".into(),
        input: None,
        classes: imported.classes.clone(),
        labels: (0..rows.len()).map(|row| (row % imported.classes.len().max(1)) as u32).collect(),
        values: Vec::new(),
        image: None,
        features,
        rows,
    };
    for levels in [Levels::Exact, Levels::Auto] {
        if let Ok(made) = quantize(imported, &rows, levels, (None, &[])) {
            let row = vec![0; made.quantizer.features.len()];
            assert_eq!(made.model.scores(&row).len(), imported.output().margins());
        }
    }
}
