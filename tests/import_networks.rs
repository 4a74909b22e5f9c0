//! Networks of scikit-learn and PyTorch: floats against the library's own outputs, integers against floats, encrypted
//! against clear. `scripts/make_torch_fixtures.py` makes the files.

mod common;

use fhectl_core::error::ErrorCode;
use fhectl_core::model::Output;
use fhectl_train::import::network::{FloatGraph, Lowered, lower};
use fhectl_train::import::onnx::Graph;
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
    /// What the network's scores stand for.
    fn decoder(&self) -> ScoreDecoder {
        ScoreDecoder { scale: Some(1.0), ..ScoreDecoder::classes(self.output.classes(), ScoreUnit::Logit) }
    }

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
            lowered: lower(&Graph::read(&bytes).unwrap()).unwrap(),
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
fn centered(outputs: &[f64], output: Output) -> Vec<f64> {
    let mean = if output.margins() > 1 { outputs.iter().sum::<f64>() / outputs.len() as f64 } else { 0.0 };
    outputs.iter().map(|value| value - mean).collect()
}

#[test]
fn floats_are_the_librarys() {
    for (name, output) in ALL {
        let fixture = Fixture::read(name, output);
        assert_eq!(fixture.lowered.output, output, "{name}");
        let graph: &FloatGraph = &fixture.lowered.graph;
        for (row, wanted) in fixture.rows.iter().zip(&fixture.outputs) {
            let (got, wanted) = (centered(&graph.evaluate(row), output), centered(wanted, output));
            assert_eq!(got.len(), wanted.len(), "{name}");
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!((got - wanted).abs() < 1e-4 * (1.0 + wanted.abs()), "{name}: {got} for {wanted}");
            }
        }
        let widths: Vec<usize> = graph.blocks.iter().map(|block| block.rows.len()).collect();
        println!("{name}: {} rows of {} values, activations {widths:?}", fixture.rows.len(), graph.inputs);
    }
}

use fhectl_core::bundle::{ScoreDecoder, ScoreUnit};
use fhectl_core::circuit::plan::{PLANNED_CORES, PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, CircuitSpec, ClientKey, Evaluator, decode, encode};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::model::{Model, class_of_scores};
use fhectl_train::data::Dataset;
use fhectl_train::import::Agreement;
use fhectl_train::import::network::{CompileRequest, Compiled, Fixed, PtqParams, QuantizedNetwork, compile, quantize};
use fhectl_train::train::{ActivationKind, Architecture, ConvBlock, Fit, TrainingParams, fit_pixels, train_network};
use std::ops::ControlFlow;

impl Fixture {
    /// The first third of the rows, as a table.
    fn calibration(&self) -> Dataset {
        let count = self.rows.len() / 3;
        let classes = self.output.classes();
        Dataset {
            name: "calibration".into(),
            target: "target".into(),
            features: (0..self.rows[0].len()).map(|index| format!("x{index}")).collect(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
            rows: self.rows[..count].to_vec(),
            labels: self.targets[..count].iter().map(|label| *label as u32).filter(|_| classes > 0).collect(),
            values: self.targets[..count].iter().copied().filter(|_| classes == 0).collect(),
            input: None,
            image: None,
        }
    }

    fn quantized(&self) -> QuantizedNetwork {
        quantize(&self.lowered, &self.calibration(), &PtqParams::default()).unwrap()
    }

    /// Rows that were not seen, with what the original answers and what is wanted.
    fn test_rows(&self) -> impl Iterator<Item = (&Vec<f64>, &Vec<f64>, f64)> {
        let from = self.rows.len() / 3;
        let rows = self.rows[from..].iter().zip(&self.outputs[from..]).zip(&self.targets[from..]);
        rows.map(|((row, output), target)| (row, output, *target))
    }
}

/// The original's class: the largest score, or the sign of a margin.
fn class(outputs: &[f64]) -> usize {
    match outputs {
        [margin] => usize::from(*margin > 0.0),
        _ => (0..outputs.len()).fold(0, |best, class| if outputs[class] > outputs[best] { class } else { best }),
    }
}

fn planned(fixture: &Fixture, quantized: &QuantizedNetwork) -> CircuitSpec {
    let request = PlanRequest { circuit: Some(CircuitKind::Network), ..PlanRequest::default() };
    let model = Model::Network(quantized.network.clone());
    let chosen = plan(&model, &quantized.quantizer, fixture.output, &request).unwrap().remove(0);
    println!("  {:.0} ms of one core, key {} kB", chosen.core_seconds * 1e3, chosen.spec.key_bytes() / 1000);
    chosen.spec
}

#[test]
fn integers_agree_with_floats_and_noise_with_integers() {
    for (name, output) in ALL {
        let fixture = Fixture::read(name, output);
        let quantized = fixture.quantized();
        let network = &quantized.network;
        let spec = planned(&fixture, &quantized);
        let simulator = spec.simulator(&Model::Network(network.clone())).unwrap().unwrap();
        let value = |score: f64| score * quantized.score_scale + quantized.score_offset;
        let (mut same, mut simulated, mut wraps, mut count) = (0, 0, 0, 0);
        let (mut wanted, mut floats, mut integers, mut noisy) = (vec![], vec![], vec![], vec![]);
        for (index, (row, original, target)) in fixture.test_rows().enumerate() {
            let row = quantized.quantizer.quantize(row).unwrap();
            let (clear, drawn) = (network.scores(&row), simulator.scores(&row, index as u64));
            count += 1;
            wraps += network.wraps(&row);
            same += usize::from(class_of_scores(&clear) == class(original));
            simulated += usize::from(class_of_scores(&clear) == class_of_scores(&drawn));
            wanted.push(target);
            floats.push(original[0]);
            integers.push(value(clear[0] as f64));
            noisy.push(value(drawn[0] as f64));
        }
        let widths: Vec<usize> = network.layers.iter().map(|layer| layer.map.shape.outputs()).collect();
        let norms: Vec<u64> = network
            .layers
            .iter()
            .map(|layer| layer.map.squared_norms().into_iter().fold(0.0, f64::max).sqrt() as u64)
            .collect();
        let moduli: Vec<u64> = network.layers.iter().map(|layer| layer.plaintext_modulus).collect();
        println!("{name}: widths {widths:?}, norms {norms:?}, moduli {moduli:?}, {wraps} wraps");
        if output == Output::Value {
            let fit = |predicted: &[f64]| Fit::of(predicted, &wanted).r2;
            println!("  R2 {:.4}, {:.4} in integers, {:.4} with noise", fit(&floats), fit(&integers), fit(&noisy));
            assert!(fit(&integers) > fit(&floats) - 0.03, "{name}");
            assert!(fit(&noisy) > fit(&integers) - 0.01, "{name}");
        } else {
            println!("  {same} of {count} as the original's, {simulated} with noise as without");
            assert!(same as f64 >= 0.98 * count as f64, "{name}: {same} of {count}");
            assert!(simulated as f64 >= 0.99 * count as f64, "{name}: {simulated} of {count}");
        }
    }
}

#[test]
fn written_scores_of_imported_networks_do_not_give_the_key() {
    let mut random = common::random(12);
    for (name, output) in ALL {
        let fixture = Fixture::read(name, output);
        let CircuitSpec::Network(params) = planned(&fixture, &fixture.quantized()) else { panic!("{name}") };
        common::recovery::assert_key_stays(name, &params, &mut random);
    }
}

#[test]
fn encrypted_answers_are_the_clear_ones() {
    for (name, output, count) in [
        ("sklearn_mlp_iris", Output::Classes(3), 12),
        ("sklearn_mlp_binary", Output::Classes(2), 12),
        ("sklearn_mlp_diabetes", Output::Value, 12),
        ("torch_residual", Output::Classes(10), 3),
    ] {
        let fixture = Fixture::read(name, output);
        let quantized = fixture.quantized();
        let spec = planned(&fixture, &quantized);
        let model = Model::Network(quantized.network.clone());
        spec.check(&quantized.quantizer, output).unwrap();
        let evaluator = Evaluator::new(&spec, &model, &quantized.quantizer).unwrap();
        let key = ClientKey::generate(&spec, &mut OsEntropy);
        let mut server = Random::fresh(&mut OsEntropy);
        let unpacked = evaluator.unpack_key(&key.evaluation_key(&spec, &mut OsEntropy), &mut server).unwrap();
        let rows: Vec<Vec<u32>> =
            fixture.test_rows().take(count).map(|(row, _, _)| quantized.quantizer.quantize(row).unwrap()).collect();
        let requests: Vec<Vec<u8>> =
            rows.iter().map(|row| encode(&spec, &quantized.quantizer, &key, row, &mut OsEntropy)).collect();
        let requests: Vec<&[u8]> = requests.iter().map(Vec::as_slice).collect();
        let answers = evaluator.evaluate(&unpacked, &requests, &mut server).unwrap();
        let modulus = quantized.network.layers.last().unwrap().plaintext_modulus as f64;
        let mut same = 0;
        for (row, answer) in rows.iter().zip(&answers) {
            let (got, clear) = (decode(&spec, &key, answer).unwrap(), model.scores(row));
            for (got, clear) in got.values().iter().zip(&clear) {
                let off = (*got - *clear) as f64 / modulus;
                assert!(off.abs() < 0.05, "{name}: off by {off} turns");
            }
            same += usize::from(got.class() == class_of_scores(&clear));
        }
        println!("{name}: {same} of {count} encrypted as clear");
        // One row may lie where noise decides.
        assert!(output == Output::Value || same + 1 >= count, "{name}: {same} of {count}");
    }
}

#[test]
fn the_same_rows_give_the_same_network() {
    let fixture = Fixture::read("torch_residual", Output::Classes(10));
    assert_eq!(fixture.quantized(), fixture.quantized());
    let shorter = Dataset { features: vec!["x".into(); 3], ..fixture.calibration() };
    assert_eq!(quantize(&fixture.lowered, &shorter, &PtqParams::default()).unwrap_err().code, ErrorCode::OnnxInputs);
    for (wrong, code) in [
        (PtqParams { activation_bits: 0, ..PtqParams::default() }, "activation_bits"),
        (PtqParams { weight_bits: 40, ..PtqParams::default() }, "weight_bits"),
        (PtqParams { percentile: f64::NAN, ..PtqParams::default() }, "percentile_range"),
        (PtqParams { noise: 0.0, ..PtqParams::default() }, "noise_range"),
    ] {
        assert_eq!(quantize(&fixture.lowered, &fixture.calibration(), &wrong).unwrap_err().code.as_str(), code);
    }
}

impl Fixture {
    /// Two thirds of the rows to calibrate with.
    fn most_rows(&self) -> Dataset {
        let count = self.rows.len() * 2 / 3;
        let few = self.calibration();
        Dataset {
            rows: self.rows[..count].to_vec(),
            labels: self.targets[..count].iter().map(|t| *t as u32).filter(|_| !few.classes.is_empty()).collect(),
            values: self.targets[..count].iter().copied().filter(|_| few.classes.is_empty()).collect(),
            ..few
        }
    }

    fn compiled(&self, rows: &Dataset, fixed: Fixed, tuning_seconds: Option<f64>) -> Compiled {
        let request = CompileRequest {
            lowered: &self.lowered,
            rows,
            decoder: &self.decoder(),
            fixed,
            plan: &PlanRequest::default(),
            tuning_seconds,
            seed: 42,
        };
        compile(&request, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    /// How far it agrees with the original on the last third of the rows, with the noise of encryption.
    fn agreement(&self, compiled: &Compiled) -> Agreement {
        self.agreement_from(compiled, self.rows.len() * 2 / 3)
    }

    /// The same, on rows from this one on, each under noise of its own several times.
    fn agreement_from(&self, compiled: &Compiled, from: usize) -> Agreement {
        const DRAWS: usize = 8;
        let (quantized, rows) = (&compiled.quantized, &self.rows[from..]);
        let model = Model::Network(quantized.network.clone());
        let simulator = compiled.plans[0].spec.simulator(&model).unwrap();
        let scores = |draw: usize| {
            let row = quantized.quantizer.quantize(&rows[draw % rows.len()]).unwrap();
            let scores = simulator.as_ref().map_or_else(|| model.scores(&row), |noisy| noisy.scores(&row, draw as u64));
            scores.iter().map(|score| *score as f64 * quantized.score_scale + quantized.score_offset).collect()
        };
        let ours: Vec<Vec<f64>> = (0..DRAWS * rows.len()).map(scores).collect();
        let originals: Vec<Vec<f64>> = self.outputs[from..].iter().cycle().take(ours.len()).cloned().collect();
        Agreement::of(&self.decoder(), &originals, &ours, true)
    }
}

/// Predicted seconds of a network of this shape that is trained here; how long it was trained changes nothing of that.
fn trained_here(rows: &Dataset, architecture: &Architecture) -> f64 {
    let quantizer = fit_pixels(rows, 4).unwrap();
    let params = TrainingParams { epochs: 1, first_norm: 22.0, batch_size: 32, ..TrainingParams::default() };
    let trained = train_network(rows, &quantizer, architecture, &params, &mut |_| ()).unwrap();
    let request = PlanRequest { circuit: Some(CircuitKind::Network), ..PlanRequest::default() };
    plan(&Model::Network(trained.model), &quantizer, rows.output(), &request).unwrap()[0].seconds(PLANNED_CORES)
}

#[test]
fn imported_networks_cost_about_what_trained_ones_do_and_agree_with_their_originals() {
    let dense = |hidden: &[usize]| Architecture {
        image: None,
        convs: Vec::new(),
        hidden: hidden.to_vec(),
        activation: ActivationKind::Tanh,
        activation_bits: 3,
    };
    let image = fhectl_train::data::ImageShape { height: 8, width: 8, channels: 1 };
    let block = ConvBlock { filters: 6, kernel: [3, 3], stride: 1, padding: 1, pool: 1 };
    let conv = Architecture { image: Some(image), convs: vec![block], ..dense(&[]) };
    for (name, output, architecture) in [
        ("sklearn_mlp_digits", Output::Classes(10), dense(&[32])),
        ("torch_mlp_tanh", Output::Classes(10), dense(&[24])),
        ("torch_branches", Output::Classes(10), dense(&[24])),
        ("torch_cnn", Output::Classes(10), conv),
    ] {
        let fixture = Fixture::read(name, output);
        let rows = fixture.most_rows();
        let (compiled, limit) =
            (fixture.compiled(&rows, Fixed::default(), Some(20.0)), trained_here(&rows, &architecture));
        let (agreement, seconds) = (fixture.agreement(&compiled), compiled.seconds());
        println!("{name}: {seconds:.3} s, trained here {limit:.3} s; {agreement}; tuned {}", compiled.tuned);
        assert!(compiled.holds, "{name}: {}", compiled.agreement);
        assert!(seconds <= 1.3 * limit, "{name}: {seconds} s, trained here {limit} s");
        assert!(agreement.share() >= 0.98, "{name}: {agreement}");
    }
    for (name, output) in [("sklearn_mlp_binary", Output::Classes(2)), ("sklearn_mlp_diabetes", Output::Value)] {
        let fixture = Fixture::read(name, output);
        let compiled = fixture.compiled(&fixture.most_rows(), Fixed::default(), None);
        let agreement = fixture.agreement(&compiled);
        println!("{name}: {:.3} s; {agreement}", compiled.seconds());
        assert!(agreement.share() >= 0.98, "{name}: {agreement}");
        assert!(compiled.seconds() < 0.1, "{name}: {} s", compiled.seconds());
    }
}

#[test]
fn a_network_of_images_that_pools_costs_as_little_as_one_that_is_trained_here() {
    let fixture = Fixture::read("torch_cnn", Output::Classes(10));
    let datasets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let mut rows = fhectl_train::data::load("digits", &datasets, None, None).unwrap();
    let others = (0..rows.len()).filter(|at| !fixture.rows.contains(&rows.rows[*at])).collect::<Vec<_>>();
    rows = rows.select(&others);
    assert!(rows.len() > 1000 && rows.len() < 1400, "{}", rows.len());
    let compiled = fixture.compiled(&rows, Fixed::default(), Some(120.0));
    let (seconds, key) = (compiled.seconds(), compiled.plans[0].spec.key_bytes() as f64 / 1e6);
    // None of these rows has been seen by the original or by what was made of it.
    let agreement = fixture.agreement_from(&compiled, 0);
    println!("{seconds:.3} s, keys of {key:.1} MB; {agreement}; here {}", compiled.agreement);
    assert!(compiled.averages && compiled.tuned && compiled.holds);
    assert!(seconds <= 0.3 && key <= 12.0, "{seconds} s, {key} MB");
    assert!(agreement.share() >= 0.98, "{agreement}");
}

#[test]
fn what_is_asked_for_stays_and_more_bits_lose_nothing() {
    let fixture = Fixture::read("sklearn_mlp_binary", Output::Classes(2));
    let rows = fixture.most_rows();
    let asked = Fixed { weight_bits: Some(6), noise: Some(0.004), bits: Some(7), ..Fixed::default() };
    let params = fixture.compiled(&rows, asked, None).params;
    assert_eq!((params.weight_bits, params.noise, params.bits), (6, 0.004, 7));
    let share = |bits| {
        let compiled = fixture.compiled(&rows, Fixed { bits: Some(bits), ..Fixed::default() }, None);
        fixture.agreement(&compiled).share()
    };
    let shares: Vec<f64> = [8, 12, 16].map(share).to_vec();
    // A row more or less is noise.
    assert!(shares.windows(2).all(|pair| pair[1] >= pair[0] - 0.012), "{shares:?}");
}

#[test]
fn the_same_request_gives_the_same_network_and_fine_tuning_never_loses() {
    let fixture = Fixture::read("torch_cnn_maxpool", Output::Classes(10));
    let rows = fixture.most_rows();
    let plain = fixture.compiled(&rows, Fixed::default(), None);
    let tuned = fixture.compiled(&rows, Fixed::default(), Some(10.0));
    println!(
        "{:.3} s, tuned {:.3} s ({}), averaged {:?}",
        plain.seconds(),
        tuned.seconds(),
        tuned.tuned,
        tuned.averaged
    );
    assert!(tuned.holds || !plain.holds);
    assert!(!tuned.tuned || !plain.holds || tuned.seconds() <= plain.seconds());
    assert!(plain.averaged.is_some_and(|offer| offer.seconds < plain.seconds()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = pool.install(|| fixture.compiled(&rows, Fixed::default(), Some(10.0)));
    assert_eq!(again.quantized, tuned.quantized);
}

#[test]
fn weights_beside_the_model_are_read() {
    let own = fhectl_train::import::read_file(&path("torch_mlp_tanh_dynamo.onnx")).unwrap();
    let beside = fhectl_train::import::read_file(&path("torch_external.onnx")).unwrap();
    assert_eq!(own.model, beside.model);
    let bytes = std::fs::read(path("torch_external.onnx")).unwrap();
    let error = fhectl_train::import::read(&bytes, "torch_external.onnx").unwrap_err();
    assert_eq!(error.code, ErrorCode::OnnxUnsupported);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(path("torch_external.onnx"), elsewhere.path().join("m.onnx")).unwrap();
    let error = fhectl_train::import::read_file(&elsewhere.path().join("m.onnx")).unwrap_err();
    assert!(error.code == ErrorCode::ImportRead && error.message.contains("torch_external.onnx.data"), "{error}");
}
