//! `create`: from data to a bundle.

mod common;
mod defaults;
mod layers;
mod logreg;
mod network;
mod tree;

use super::say;
use crate::bundle::{self, ClientSpec, Evaluation, FORMAT, Metrics, ServerSpec, check_name, folder};
use crate::circuit::CircuitSpec;
use crate::circuit::network::SCORE_PARTS;
use crate::circuit::plan::{Needs, PlanRequest};
use crate::data::{self, Dataset, Holdout};
use crate::error::{Error, Result};
use crate::fhe::noise::SECURITY_BITS;
use crate::model::{Model, Quantizer};
use crate::report::{card::card, facts::facts, progress, seconds};
use crate::train::{self, TrainedNetwork};
use clap::{Args, Subcommand};
use common::CommonArgs;
use network::NetworkKind;

/// Train, quantise and compile a model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl create tree                                    a spam filter on the built-in data
  fhectl create tree --data mails.csv --target spam --max-depth 8 --name mails
  fhectl create logreg --data iris                      three classes: multinomial
  fhectl create tree --circuit leaf-sum --name tree-spam-leaf-sum
  fhectl create qnn                                     a small quantised network on iris
  fhectl create mlp --hidden 48 --epochs 30             one hidden layer on mnist
  fhectl create cnn --data digits --conv 10@4x4/2       convolutions, here on 8x8 images")]
pub struct CreateArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// A decision tree (linfa-trees), by default on `spam`
    Tree(tree::TreeArgs),
    /// Logistic regression (linfa-logistic), binary or multinomial, by default on `synthetic`
    Logreg(logreg::LogregArgs),
    /// A small quantised neural network of dense layers, by default on `iris`
    Qnn(network::DenseArgs),
    /// A quantised multi-layer perceptron, by default on `mnist`
    Mlp(network::DenseArgs),
    /// A quantised convolutional network, by default on `mnist`
    Cnn(network::CnnArgs),
}

/// A model that was trained and has a circuit.
struct Trained {
    model: Model,
    quantizer: Quantizer,
    /// The circuits that fit, the chosen one first.
    plans: Vec<Needs>,
    float_accuracy: f64,
    score_scale: Option<f64>,
    options: String,
    /// What a network's training left beside the model.
    network: Option<NetworkExtras>,
}

/// What a network has beside what every model has.
struct NetworkExtras {
    trained: TrainedNetwork,
    save_weights: bool,
}

pub fn run(args: CreateArgs) -> Result<()> {
    match &args.kind {
        Kind::Tree(tree) => {
            create("tree", "spam", 0.15, &tree.common, |train, test, request, _| tree.train(train, test, request))
        }
        Kind::Logreg(logreg) => create("logreg", "synthetic", 0.15, &logreg.common, |train, test, request, _| {
            logreg.train(train, test, request)
        }),
        Kind::Qnn(args) => network(NetworkKind::Qnn, &args.network, None),
        Kind::Mlp(args) => network(NetworkKind::Mlp, &args.network, None),
        Kind::Cnn(args) => network(NetworkKind::Cnn, &args.network, args.conv.as_ref()),
    }
}

fn network(kind: NetworkKind, args: &network::NetworkArgs, convs: Option<&layers::Convs>) -> Result<()> {
    create(kind.name(), kind.data(), 0.25, &args.common, |train, test, request, tell| {
        args.train(kind, convs, train, test, request, tell)
    })
}

fn create(
    kind: &str,
    default_data: &str,
    default_test_size: f64,
    args: &CommonArgs,
    train: impl FnOnce(&Dataset, &Dataset, &PlanRequest, &dyn Fn(String)) -> Result<Trained>,
) -> Result<()> {
    let source = args.data.as_deref().unwrap_or(default_data);
    let test_size = args.test_size.unwrap_or(default_test_size);
    let holdout = match &args.test_data {
        Some(path) => Holdout::File(path),
        None => Holdout::Share { test_size, seed: args.seed },
    };
    let (train_rows, test_rows) = data::load_split(source, &args.datasets, args.target.as_deref(), holdout)?;
    let name = args.name.clone().unwrap_or_else(|| format!("{kind}-{}", clean(&train_rows.name)));
    check_name(&name)?;
    let path = args.out.join(&name);
    folder::check_free(&path, args.force)?;

    let request = PlanRequest {
        circuit: args.circuit.kind(),
        reveal: args.reveal.into(),
        p_fail_log2: args.p_fail,
        ..PlanRequest::default()
    };
    let work =
        progress::spinner(format!("training on {} rows of {} features", train_rows.len(), train_rows.features.len()));
    let trained = train(&train_rows, &test_rows, &request, &|message| work.set_message(message))?;
    let quantized_accuracy = train::accuracy(&trained.model, &trained.quantizer, &test_rows)?;
    work.finish_and_clear();

    let chosen = trained.plans.first().ok_or_else(|| {
        Error::user("circuit_unfit", "no circuit runs this kind of model").hint("choose another kind of model")
    })?;
    let simulated = train::simulated(&chosen.spec, &trained.model, &trained.quantizer, &test_rows)?;
    let built_in = data::BUILT_IN.contains(&source) && args.test_data.is_none();
    let spec = ClientSpec {
        format: FORMAT,
        name: name.clone(),
        kind: kind.to_owned(),
        features: train_rows.features.clone(),
        target: train_rows.target.clone(),
        classes: train_rows.classes.clone(),
        quantizer: trained.quantizer,
        circuit: chosen.spec.clone(),
        reveal: args.reveal.into(),
        // Rounded up: to all their digits they are functions of the model, and this half of the bundle is public.
        p_fail_log2: chosen.guarantees.p_fail_log2.map(f64::ceil),
        flooding_log2: chosen.guarantees.flooding_log2.map(f64::ceil),
        security_bits: SECURITY_BITS,
        score_scale: trained.score_scale.map(|scale| match chosen.spec {
            CircuitSpec::Network(_) => scale / SCORE_PARTS as f64,
            _ => scale,
        }),
        evaluation: built_in.then(|| Evaluation { data: source.to_owned(), test_size, seed: args.seed }),
    };
    let metrics = Metrics {
        train_rows: train_rows.len(),
        test_rows: test_rows.len(),
        float_accuracy: trained.float_accuracy,
        quantized_accuracy,
        simulated_accuracy: simulated.map(|simulated| simulated.accuracy),
    };
    let salt = train_rows.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let server = ServerSpec { format: FORMAT, salt, model: trained.model, metrics };
    let (client_zip, server_zip) = bundle::pack(&spec, &server)?;
    let card = card(&spec, &server, &format!("`{}`", train_rows.name), &trained.options);
    folder::write(&path, &client_zip, &server_zip, &card, args.force)?;
    let weights = match &trained.network {
        Some(network) if network.save_weights => network.trained.save(&path)?,
        _ => Vec::new(),
    };

    say!("float accuracy: {:.4}", metrics.float_accuracy);
    say!("quantised accuracy: {:.4}", metrics.quantized_accuracy);
    if let Some(simulated) = &simulated {
        say!("simulated accuracy, with the noise of encryption: {:.4}", simulated.accuracy);
        say!("sums outside their circle: {} over all test rows", simulated.wraps);
    }
    say!("test rows: {}", metrics.test_rows);
    for (label, value) in facts(&spec) {
        say!("{label}: {value}");
    }
    for (index, needs) in trained.plans.iter().enumerate() {
        let mark = if index == 0 { "chosen" } else { "possible" };
        say!(
            "{mark}: {} at an estimated {} of compute on 2 cores, key {}, request {}, response {}",
            needs.spec.kind(),
            seconds(needs.seconds(2)),
            crate::report::bytes(needs.spec.key_bytes()),
            crate::report::bytes(needs.spec.request_bytes()),
            crate::report::bytes(needs.spec.response_bytes())
        );
    }
    say!("written: {}", path.display());
    for file in weights {
        say!("weights: {}", file.display());
    }
    Ok(())
}

/// A file's stem as part of a model's name.
fn clean(stem: &str) -> String {
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}
