use super::export::integers;
use super::layers::Pass;
use super::staircase_op::Statistics;
use super::*;
use crate::data::random::Random;
use crate::data::{Dataset, ImageShape};
use crate::train::{fit_affine, fit_pixels};
use candle_core::{Device, Tensor};
use fhectl_core::circuit::CircuitKind;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::error::ErrorCode;
use fhectl_core::model::{FeatureQuantizer, IntegerNetwork, Model, Quantizer};
use std::sync::Arc;

const IMAGE: ImageShape = ImageShape { height: 7, width: 6, channels: 2 };

/// Images with a bright corner, which is the class, and noise.
fn corners(rows: usize) -> Dataset {
    let mut random = Random::new(5);
    let labels: Vec<u32> = (0..rows as u32).map(|row| row % 4).collect();
    let row = |label: &u32| {
        let pixel = |at: usize| {
            let (y, x) = (at / 2 / IMAGE.width, at / 2 % IMAGE.width);
            let corner = u32::from(y >= 4) * 2 + u32::from(x >= 3);
            (if corner == *label { 8.0 } else { 2.0 } + 2.5 * random.normal()).round().clamp(0.0, 15.0)
        };
        (0..IMAGE.height * IMAGE.width * 2).map(pixel).collect()
    };
    Dataset {
        name: "corners".into(),
        target: "corner".into(),
        features: (0..84).map(|pixel| format!("p{pixel}")).collect(),
        classes: (0..4).map(|class| class.to_string()).collect(),
        rows: labels.clone().iter().map(row).collect(),
        labels,
        values: Vec::new(),
        input: None,
        image: Some(IMAGE),
    }
}

fn architecture(convs: &[ConvBlock], hidden: &[usize], activation: ActivationKind) -> Architecture {
    Architecture { image: Some(IMAGE), convs: convs.to_vec(), hidden: hidden.to_vec(), activation, activation_bits: 3 }
}

fn short() -> TrainingParams {
    TrainingParams { epochs: 6, batch_size: 32, learning_rate: 0.02, seed: 3, ..TrainingParams::default() }
}

fn conv(filters: usize, kernel: [usize; 2], stride: usize, padding: usize, pool: usize) -> ConvBlock {
    ConvBlock { filters, kernel, stride, padding, pool }
}

fn trained(architecture: &Architecture, params: &TrainingParams) -> (TrainedNetwork, Quantizer) {
    let data = corners(300);
    let quantizer = fit_pixels(&data, 4).unwrap();
    (train_network(&data, &quantizer, architecture, params, &mut |_| ()).unwrap(), quantizer)
}

#[test]
fn exported_networks_compute_what_was_trained() {
    let two = [conv(3, [3, 2], 1, 1, 2), conv(4, [2, 2], 1, 0, 1)];
    let cases = [
        architecture(&[], &[], ActivationKind::Relu),
        architecture(&[], &[12, 6], ActivationKind::Tanh),
        architecture(&[], &[20], ActivationKind::Sign),
        architecture(&[conv(3, [3, 3], 2, 2, 1)], &[], ActivationKind::Relu),
        architecture(&two, &[7], ActivationKind::Relu),
    ];
    let mut random = Random::new(9);
    for architecture in cases {
        let (network, _) = trained(&architecture, &TrainingParams { epochs: 2, ..short() });
        let integer = integers(&network.rounded).unwrap();
        for _ in 0..40 {
            let row: Vec<u32> = (0..84).map(|_| random.below(16) as u32).collect();
            let floats: Vec<f32> = row.iter().map(|q| *q as f32).collect();
            let mut values = Tensor::from_vec(floats, (1, 84), &Device::Cpu).unwrap();
            let trace = integer.trace(&row);
            for (layer, sums) in network.rounded.hidden.iter().zip(&trace.sums) {
                let z = layer.sums(&values, true).unwrap();
                let got: Vec<i64> =
                    z.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|z| *z as i64).collect();
                assert_eq!(&got, sums, "{architecture:?}");
                let staircase = layer.staircase(Statistics::Fixed(Arc::new(layer.running())), true);
                let out = z.apply_op3(&layer.log_gain, &layer.shift, staircase).unwrap();
                values = out.reshape((1, layer.shape.map.outputs())).unwrap();
            }
            let scores = network.rounded.scores.sums(&values, true).unwrap();
            let scores: Vec<i64> =
                scores.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|z| *z as i64).collect();
            assert_eq!(scores, trace.sums[trace.sums.len() - 1], "{architecture:?}");
            // The model differs by a step common to all scores, which centers them.
            let centered = network.model.scores(&row);
            assert!(centered.iter().zip(&scores).all(|(a, b)| a - b == centered[0] - scores[0]), "{architecture:?}");
        }
    }
}

#[test]
fn pooling_is_the_mean_of_neighbors() {
    let pooled = architecture(&[conv(2, [2, 2], 1, 1, 2)], &[], ActivationKind::Relu).layers(84, 4).unwrap();
    let plain = architecture(&[conv(2, [2, 2], 1, 1, 1)], &[], ActivationKind::Relu).layers(84, 4).unwrap();
    let mut random = Random::new(2);
    let weights: Vec<i32> = (0..16).map(|_| random.below(7) as i32 - 3).collect();
    let mut folded = vec![0; 2 * pooled[0].map.taps()];
    for (at, weight) in weights.iter().enumerate() {
        for place in &pooled[0].fold.as_ref().unwrap()[at % 8] {
            folded[at / 8 * pooled[0].map.taps() + *place as usize] += weight;
        }
    }
    let map = |shape, weights| fhectl_core::model::LinearMap { shape, weights, biases: vec![0; 2] };
    let image: Vec<i64> = (0..84).map(|_| random.below(16) as i64).collect();
    let fine = map(plain[0].map.clone(), weights).apply(&image);
    let coarse = map(pooled[0].map.clone(), folded).apply(&image);
    let ([_, width], [rows, columns]) = (plain[0].map.positions(), pooled[0].map.positions());
    assert_eq!((width, rows, columns), (7, 4, 3));
    for (y, x, f) in (0..rows).flat_map(|y| (0..columns).flat_map(move |x| (0..2).map(move |f| (y, x, f)))) {
        let at = |y: usize, x: usize| fine[(y * width + x) * 2 + f];
        let sum = at(2 * y, 2 * x) + at(2 * y, 2 * x + 1) + at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1);
        assert_eq!(coarse[(y * columns + x) * 2 + f], sum);
    }
}

#[test]
fn training_learns_and_holds_under_noise() {
    let data = corners(400);
    for (architecture, augment) in [
        (architecture(&[], &[8], ActivationKind::Tanh), None),
        (architecture(&[conv(4, [3, 3], 2, 0, 1)], &[], ActivationKind::Relu), Some(Augment::for_image(IMAGE))),
    ] {
        let mut epochs = Vec::new();
        let quantizer = fit_pixels(&data, 4).unwrap();
        let params = TrainingParams { epochs: 12, augment, ..short() };
        let mut network =
            train_network(&data, &quantizer, &architecture, &params, &mut |epoch| epochs.push(*epoch)).unwrap();
        assert_eq!(epochs.len(), 18);
        assert!(epochs.last().unwrap().loss < epochs[0].loss);
        let decoder = fhectl_core::bundle::ScoreDecoder::classes(data.classes.len(), Default::default());
        let simulated = |model: &IntegerNetwork| {
            let model = Model::Network(model.clone());
            let request = PlanRequest { circuit: Some(CircuitKind::Network), ..PlanRequest::default() };
            let chosen = plan(&model, &quantizer, data.output(), &request).unwrap().remove(0);
            match crate::train::simulated(&chosen.spec, &model, &quantizer, &data, &decoder).unwrap().unwrap().quality {
                crate::train::SimulatedQuality::Classes { accuracy, .. } => accuracy,
                other => panic!("{other:?}"),
            }
        };
        let under_noise = simulated(&network.model);
        assert!(under_noise >= 0.95, "{architecture:?}: {under_noise}");
        assert!(network.float.accuracy(&data, &quantizer).unwrap() >= 0.95);
        // Noise that is far beyond what was trained for ruins it: the simulation does add noise.
        let mut noisy = network.model.clone();
        noisy.layers.iter_mut().for_each(|layer| layer.noise = 0.4);
        assert!(simulated(&noisy) < 0.6);
        let wraps: usize = data.rows.iter().map(|row| network.model.wraps(&quantizer.quantize(row).unwrap())).sum();
        assert_eq!(wraps, 0);
    }
}

#[test]
fn the_same_command_trains_the_same_network_on_any_number_of_threads() {
    let architecture = architecture(&[conv(3, [3, 3], 2, 1, 1)], &[6], ActivationKind::Relu);
    let params = TrainingParams { augment: Some(Augment::for_image(IMAGE)), jitter: 0.5, ..short() };
    let on = |threads: usize, params: &TrainingParams| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained(&architecture, params).0.model)
    };
    let first = on(1, &params);
    assert_eq!(first, on(1, &params));
    assert_eq!(first, on(3, &params));
    assert_ne!(first, on(1, &TrainingParams { seed: 4, ..params.clone() }));
}

#[test]
fn patience_ends_training_and_the_best_epoch_stays() {
    let data = corners(200);
    let quantizer = fit_pixels(&data, 4).unwrap();
    let architecture = architecture(&[], &[4], ActivationKind::Relu);
    let params = TrainingParams { epochs: 400, patience: 2, ..short() };
    let mut epochs = Vec::new();
    let network = train_network(&data, &quantizer, &architecture, &params, &mut |epoch| epochs.push(*epoch)).unwrap();
    assert!(epochs.len() < 300, "{} epochs", epochs.len());
    assert_eq!(epochs.last().unwrap().best_accuracy, network.validation_accuracy);
}

#[test]
fn what_cannot_be_trained_is_named() {
    let data = corners(60);
    let quantizer = fit_pixels(&data, 4).unwrap();
    let good = architecture(&[], &[4], ActivationKind::Relu);
    let wrong = |code: &str, architecture: &Architecture, params: &TrainingParams| {
        let error = train_network(&data, &quantizer, architecture, params, &mut |_| ()).err().unwrap();
        assert_eq!(error.code.as_str(), code, "{error}");
        assert!(error.hint.is_some(), "{error}");
    };
    let with = |convs: &[ConvBlock]| architecture(convs, &[], ActivationKind::Relu);
    wrong("kernel_size", &with(&[conv(2, [8, 2], 1, 0, 1)]), &short());
    wrong("kernel_size", &with(&[conv(2, [3, 3], 2, 0, 4)]), &short());
    wrong("kernel_size", &with(&[conv(2, [3, 3], 2, 3, 1)]), &short());
    wrong("kernel_size", &with(&[conv(2, [7, 6], 1, 0, 1), conv(2, [2, 2], 1, 0, 1)]), &short());
    wrong("network_layers", &with(&[conv(2, [3, 3], 0, 0, 1)]), &short());
    wrong("network_layers", &architecture(&[], &[1 << 15], ActivationKind::Relu), &short());
    wrong("network_layers", &architecture(&[], &[4; 9], ActivationKind::Relu), &short());
    let image = ImageShape { height: 7, width: 7, channels: 2 };
    wrong("image_size", &Architecture { image: Some(image), ..good.clone() }, &short());
    wrong("image_missing", &Architecture { image: None, ..with(&[conv(2, [2, 2], 1, 0, 1)]) }, &short());
    wrong("activation_bits", &Architecture { activation_bits: 9, ..good.clone() }, &short());
    let tanh = Architecture { activation_bits: 1, ..architecture(&[], &[4], ActivationKind::Tanh) };
    wrong("activation_bits", &tanh, &short());
    wrong("weight_bits", &good, &TrainingParams { weight_bits: 1, ..short() });
    wrong("noise_range", &good, &TrainingParams { noise: 0.2, ..short() });
    wrong("noise_range", &good, &TrainingParams { score_noise: 0.0, ..short() });
    wrong("training_params", &good, &TrainingParams { epochs: 0, ..short() });
    wrong("training_params", &good, &TrainingParams { learning_rate: f64::NAN, ..short() });
    wrong("training_params", &good, &TrainingParams { batch_size: 1, ..short() });
    let few = data.select(&[0, 1, 2, 3]);
    let error = train_network(&few, &quantizer, &good, &short(), &mut |_| ()).err().unwrap();
    assert_eq!(error.code, ErrorCode::ValidationRows);
}

#[test]
fn constant_features_and_two_classes_are_no_trouble() {
    let mut data = corners(120);
    data.rows.iter_mut().for_each(|row| {
        row.truncate(30);
        row[4] = 3.0;
    });
    data.features.truncate(30);
    data.classes.truncate(2);
    data.labels.iter_mut().for_each(|label| *label %= 2);
    let quantizer = fit_affine(&data, 4).unwrap();
    assert!(matches!(quantizer.features[4], FeatureQuantizer::Affine { levels: 1, .. }));
    let architecture = Architecture { image: None, ..architecture(&[], &[5], ActivationKind::Relu) };
    let network = train_network(&data, &quantizer, &architecture, &short(), &mut |_| ()).unwrap();
    let first = &network.model.layers[0].map;
    assert!((0..5).all(|unit| first.of(unit)[4] == 0), "a constant feature has a weight");
    assert_eq!(network.model.layers[1].map.shape.outputs(), 2);
}

#[test]
fn saved_weights_are_those_of_the_model() {
    let (network, _) =
        trained(&architecture(&[], &[5], ActivationKind::Relu), &TrainingParams { epochs: 1, ..short() });
    let folder = tempfile::TempDir::new().unwrap();
    let files = network.save(folder.path()).unwrap();
    assert_eq!(files.len(), 3);
    let tensors = candle_core::safetensors::load(folder.path().join("integer.safetensors"), &Device::Cpu).unwrap();
    let weights = tensors["layers.0.weights"].to_vec2::<i64>().unwrap();
    let wanted: Vec<i64> = network.model.layers[0].map.of(2).iter().map(|w| i64::from(*w)).collect();
    assert_eq!(weights[2], wanted);
    let bytes = std::fs::read(&files[2]).unwrap();
    network.save(folder.path()).unwrap();
    assert_eq!(bytes, std::fs::read(&files[2]).unwrap());
    assert_eq!(network.save(&folder.path().join("no/such")).unwrap_err().code, ErrorCode::WeightsUnwritable);
}

#[test]
fn rescaling_changes_no_output() {
    let (mut network, _) =
        trained(&architecture(&[], &[6], ActivationKind::Relu), &TrainingParams { epochs: 1, ..short() });
    let inputs = Tensor::from_vec((0..84).map(|x| (x % 16) as f32).collect(), (1, 84), &Device::Cpu).unwrap();
    let mut out = || {
        let logits =
            network.float.forward(&inputs, &mut Pass { quantized: false, training: false, noise: None }).unwrap();
        let logits = logits.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        network.float.rescale().unwrap();
        logits
    };
    let (before, after) = (out(), out());
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-3), "{before:?} {after:?}");
}
