//! `create import`: a model of another tool.

use super::common::{CommonArgs, Grain, TaskArgs, clean};
use super::finest::{Finest, finest_weights};
use super::import_network::{NetworkRequest, PtqArgs};
use super::publish::{CompiledModel, Origin, Rounded, publish, quantized_score};
use super::trees::{Trained, ValueArgs};
use crate::report::card::ImportedFrom;
use crate::report::print_line;
use crate::report::progress;
use clap::Args;
use fhectl_core::bundle::{Evaluation, Predicted, check_name, folder};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::digest::sha256;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Model, Output};
use fhectl_train::data::{self, Dataset, Holdout, Task};
use fhectl_train::import::{self, Agreement, FloatModel, Imported, Levels, QuantizedImport, QuantizedModel};
use fhectl_train::train::{self, Score};
use rayon::prelude::*;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl create import spam.onnx --data spam             scikit-learn through skl2onnx; rows of a built-in set
  fhectl create import model.ubj --data houses.csv --target price
  fhectl create import iris.json --data iris --classes setosa,versicolor,virginica
  fhectl create import model.json --exact-thresholds     trees without any rows; client.zip then holds their thresholds

In Python: `skl2onnx.to_onnx(model, X[:1].astype(numpy.float32))`, `booster.save_model(\"model.ubj\")` of XGBoost, or
`torch.onnx.export(model.eval(), (X[:1],), \"model.onnx\")`. Images are rows in the order of the flattened ONNX input:
channel after channel.
The rows of --data should be like those that the model was trained on: features are quantized to suit them, and
a share of them (--test-size) measures how far the encrypted model agrees with the original.")]
pub struct ImportArgs {
    /// The model: ONNX, or what XGBoost's save_model writes (.json, .ubj)
    file: PathBuf,
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    network: PtqArgs,
    /// Bits a feature is quantized to (1 to 16) [default: the fewest from 6 to 10 that keep the original's answers]
    #[arg(long, env = "FHECTL_BITS", value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: Option<u32>,
    /// Quantize by the trees' own thresholds: nothing is lost and no rows are needed, but client.zip, which is
    /// public, then holds the thresholds
    #[arg(long, env = "FHECTL_EXACT_THRESHOLDS", conflicts_with_all = ["bits", "coarse_edges"])]
    exact_thresholds: bool,
    /// Names of the model's classes in its order, where it numbers them
    #[arg(long, env = "FHECTL_CLASSES", value_name = "NAME,...", value_delimiter = ',')]
    classes: Vec<String>,
    /// Take the columns in their order, though the model has other names for its features
    #[arg(long, env = "FHECTL_BY_POSITION")]
    by_position: bool,
}

/// Rows for a model, its columns in its order, prepared as it wants them.
struct Rows {
    calibration: Dataset,
    test: Dataset,
    evaluation: Option<Evaluation>,
}

pub fn run(args: &ImportArgs) -> Result<()> {
    let bytes = import::read_bytes(&args.file)?;
    let shown = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let imported = named(import::read_in(&bytes, &shown, import::folder_of(&args.file))?, &args.classes)?;
    let imported = binary(args, imported)?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let common = &args.common;
    let name = common.name.clone().unwrap_or_else(|| format!("import-{}", clean(&stem)));
    check_name(&name)?;
    let path = common.out.join(&name);
    folder::check_free(&path, common.force)?;

    let rows = rows(args, &imported)?;
    let work = progress::spinner(format!("quantizing {} for {} features", imported.source, imported.features));
    let request = common.plan_request();
    let make = |grain: Grain| match &imported.model {
        FloatModel::Network(_) if args.exact_thresholds => {
            Err(Error::new(ErrorCode::ImportExact, "a network has no thresholds to keep")
                .hint("leave out --exact-thresholds; --bits says how finely features are quantized"))
        }
        FloatModel::Network(network) => {
            let float = original_score(&imported, &rows.test);
            let asked = NetworkRequest {
                bits: args.bits,
                grain,
                seed: common.seed,
                plan: &request,
                announces: grain.digits == common.coarse_edges,
            };
            args.network.made(&imported, network, &asked, &rows.calibration, float, &|words| work.set_message(words))
        }
        _ => {
            let quantized = import::quantize(&imported, &rows.calibration, args.levels(), grain.digits)?;
            made(args, &imported, quantized, &rows, &request)
        }
    };
    let mut made = make(common.grain())?;
    let (mut rounded, mut exact_agreement) = (None, None);
    if let Some(digits) = common.coarse_edges {
        let exact = make(Grain::EXACT)?;
        exact_agreement = agreement(&exact, &imported, &rows.test)?;
        rounded = Some(Rounded { digits, exact: Some(quantized_score(&exact, &rows.test)?) });
    }
    work.finish_and_clear();
    let agreement = agreement(&made, &imported, &rows.test)?;
    if let Some(agreement) = &agreement {
        made.options = format!("{}; {agreement}", made.options);
    }
    let from =
        ImportedFrom { file: format!("`{shown}` ({})", imported.source), exact_thresholds: args.exact_thresholds };
    let no_rows = rows.calibration.is_empty();
    let origin = Origin {
        kind: "import",
        name: &name,
        path: &path,
        train_rows: &rows.calibration,
        test_rows: &rows.test,
        evaluation: rows.evaluation,
        imported: Some(&from),
        rounded,
        // Without rows the file is all that a client does not have.
        secret: if no_rows { sha256(&bytes) } else { rows.calibration.digest() },
    };
    print_line!("read: {} of {} features", imported.source, imported.features);
    publish(made, &origin, common)?;
    if let Some(agreement) = agreement {
        print_line!("agreement: {agreement}");
    }
    if let Some(agreement) = exact_agreement {
        print_line!("agreement with exact edges: {agreement}");
    }
    if args.exact_thresholds {
        print_line!("note: client.zip holds the model's thresholds (--exact-thresholds)");
    }
    Ok(())
}

impl ImportArgs {
    fn levels(&self) -> Levels {
        match (self.exact_thresholds, self.bits) {
            (true, _) => Levels::Exact,
            (false, Some(bits)) => Levels::Bits(bits),
            (false, None) => Levels::Auto,
        }
    }
}

/// The model with its classes named as asked.
fn named(mut imported: Imported, names: &[String]) -> Result<Imported> {
    if names.is_empty() {
        return Ok(imported);
    }
    // Of one output a file does not say whether it is a number or the logit of the second of two classes.
    let logit = matches!(&imported.model, FloatModel::Network(_)) && imported.classes.is_empty() && names.len() == 2;
    if logit {
        imported.classes = vec![String::new(); 2];
    }
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    if names.len() != imported.classes.len() || distinct.len() != names.len() || names.iter().any(String::is_empty) {
        return Err(Error::new(
            ErrorCode::ImportClasses,
            format!("--classes has {} different names, the model {} classes", distinct.len(), imported.classes.len()),
        )
        .hint("give one name a class, in the model's order"));
    }
    imported.classes = names.to_vec();
    Ok(imported)
}

/// The model as a classifier, where its one number is the logit of two classes: files of networks do not say, so the target
/// decides, or `--task`.
fn binary(args: &ImportArgs, imported: Imported) -> Result<Imported> {
    let (task, common) = (args.task.task(), &args.common);
    let Some(source) = common.data.as_deref().filter(|_| imported.may_be_binary() && task != Some(Task::Regress))
    else {
        return Ok(imported);
    };
    let rows = data::load(source, &common.datasets, common.target.as_deref(), Some(Task::Classify));
    match (rows, task) {
        (Ok(rows), _) if rows.classes.len() == 2 => {
            print_line!(
                "note: the network has one output and `{}` two classes: read as the logit of `{}` (--task regress: as a number)",
                rows.target,
                rows.classes[1]
            );
            imported.as_binary(rows.classes)
        }
        (Ok(rows), Some(Task::Classify)) => imported.as_binary(rows.classes),
        (Err(error), Some(Task::Classify)) => Err(error),
        _ => Ok(imported),
    }
}

/// The rows that were named, for the model; none for trees that keep their thresholds.
fn rows(args: &ImportArgs, imported: &Imported) -> Result<Rows> {
    let common = &args.common;
    let Some(source) = common.data.as_deref() else {
        if args.exact_thresholds && matches!(imported.model, FloatModel::Forest(_)) {
            let none = no_rows(imported);
            return Ok(Rows { calibration: none.clone(), test: none, evaluation: None });
        }
        return Err(Error::new(ErrorCode::DataMissing, "rows are needed to quantize the model's features")
            .hint("name some with --data FILE.csv; trees can do without under --exact-thresholds"));
    };
    let test_size = common.test_size.unwrap_or(0.15);
    let holdout = match &common.test_data {
        Some(path) => Holdout::File(path),
        None => Holdout::Share { test_size, seed: common.seed },
    };
    let task = if imported.predicts() == Output::Value { Task::Regress } else { Task::Classify };
    let target = common.target.as_deref();
    let (calibration, test) = data::load_split(source, &common.datasets, target, Some(task), holdout)?;
    let suited = |rows: &Dataset| fit_rows(rows, imported, args.by_position);
    let prepared = |mut rows: Dataset| {
        rows.rows.par_iter_mut().for_each(|row| *row = imported.prepared(row));
        rows.features = imported.names_after(&rows.features);
        rows
    };
    let (suited_calibration, suited_test) = (suited(&calibration)?, suited(&test)?);
    // `play` finds built-in rows again where they are as the model has them.
    let same = suited_calibration.features == calibration.features && suited_calibration.classes == calibration.classes;
    let found = same && data::BUILT_IN.contains(&source) && common.test_data.is_none();
    Ok(Rows {
        calibration: prepared(suited_calibration),
        test: prepared(suited_test),
        evaluation: found.then(|| Evaluation { data: source.to_owned(), test_size, seed: common.seed }),
    })
}

fn no_rows(imported: &Imported) -> Dataset {
    let numbered = || (0..imported.features).map(|feature| format!("x{feature}")).collect();
    Dataset {
        name: "no rows".to_owned(),
        target: if imported.classes.is_empty() { "value" } else { "class" }.to_owned(),
        features: if imported.feature_names.is_empty() { numbered() } else { imported.feature_names.clone() },
        classes: imported.classes.clone(),
        rows: Vec::new(),
        labels: Vec::new(),
        values: Vec::new(),
        image: None,
    }
}

/// The rows with their columns and classes in the model's order.
fn fit_rows(rows: &Dataset, imported: &Imported, by_position: bool) -> Result<Dataset> {
    let order = columns(rows, imported, by_position)?;
    let classes = classes(rows, imported)?;
    Ok(Dataset {
        features: order.iter().map(|column| rows.features[*column].clone()).collect(),
        rows: rows.rows.iter().map(|row| order.iter().map(|column| row[*column]).collect()).collect(),
        labels: rows.labels.iter().map(|label| classes[*label as usize]).collect(),
        classes: imported.classes.clone(),
        image: None,
        ..rows.clone()
    })
}

/// For each of the model's features its column: by name where the model has names, else in their order.
fn columns(rows: &Dataset, imported: &Imported, by_position: bool) -> Result<Vec<usize>> {
    let (have, want) = (rows.features.len(), imported.features);
    if have != want {
        return Err(Error::new(
            ErrorCode::ImportFeatures,
            format!("`{}` has {have} columns beside its target, the model takes {want}", rows.name),
        )
        .hint("give rows of the model's features; --target names the column that is none"));
    }
    if imported.feature_names.is_empty() || by_position {
        return Ok((0..want).collect());
    }
    let place = |name: &String| rows.features.iter().position(|feature| feature == name);
    let places: Vec<Option<usize>> = imported.feature_names.iter().map(place).collect();
    match places.iter().position(Option::is_none) {
        None => Ok(places.into_iter().flatten().collect()),
        Some(missing) => Err(Error::new(
            ErrorCode::ImportFeatures,
            format!("`{}` has no column `{}`", rows.name, imported.feature_names[missing].escape_debug()),
        )
        .hint("rename the columns as the model has them, or take them in their order with --by-position")),
    }
}

/// For each class of the rows its index among the model's.
fn classes(rows: &Dataset, imported: &Imported) -> Result<Vec<u32>> {
    let place = |name: &String| imported.classes.iter().position(|class| class == name);
    let places: Vec<Option<usize>> = rows.classes.iter().map(place).collect();
    let Some(unknown) = places.iter().position(Option::is_none) else {
        return Ok(places.into_iter().flatten().map(|place| place as u32).collect());
    };
    let list = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(8).map(|name| name.escape_debug().to_string()).collect();
        shown.join(",") + if names.len() > 8 { ",..." } else { "" }
    };
    let message = format!(
        "`{}` has the class `{}`, the model's are {}",
        rows.name,
        rows.classes[unknown].escape_debug(),
        list(&imported.classes)
    );
    Err(Error::new(ErrorCode::ImportClasses, message).hint(if rows.classes.len() == imported.classes.len() {
        format!("name the model's classes in its order, perhaps with --classes {}", list(&rows.classes))
    } else {
        "is --target the column that the model predicts?".to_owned()
    }))
}

/// The integer model and its circuit.
fn made(
    args: &ImportArgs,
    imported: &Imported,
    quantized: QuantizedImport,
    rows: &Rows,
    request: &PlanRequest,
) -> Result<CompiledModel> {
    let output = imported.output();
    let QuantizedImport { quantizer, bits, model, .. } = quantized;
    let levels = bits.map_or("the model's own thresholds".to_owned(), |bits| format!("{bits} bits a feature"));
    let float = original_score(imported, &rows.test);
    let unit = imported.unit;
    let made = match model {
        QuantizedModel::Forest(forest) => match forest.as_tree(output) {
            // One tree that predicts a class: its leaves are classes, which costs less than values.
            Some(tree) if !args.values.given() => {
                let model = Model::Tree(tree);
                let plans = plan(&model, &quantizer, output, request)?;
                CompiledModel::new(model, quantizer, plans, float, levels)
            }
            _ => args.values.make(Trained { forest, quantizer, output, float, unit, options: levels }, request)?,
        },
        QuantizedModel::Linear(mut linear) => {
            // The middle of the predicted numbers is added in clear, so that sums stay small.
            let middle = |(bias, weights): (&f64, &Vec<f64>)| {
                bias + weights.iter().zip(&linear.means).map(|(weight, mean)| weight * mean).sum::<f64>()
            };
            let offset = (output == Output::Value)
                .then(|| linear.biases.iter().zip(&linear.weights).map(middle).next())
                .flatten();
            linear.biases.iter_mut().for_each(|bias| *bias -= offset.unwrap_or(0.0));
            let Finest { model, scale, bits, plans } = finest_weights(&linear, &quantizer, output, request)?;
            CompiledModel {
                score_scale: Some(scale),
                score_offset: offset,
                score_unit: unit,
                ..CompiledModel::new(model, quantizer, plans, float, format!("{levels}, {bits} bits a weight"))
            }
        }
    };
    Ok(CompiledModel {
        input: imported.input.clone(),
        preprocessing: imported.preprocessing.clone(),
        head: imported.head.clone(),
        ..made
    })
}

fn original_score(imported: &Imported, test: &Dataset) -> Score {
    let decoder = imported.decoder();
    let predicted: Vec<Predicted> =
        test.rows.par_iter().map(|row| decoder.predict_real(&imported.model.scores(row))).collect();
    train::score_predictions(predicted.into_iter(), test)
}

/// How far the model agrees with the original, with the noise of encryption where there is some, in words; `None` without
/// rows.
fn agreement(made: &CompiledModel, imported: &Imported, test: &Dataset) -> Result<Option<String>> {
    if test.is_empty() {
        return Ok(None);
    }
    let original: Vec<Vec<f64>> = test.rows.par_iter().map(|row| imported.model.scores(row)).collect();
    let rows = train::quantize_rows(&made.quantizer, test)?;
    let decoder = made.decoder(imported.classes.len());
    // A tree that predicts classes has no scores of its own.
    let simulator = made.plans.first().map(|plan| plan.spec.simulator(&made.model)).transpose()?.flatten();
    let scores = |(index, row): (usize, &Vec<u32>)| match &simulator {
        Some(simulator) => simulator.scores(row, index as u64),
        None => made.model.scores(row),
    };
    let ours: Vec<Vec<f64>> = rows.par_iter().enumerate().map(|row| decoder.real(&scores(row))).collect();
    let scored = made.score_scale.is_some();
    let agreement = Agreement::of(&imported.decoder(), &original, &ours, scored);
    let noise = if simulator.is_some() { ", with the noise of encryption" } else { "" };
    Ok(Some(format!("{agreement} on {} test rows{noise}", test.len())))
}
