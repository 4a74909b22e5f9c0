use super::*;
use crate::error::ErrorCode;
use crate::model::FeatureQuantizer;

fn quantizer(features: usize, levels: u32) -> Quantizer {
    Quantizer { features: vec![FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels }; features] }
}

fn conv(padding: usize) -> LinearMap {
    let shape = MapShape::Conv { height: 3, width: 4, channels: 2, filters: 2, kernel: [2, 2], stride: 2, padding };
    // Filter 0 adds up channel 0 of its window, filter 1 takes the last tap of channel 1.
    let weights = vec![1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    LinearMap { shape, weights, biases: vec![10, 0] }
}

#[test]
fn convolutions_read_their_windows() {
    let image: Vec<i64> = (0..24).collect();
    // Position (0, 0) sees pixels (0,0) (0,1) (1,0) (1,1): indices 0 2 8 10 of channel 0.
    assert_eq!(conv(0).apply(&image), [10 + 20, 11, 10 + 4 + 6 + 12 + 14, 15]);
    let padded = conv(1);
    assert_eq!(padded.shape.positions(), [2, 3]);
    // The first window holds one pixel, in its last corner.
    assert_eq!(padded.apply(&image)[..2], [10, 1]);
    padded.check(24, 100).unwrap();
}

#[test]
fn a_staircase_is_flat_beyond_its_ends() {
    let relu = Activation { outputs: vec![0, 1, 2, 3], thresholds: vec![vec![1, 5, 9]] };
    let got: Vec<i32> = [-50, 0, 1, 4, 5, 8, 9, 50].iter().map(|z| relu.apply(3, *z)).collect();
    assert_eq!(got, [0, 0, 1, 1, 2, 2, 3, 3]);
    assert_eq!(relu.valid_range(0, 100), (-41, 50));
}

#[test]
fn wraps_are_counted_at_every_layer() {
    let dense = |inputs, outputs, weights: &[i32]| LinearMap {
        shape: MapShape::Dense { inputs, outputs },
        weights: weights.to_vec(),
        biases: vec![0; outputs],
    };
    let sign = Activation { outputs: vec![-1, 1], thresholds: vec![vec![0]] };
    let network = IntegerNetwork {
        layers: vec![
            NetworkLayer {
                map: dense(2, 2, &[1, 1, 1, -1]),
                plaintext_modulus: 16,
                noise: 0.01,
                activation: Some(sign),
            },
            NetworkLayer { map: dense(2, 2, &[5, 0, 2, -2]), plaintext_modulus: 10, noise: 0.01, activation: None },
        ],
    };
    network.check(&quantizer(2, 8), Output::Classes(2)).unwrap();
    assert_eq!(network.scores(&[1, 2]), [5, 4]);
    // The first score, 5, is beyond 4, the last step of half the modulus.
    assert_eq!(network.wraps(&[1, 2]), 1);
    // 7 + 7 is beyond 7, too.
    assert_eq!(network.wraps(&[7, 7]), 2);
    assert_eq!(network.activations(), 2);
}

#[test]
fn what_does_not_fit_together_is_named() {
    let map = |inputs| LinearMap {
        shape: MapShape::Dense { inputs, outputs: 2 },
        weights: vec![1; 2 * inputs],
        biases: vec![0; 2],
    };
    let network = |layers| IntegerNetwork { layers };
    let scores = |inputs| NetworkLayer { map: map(inputs), plaintext_modulus: 64, noise: 0.01, activation: None };
    let wrong = |layers, part: &str| {
        let error = network(layers).check(&quantizer(3, 4), Output::Classes(2)).unwrap_err();
        assert!(error.code == ErrorCode::ModelInvalid && error.message.contains(part), "{error:?}");
    };
    network(vec![scores(3)]).check(&quantizer(3, 4), Output::Classes(2)).unwrap();
    wrong(vec![scores(4)], "takes 4 inputs");
    wrong(vec![scores(3), scores(2)], "activation");
    wrong(vec![NetworkLayer { plaintext_modulus: 5, ..scores(3) }], "plaintext modulus");
    wrong(vec![NetworkLayer { noise: f64::NAN, ..scores(3) }], "noise");
    let shape = MapShape::Conv {
        height: usize::MAX,
        width: usize::MAX,
        channels: 1,
        filters: 1,
        kernel: [1, 1],
        stride: 1,
        padding: 0,
    };
    wrong(vec![NetworkLayer { map: LinearMap { shape, ..map(3) }, ..scores(3) }], "sizes");
    // Few weights, but every window holds the whole image.
    let shape =
        MapShape::Conv { height: 64, width: 64, channels: 1, filters: 100, kernel: [127, 127], stride: 1, padding: 63 };
    wrong(vec![NetworkLayer { map: LinearMap { shape, ..map(3) }, ..scores(3) }], "products");
    let wide = Activation { outputs: vec![0, 1, 2], thresholds: vec![vec![0, 32]] };
    wrong(vec![NetworkLayer { activation: Some(wide), ..scores(3) }, scores(2)], "half the plaintext modulus");
}

#[test]
fn sparse_maps_are_the_dense_ones_without_zeros() {
    let sparse = LinearMap {
        shape: MapShape::Sparse(SparseShape { inputs: 3, channels: 1, rows: vec![vec![0, 2], vec![], vec![1]] }),
        weights: vec![2, -1, 4],
        biases: vec![0, 7, 1],
    };
    sparse.check(3, 100).unwrap();
    assert_eq!(sparse.apply(&[5, 6, 7]), [3, 7, 25]);
    assert_eq!(sparse.squared_norms(), [5.0, 0.0, 16.0]);
    assert_eq!(sparse.shape.terms(), 3);
    let mut sums = Vec::new();
    sparse.for_each_sum(|bias, window, weights| sums.push((bias, window.to_vec(), weights.to_vec())));
    assert_eq!(sums[0], (0, vec![Some(0), Some(2)], vec![2, -1]));
    assert_eq!(sums[1], (7, vec![], vec![]));
    let text = serde_json::to_string(&sparse).unwrap();
    assert_eq!(serde_json::from_str::<LinearMap>(&text).unwrap(), sparse);

    let with = |change: &dyn Fn(&mut SparseShape)| {
        let MapShape::Sparse(mut shape) = sparse.shape.clone() else { panic!() };
        change(&mut shape);
        LinearMap { shape: MapShape::Sparse(shape), ..sparse.clone() }.check(3, 100).unwrap_err().message
    };
    assert!(with(&|shape| shape.rows[0] = vec![0, 3]).contains("output 0"));
    assert!(with(&|shape| shape.rows[0] = vec![2, 0]).contains("output 0"));
    assert!(with(&|shape| shape.channels = 2).contains("2 channels"));
    assert!(with(&|shape| shape.rows[1].push(0)).contains("3 weights"));
    assert!(with(&|shape| shape.rows.truncate(2)).contains("3 weights"));
}
