//! `create`: from data to a bundle.

use super::say;
use super::units::{CircuitChoice, RevealChoice, parse_probability};
use crate::bundle::{self, ClientSpec, Evaluation, FORMAT, Metrics, ServerSpec, check_name, folder};
use crate::circuit::plan::{Needs, PlanRequest, plan};
use crate::data::{self, Dataset, Holdout};
use crate::error::{Error, Result};
use crate::fhe::noise::SECURITY_BITS;
use crate::model::{Model, Quantizer};
use crate::report::{card::card, facts::facts, progress, seconds};
use crate::train::{self, FloatLinear, LogregParams, TreeParams};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Train, quantise and compile a model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl create tree                                    a spam filter on the built-in data
  fhectl create tree --data mails.csv --target spam --max-depth 8 --name mails
  fhectl create logreg --data iris                      three classes: multinomial
  fhectl create tree --circuit leaf-sum --name tree-spam-leaf-sum")]
pub struct CreateArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// A decision tree (linfa-trees), by default on `spam`
    Tree(TreeArgs),
    /// Logistic regression (linfa-logistic), binary or multinomial, by default on `synthetic`
    Logreg(LogregArgs),
}

#[derive(Debug, Args)]
struct TreeArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Bits a feature is quantised to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// The most splits on a path [default: 6]
    #[arg(long, env = "FHECTL_MAX_DEPTH")]
    max_depth: Option<usize>,
    /// The fewest training rows of a leaf [default: one in 230 of them, or 1 where --max-depth is given]
    #[arg(long, env = "FHECTL_MIN_LEAF")]
    min_leaf: Option<usize>,
    /// The most distinct features on a path: they, not the splits, are what a path costs leaf-sum
    /// [default: 5, or no limit where --max-depth is given]
    #[arg(long, env = "FHECTL_PATH_FEATURES", value_name = "N")]
    path_features: Option<usize>,
}

#[derive(Debug, Args)]
struct LogregArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Bits a feature is quantised to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// Strength of the L2 penalty (1 / C)
    #[arg(long, env = "FHECTL_ALPHA", default_value_t = 1.0)]
    alpha: f64,
    /// The most iterations of the solver
    #[arg(long, env = "FHECTL_MAX_ITERATIONS", default_value_t = 1000)]
    max_iterations: u64,
}

/// Flags of every kind.
#[derive(Debug, Args)]
struct CommonArgs {
    /// A CSV file (.csv, .csv.gz) or a built-in set: spam, iris, digits, mnist, synthetic
    #[arg(long, env = "FHECTL_DATA", value_name = "PATH|NAME")]
    data: Option<String>,
    /// The column to predict [default: the last]
    #[arg(long, env = "FHECTL_TARGET", value_name = "COLUMN")]
    target: Option<String>,
    /// Test rows from a file of their own instead of a share of the data
    #[arg(long, env = "FHECTL_TEST_DATA", value_name = "PATH")]
    test_data: Option<PathBuf>,
    /// The share of rows kept for the test
    #[arg(long, env = "FHECTL_TEST_SIZE", default_value_t = 0.15)]
    test_size: f64,
    /// Seed of the split; keys and masks never depend on it
    #[arg(long, env = "FHECTL_SEED", default_value_t = 42)]
    seed: u64,
    /// The model's name [default: KIND-DATA]
    #[arg(long, env = "FHECTL_NAME")]
    name: Option<String>,
    /// The folder that models are written to
    #[arg(long, env = "FHECTL_OUT", default_value = "compiled_model", value_name = "DIR")]
    out: PathBuf,
    /// The folder of the built-in data sets
    #[arg(long, env = "FHECTL_DATASETS", default_value = "datasets", value_name = "DIR")]
    datasets: PathBuf,
    /// The chance that an encrypted inference differs from the clear integer model
    #[arg(long, env = "FHECTL_P_FAIL", default_value = "2^-128", value_parser = parse_probability)]
    p_fail: f64,
    /// How the model runs on ciphertexts
    #[arg(long, env = "FHECTL_CIRCUIT", value_enum, default_value = "auto")]
    circuit: CircuitChoice,
    /// What a client may learn of the model beyond its answers
    #[arg(long, env = "FHECTL_REVEAL", value_enum, default_value = "size")]
    reveal: RevealChoice,
    /// Overwrite a model that is there
    #[arg(long, env = "FHECTL_FORCE")]
    force: bool,
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
}

pub fn run(args: CreateArgs) -> Result<()> {
    match &args.kind {
        Kind::Tree(tree) => {
            create("tree", "spam", &tree.common, |train, test, request| tree.train(train, test, request))
        }
        Kind::Logreg(logreg) => {
            create("logreg", "synthetic", &logreg.common, |train, test, request| logreg.train(train, test, request))
        }
    }
}

impl TreeArgs {
    /// A tree that is cheap to encrypt, unless a depth is asked for: then nothing else limits it unasked.
    fn params(&self, rows: usize) -> TreeParams {
        let cheap = self.max_depth.is_none();
        let max_depth = self.max_depth.unwrap_or(6);
        TreeParams {
            max_depth,
            min_leaf: self.min_leaf.unwrap_or(if cheap { ((rows + 115) / 230).max(1) } else { 1 }),
            path_features: self.path_features.unwrap_or(if cheap { 5 } else { max_depth }),
        }
    }

    fn train(&self, train: &Dataset, test: &Dataset, request: &PlanRequest) -> Result<Trained> {
        let params = self.params(train.len());
        let quantizer = train::fit_edges(train, self.bits)?;
        let model = Model::Tree(train::train_tree(train, &quantizer, &params)?);
        let plans = plan(&model, &quantizer, train.classes.len(), request)?;
        Ok(Trained {
            model,
            quantizer,
            plans,
            float_accuracy: train::float_tree_accuracy(train, test, &params)?,
            score_scale: None,
            options: format!(
                "{} bits a feature, depth at most {}, leaves of at least {} rows, at most {} features a path",
                self.bits, params.max_depth, params.min_leaf, params.path_features
            ),
        })
    }
}

impl LogregArgs {
    fn train(&self, train: &Dataset, test: &Dataset, request: &PlanRequest) -> Result<Trained> {
        let params = LogregParams { alpha: self.alpha, max_iterations: self.max_iterations };
        let quantizer = train::fit_affine(train, self.bits)?;
        let float = train::train_logreg(train, &quantizer, &params)?;
        let (model, scale, weight_bits, plans) = finest(&float, &quantizer, train.classes.len(), request)?;
        Ok(Trained {
            model,
            quantizer,
            plans,
            float_accuracy: train::float_logreg(train, &params)?.accuracy(test),
            score_scale: Some(scale),
            options: format!("{} bits a feature, {weight_bits} bits a weight, L2 penalty {}", self.bits, self.alpha),
        })
    }
}

/// The finest integer weights that still leave room for the noise that hides them.
fn finest(
    float: &FloatLinear,
    quantizer: &Quantizer,
    classes: usize,
    request: &PlanRequest,
) -> Result<(Model, f64, u32, Vec<Needs>)> {
    /// Beyond ten bits nothing is gained; below four the model is no longer the trained one.
    const WEIGHT_BITS: std::ops::RangeInclusive<u32> = 4..=10;
    let mut refused = None;
    for weight_bits in WEIGHT_BITS.rev() {
        let linear = float.to_integer(weight_bits)?;
        let scale = linear.scale;
        let model = Model::Linear(linear);
        match plan(&model, quantizer, classes, request) {
            Ok(plans) => return Ok((model, scale, weight_bits, plans)),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::fault("no_parameters", "no weight sizes were tried")))
}

fn create(
    kind: &str,
    default_data: &str,
    args: &CommonArgs,
    train: impl FnOnce(&Dataset, &Dataset, &PlanRequest) -> Result<Trained>,
) -> Result<()> {
    let source = args.data.as_deref().unwrap_or(default_data);
    let holdout = match &args.test_data {
        Some(path) => Holdout::File(path),
        None => Holdout::Share { test_size: args.test_size, seed: args.seed },
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
    let trained = train(&train_rows, &test_rows, &request)?;
    let quantized_accuracy = train::accuracy(&trained.model, &trained.quantizer, &test_rows)?;
    work.finish_and_clear();

    let chosen = &trained.plans[0];
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
        score_scale: trained.score_scale,
        evaluation: built_in.then(|| Evaluation {
            data: source.to_owned(),
            test_size: args.test_size,
            seed: args.seed,
        }),
    };
    let metrics = Metrics {
        train_rows: train_rows.len(),
        test_rows: test_rows.len(),
        float_accuracy: trained.float_accuracy,
        quantized_accuracy,
        simulated_accuracy: None,
    };
    let salt = train_rows.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let server = ServerSpec { format: FORMAT, salt, model: trained.model, metrics };
    let (client_zip, server_zip) = bundle::pack(&spec, &server)?;
    let card = card(&spec, &server, &format!("`{}`", train_rows.name), &trained.options);
    folder::write(&path, &client_zip, &server_zip, &card, args.force)?;

    say!("float accuracy: {:.4}", metrics.float_accuracy);
    say!("quantised accuracy: {:.4}", metrics.quantized_accuracy);
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
    Ok(())
}

/// A file's stem as part of a model's name.
fn clean(stem: &str) -> String {
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}
