//! Networks of scikit-learn and PyTorch: floats against the library's own outputs, integers against floats, encrypted
//! against clear. `scripts/make_torch_fixtures.py` makes the files.

mod common;

use fhectl::import::network::{FloatGraph, Lowered, lower};
use fhectl::import::onnx::Graph;
use fhectl::model::Output;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

/// A table's columns that begin with `prefix`, row by row.
fn table(name: &str, prefix: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path(&format!("{name}.csv"))).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let of = |line: &str| -> Vec<f64> {
        let cells = line.split(',').zip(&header).filter(|(_, name)| name.starts_with(prefix));
        cells.map(|(cell, _)| cell.parse().unwrap()).collect()
    };
    lines.map(of).collect()
}

struct Fixture {
    rows: Vec<Vec<f64>>,
    targets: Vec<f64>,
    outputs: Vec<Vec<f64>>,
    lowered: Lowered,
    output: Output,
}

impl Fixture {
    fn read(name: &str, output: Output) -> Self {
        let answers = name.trim_end_matches("_dynamo");
        let rows = match table(answers, "x") {
            rows if rows[0].is_empty() => table("digits_rows", "x"),
            rows => rows,
        };
        let bytes = std::fs::read(path(&format!("{name}.onnx"))).unwrap();
        Self {
            rows,
            targets: table(answers, "target").concat(),
            outputs: table(answers, "out"),
            lowered: lower(&Graph::read(&bytes).unwrap(), output).unwrap(),
            output,
        }
    }
}

const ALL: [(&str, Output); 14] = [
    ("sklearn_mlp_iris", Output::Classes(3)),
    ("sklearn_mlp_binary", Output::Classes(2)),
    ("sklearn_mlp_digits", Output::Classes(10)),
    ("sklearn_mlp_diabetes", Output::Value),
    ("torch_mlp_tanh", Output::Classes(10)),
    ("torch_mlp_tanh_dynamo", Output::Classes(10)),
    ("torch_branches", Output::Classes(10)),
    ("torch_cnn", Output::Classes(10)),
    ("torch_cnn_dynamo", Output::Classes(10)),
    ("torch_cnn_maxpool", Output::Classes(10)),
    ("torch_cnn_maxpool_dynamo", Output::Classes(10)),
    ("torch_cnn_deep", Output::Classes(10)),
    ("torch_residual", Output::Classes(10)),
    ("torch_residual_dynamo", Output::Classes(10)),
];

/// Outputs less their mean: what softmax does not change.
fn centred(outputs: &[f64], output: Output) -> Vec<f64> {
    let mean = if output.margins() > 1 { outputs.iter().sum::<f64>() / outputs.len() as f64 } else { 0.0 };
    outputs.iter().map(|value| value - mean).collect()
}

#[test]
fn floats_are_the_librarys() {
    for (name, output) in ALL {
        let fixture = Fixture::read(name, output);
        let graph: &FloatGraph = &fixture.lowered.graph;
        for (row, wanted) in fixture.rows.iter().zip(&fixture.outputs) {
            let (got, wanted) = (centred(&graph.evaluate(row), output), centred(wanted, output));
            assert_eq!(got.len(), wanted.len(), "{name}");
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!((got - wanted).abs() < 1e-4 * (1.0 + wanted.abs()), "{name}: {got} for {wanted}");
            }
        }
        let widths: Vec<usize> = graph.blocks.iter().map(|block| block.rows.len()).collect();
        println!("{name}: {} rows of {} values, activations {widths:?}", fixture.rows.len(), graph.inputs);
    }
}
