use crate::data::Dataset;
use crate::import::network::float_graph::Affine;
use crate::import::network::function::Function;
use crate::import::network::levels::{Layer, Levels};
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::quantize_levels;

fn row(bias: f64, terms: &[(u32, f64)]) -> Affine {
    Affine { bias, terms: terms.to_vec() }
}

/// Images of two bright pixels and one that is dark in all rows but one.
fn images() -> Dataset {
    let rows: Vec<Vec<f64>> = (0..40)
        .map(|at| vec![f64::from(at * 37 % 256), f64::from(at * 91 % 256), f64::from(u8::from(at == 7))])
        .collect();
    Dataset {
        name: "images".into(),
        target: "y".into(),
        features: (0..3).map(|at| format!("x{at}")).collect(),
        classes: Vec::new(),
        labels: Vec::new(),
        values: (0..40).map(f64::from).collect(),
        rows,
        input: None,
        image: None,
    }
}

#[test]
fn a_channel_that_hardly_moves_does_not_say_what_keys_cost() {
    let relu = vec![Function::RELU; 3];
    let rows = vec![row(0.0, &[(0, 1.0), (1, -1.0)]), row(-9.0, &[(0, 0.5), (1, 1.0)]), row(0.0, &[(2, 1.0)])];
    let levels = Levels {
        inputs: 3,
        layers: vec![Layer { functions: relu, rows }],
        outputs: vec![row(0.0, &[(0, 1.0), (1, 1.0), (2, 1.0)])],
    };
    // Outliers, such as the one dark pixel that is not, are no reason to call a value constant here.
    let params = PtqParams { weight_bits: 5, percentile: 100.0, ..PtqParams::default() };
    let quantized = quantize_levels(&levels, true, &images(), &params, None).unwrap().network;
    let first = &quantized.network.layers[0];
    assert_eq!(first.map.shape.outputs(), 3);
    let largest = first.map.weights.iter().map(|weight| weight.abs()).max().unwrap();
    // Weights of 5 bits reach to 15; four times that is the most.
    assert_eq!(largest, 60);
}
