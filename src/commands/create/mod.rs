//! `create`: from data to a bundle.

mod boost;
mod class_weight;
mod common;
mod compiled_model;
mod defaults;
mod finest;
mod forest;
mod glm;
mod import;
mod import_agreement;
mod import_circuit;
mod import_network;
mod import_rows;
mod knn;
mod layers;
mod linear_classifier;
mod linear_grid;
mod linreg;
mod measured;
mod network;
mod network_kind;
mod publish;
mod summary;
mod tree;
mod trees;

use crate::report::{note, print_line, progress};
use clap::{Args, Subcommand};
use common::{CommonArgs, Grain, clean};
use compiled_model::CompiledModel;
use fhectl_core::bundle::{Evaluation, check_name, folder};
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, InputSchema, feature_names};
use fhectl_train::data::{self, Dataset, Holdout, Loaded, Source, Task};
use fhectl_train::train::{Encoding, EncodingStyle};
use linear_classifier::{LinearClassifierArgs, LinearKind};
use measured::quantized_score;
use network_kind::NetworkKind;
use publish::{Origin, Rounded, publish};
use std::path::PathBuf;

/// Train, quantize and compile a model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl create tree                                    a spam filter on the built-in data
  fhectl create tree --data mails.csv --target spam --max-depth 8 --name mails
  fhectl create logreg --data iris                      three classes: multinomial
  fhectl create tree --circuit leaf-sum --name tree-spam-leaf-sum
  fhectl create forest                                  50 trees that vote
  fhectl create boost --data houses.csv --target price --task regress
  fhectl create linreg --data diabetes                  a number: linear regression
  fhectl create glm --data claims.csv --target claims --family poisson
  fhectl create knn --neighbors 7 --reveal training-rows
  fhectl create mlp --data houses.csv --target price --task regress
  fhectl create qnn                                     a small quantized network on iris
  fhectl create mlp --hidden 48 --epochs 30             one hidden layer on mnist
  fhectl create cnn --data digits --conv 10@4x4/2       convolutions, here on 8x8 images
  fhectl create import model.onnx --data rows.csv       a model that scikit-learn or XGBoost trained")]
pub struct CreateArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// A decision tree (linfa-trees; for numbers grown here), by default on `spam`
    Tree(tree::TreeArgs),
    /// A random forest of trees grown here, by default on `spam`
    Forest(forest::ForestArgs),
    /// Gradient-boosted trees grown here, by default on `spam`
    Boost(boost::BoostArgs),
    /// Linear regression (linfa-linear, linfa-elasticnet): least squares, ridge, lasso
    Linreg(linreg::LinregArgs),
    /// A linear support vector machine, binary or one against the rest, by default on `spam`
    Svm(LinearClassifierArgs),
    /// A generalized linear model of counts, costs or positive numbers: Poisson, gamma, Tweedie
    Glm(glm::GlmArgs),
    /// The nearest training rows vote; only with --reveal training-rows, by default on `iris`
    Knn(knn::KnnArgs),
    /// Logistic regression (linfa-logistic), binary or multinomial, by default on `synthetic`
    Logreg(LinearClassifierArgs),
    /// A small quantized neural network of dense layers, by default on `iris`
    Qnn(network::DenseArgs),
    /// A quantized multi-layer perceptron, by default on `mnist`
    Mlp(network::DenseArgs),
    /// A quantized convolutional network, by default on `mnist`
    Cnn(network::CnnArgs),
    /// A model of another tool: ONNX (scikit-learn through skl2onnx) or XGBoost's JSON and UBJSON
    Import(import::ImportArgs),
}

/// Fits clear steps to training rows.
type FitSteps<'a> = dyn Fn(&Dataset) -> Vec<ClearStep> + 'a;

/// What a kind is made from where nothing else is asked for.
struct Recipe<'a> {
    kind: &'static str,
    /// A built-in set; `None` where `--data` must be given.
    data: Option<&'static str>,
    test_size: f64,
    /// `None`: the data's own.
    task: Option<Task>,
    /// Whether it trains in seconds, so that it may be done twice.
    quick: bool,
    /// What features are made for, of columns that are no plain numbers.
    style: EncodingStyle,
    /// What a client computes of a row's features before they are quantized, fitted to training rows.
    steps: Option<&'a FitSteps<'a>>,
}

impl Recipe<'_> {
    fn tabular(kind: &'static str, data: &'static str, task: Option<Task>) -> Self {
        let trees = ["tree", "forest", "boost"].contains(&kind);
        let style = if trees { EncodingStyle::Trees } else { EncodingStyle::Sums };
        Self { kind, data: Some(data), test_size: 0.15, task, quick: true, style, steps: None }
    }
}

/// Makes a model, and returns its folder.
pub fn run(args: CreateArgs) -> Result<PathBuf> {
    match &args.kind {
        Kind::Tree(tree) => {
            let recipe = Recipe::tabular("tree", "spam", tree.task.task());
            create(&recipe, &tree.common, |train, test, request, _, grain| tree.train(train, test, request, grain))
        }
        Kind::Forest(forest) => {
            let recipe = Recipe::tabular("forest", "spam", forest.task.task());
            create(&recipe, &forest.common, |train, test, request, _, grain| forest.train(train, test, request, grain))
        }
        Kind::Boost(boost) => {
            let recipe = Recipe::tabular("boost", "spam", boost.task.task());
            create(&recipe, &boost.common, |train, test, request, _, grain| boost.train(train, test, request, grain))
        }
        Kind::Linreg(linreg) => {
            let recipe = Recipe { data: None, ..Recipe::tabular("linreg", "", Some(Task::Regress)) };
            create(&recipe, &linreg.common, |train, test, request, _, grain| linreg.train(train, test, request, grain))
        }
        Kind::Glm(glm) => {
            let recipe = Recipe { data: None, ..Recipe::tabular("glm", "", Some(Task::Regress)) };
            create(&recipe, &glm.common, |train, test, request, _, grain| glm.train(train, test, request, grain))
        }
        Kind::Knn(knn) => {
            knn.check()?;
            let steps = |train: &Dataset| knn.steps(train);
            let recipe = Recipe { steps: Some(&steps), ..Recipe::tabular("knn", "iris", knn.task.task()) };
            create(&recipe, &knn.common, |train, test, request, _, grain| knn.train(train, test, request, grain))
        }
        Kind::Logreg(logreg) => {
            let recipe = Recipe::tabular("logreg", "synthetic", Some(Task::Classify));
            create(&recipe, &logreg.common, |train, test, request, _, grain| {
                logreg.train(LinearKind::Logreg, train, test, request, grain)
            })
        }
        Kind::Svm(svm) => {
            let recipe = Recipe::tabular("svm", "spam", Some(Task::Classify));
            create(&recipe, &svm.common, |train, test, request, _, grain| {
                svm.train(LinearKind::Svm, train, test, request, grain)
            })
        }
        Kind::Import(args) => import::run(args),
        Kind::Qnn(args) => network(NetworkKind::Qnn, &args.network, None),
        Kind::Mlp(args) => network(NetworkKind::Mlp, &args.network, None),
        Kind::Cnn(args) => network(NetworkKind::Cnn, &args.network, args.conv.as_ref()),
    }
}

fn network(kind: NetworkKind, args: &network::NetworkArgs, convs: Option<&layers::Convs>) -> Result<PathBuf> {
    let tabular = Recipe::tabular(kind.name(), kind.data(), args.task.task());
    let recipe = Recipe { test_size: 0.25, quick: false, ..tabular };
    create(&recipe, &args.common, |train, test, request, tell, _| args.train(kind, convs, train, test, request, tell))
}

fn create(
    recipe: &Recipe<'_>,
    args: &CommonArgs,
    train: impl Fn(&Dataset, &Dataset, &PlanRequest, &dyn Fn(String), Grain<'_>) -> Result<CompiledModel>,
) -> Result<PathBuf> {
    let kind = recipe.kind;
    let source = args.data.as_deref().or(recipe.data).ok_or_else(|| {
        Error::new(ErrorCode::DataMissing, format!("`create {kind}` has no data of its own"))
            .hint("name a table with --data FILE.csv, or try --data diabetes")
    })?;
    let test_size = args.test_size.unwrap_or(recipe.test_size);
    let holdout = match &args.test_data {
        Some(path) => Holdout::File(path),
        None => Holdout::Share { test_size, seed: args.seed },
    };
    let options = args.table_options();
    let target = args.target.as_deref();
    let loaded = Source { target, task: recipe.task, ..Source::new(source, &args.datasets, &options) };
    let Loaded { train: mut train_rows, test: mut test_rows, notes } = loaded.load_split(holdout)?;
    notes.iter().for_each(|text| note(text));
    let mut input = train_rows.input.clone();
    let encoding = input.as_ref().map(|schema| Encoding::fit(schema, &train_rows, &test_rows, recipe.style));
    if let Some(encoding) = &encoding {
        (train_rows, test_rows) = (encoding.apply(&train_rows)?, encoding.apply(&test_rows)?);
        encoding.notes.iter().for_each(|what| print_line!("column {what}"));
    }
    train_rows.check_trainable()?;
    let mut preprocessing = encoding.map(|encoding| encoding.steps).unwrap_or_default();
    let more = recipe.steps.map(|steps| steps(&train_rows)).unwrap_or_default();
    if !more.is_empty() {
        // A table's columns must be named where features are made of them.
        input = input.or_else(|| Some(InputSchema::numbers(&train_rows.features)));
        (train_rows, test_rows) = (after(train_rows, &more), after(test_rows, &more));
        preprocessing.extend(more);
    }
    let name = args.name.clone().unwrap_or_else(|| format!("{kind}-{}", clean(&train_rows.name)));
    check_name(&name)?;
    let path = args.out.join(&name);
    folder::check_free(&path, args.force)?;

    let request = args.plan_request()?;
    let work =
        progress::spinner(format!("training on {} rows of {} features", train_rows.len(), train_rows.features.len()));
    let tell = |message: String| work.set_message(message);
    let mut made = train(&train_rows, &test_rows, &request, &tell, args.grain())?;
    let rounded = match args.coarse_edges {
        None => None,
        Some(digits) => {
            work.set_message("training with exact edges, to compare");
            let exact = || {
                let made = train(&train_rows, &test_rows, &request, &tell, args.grain().exact())?;
                quantized_score(&made, &test_rows)
            };
            Some(Rounded { digits, exact: recipe.quick.then(exact).transpose()? })
        }
    };
    work.finish_and_clear();
    if !preprocessing.is_empty() {
        (made.input, made.preprocessing) = (input, preprocessing);
    }
    let built_in = data::BUILT_IN.contains(&source) && args.test_data.is_none();
    let origin = Origin {
        kind,
        name: &name,
        path: &path,
        train_rows: &train_rows,
        test_rows: &test_rows,
        evaluation: built_in.then(|| Evaluation { data: source.to_owned(), test_size, seed: args.seed }),
        imported: None,
        agreement: Vec::new(),
        hints: Vec::new(),
        rounded,
        secret: train_rows.digest(),
    };
    publish(made, &origin, args)?;
    Ok(path)
}

/// Rows after further steps.
fn after(rows: Dataset, steps: &[ClearStep]) -> Dataset {
    let features = feature_names(None, &rows.features, steps);
    let made = rows.rows.into_iter().map(|row| ClearStep::apply_all(steps, row)).collect();
    Dataset { rows: made, features, ..rows }
}
