//! `create import`: a model of another tool.

use super::common::{CommonArgs, Grain, TaskArgs, clean};
use super::import_agreement::{agreement, disagreement};
use super::import_circuit::{TableRequest, TreesAsked, compiled, no_single_tree, offers};
use super::import_network::{NetworkRequest, PtqArgs};
use super::import_rows;
use super::measured::quantized_score;
use super::publish::{Origin, Rounded, publish};
use super::trees::ValueArgs;
use crate::commands::units::RevealChoice;
use crate::report::card::ImportedFrom;
use crate::report::progress;
use crate::report::{note, print_line};
use clap::Args;
use fhectl_core::bundle::{Evaluation, Predicted, check_name, folder};
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::digest::sha256;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
use fhectl_train::data::{self, Dataset, Holdout, Loaded, Source, Task};
use fhectl_train::import::{self, Agreement, FloatModel, Imported, Levels};
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
    /// Of a single tree, encrypt the class alone: cheaper, but then `predict` has no probabilities to write
    #[arg(long, env = "FHECTL_CLASS_ONLY", conflicts_with = "value_bits")]
    class_only: bool,
    /// Names of the model's classes in its order, where it numbers them
    #[arg(long, env = "FHECTL_CLASSES", value_name = "NAME,...", value_delimiter = ',')]
    classes: Vec<String>,
    /// A number that stands for a missing value, as with XGBoost's missing=0, which its file does not say
    #[arg(long, env = "FHECTL_MISSING_VALUE", value_name = "NUMBER", allow_hyphen_values = true)]
    missing_value: Option<f64>,
    /// Take the columns in their order, though the model has other names for its features
    #[arg(long, env = "FHECTL_BY_POSITION")]
    by_position: bool,
}

/// Rows for a model, its columns in its order.
struct Rows {
    /// The table's columns, before preprocessing.
    columns: Vec<String>,
    calibration: Dataset,
    test: Dataset,
    evaluation: Option<Evaluation>,
}

/// Makes a model of the file, and returns its folder.
pub fn run(args: &ImportArgs) -> Result<PathBuf> {
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

    if imported.reveals_training_rows && common.reveal != RevealChoice::TrainingRows {
        return Err(Error::new(
            ErrorCode::ImportReveals,
            format!("{}: its scores are scalar products with the rows it was trained on", imported.source),
        )
        .hint(
            "as many answers as there are features give a training row away: accept it with --reveal training-rows",
        ));
    }
    let imported = match args.missing_value {
        Some(value) => imported.with_missing_value(value)?,
        None => imported,
    };
    let imported = import_rows::called(imported, common, args.by_position)?;
    let rows = rows(args, &imported)?;
    let (imported, rows) = suited(imported, rows, args.missing_value.is_some())?;
    let work = progress::spinner(format!("quantizing {} for {} features", imported.source, imported.features));
    let request = common.plan_request()?;
    let float = original_score(&imported, &rows.test);
    let make = |grain: Grain<'_>| match &imported.model {
        FloatModel::Network(_) if args.exact_thresholds => {
            Err(Error::new(ErrorCode::ImportExact, "a network has no thresholds to keep")
                .hint("leave out --exact-thresholds; --bits says how finely features are quantized"))
        }
        FloatModel::Network(_) if args.class_only => Err(no_single_tree()),
        FloatModel::Network(network) => {
            let asked = NetworkRequest {
                bits: args.bits,
                grain,
                seed: common.seed,
                plan: &request,
                announces: grain.digits == common.coarse_edges,
            };
            args.network.made(&imported, network, &asked, &rows.calibration, float, &|words| work.set_message(words))
        }
        _ => compiled(&imported, &rows.calibration, &rows.columns, float, &args.table_request(grain, &request)),
    };
    let mut made = make(common.grain())?;
    let (mut rounded, mut exact_agreement) = (None, None);
    if let Some(digits) = common.coarse_edges {
        let exact = make(common.grain().exact())?;
        exact_agreement = agreement(&exact, &imported, &rows.test)?;
        rounded = Some(Rounded { digits, exact: Some(quantized_score(&exact, &rows.test)?) });
    }
    work.finish_and_clear();
    let noise = if matches!(imported.model, FloatModel::Network(_)) { ", with the noise of encryption" } else { "" };
    let told = |agreement: Agreement| agreement.on(&format!("{} test rows{noise}", rows.test.len()));
    let agreement = agreement(&made, &imported, &rows.test)?;
    if let Some(agreement) = agreement {
        made.options = format!("{}; {}", made.options, told(agreement));
    }
    let from =
        ImportedFrom { file: format!("`{shown}` ({})", imported.source), exact_thresholds: args.exact_thresholds };
    let calibration = (&rows.calibration, &rows.test, &rows.columns[..]);
    let asked = args.table_request(common.grain(), &request);
    let offers = agreement.map(|agreement| offers(&made, &imported, calibration, agreement, &asked));
    let no_rows = rows.calibration.is_empty();
    let mut said: Vec<String> =
        agreement.map(|agreement| format!("agreement: {}", told(agreement))).into_iter().collect();
    said.extend(exact_agreement.map(|agreement| format!("agreement with exact edges: {}", told(agreement))));
    let mut hints: Vec<String> = offers.into_iter().flatten().collect();
    if args.exact_thresholds {
        hints.push("client.zip holds the model's thresholds (--exact-thresholds)".to_owned());
    }
    let origin = Origin {
        kind: "import",
        name: &name,
        path: &path,
        train_rows: &rows.calibration,
        test_rows: &rows.test,
        evaluation: rows.evaluation,
        imported: Some(&from),
        agreement: said,
        hints,
        rounded,
        // Without rows the file is all that a client does not have.
        secret: if no_rows { sha256(&bytes) } else { rows.calibration.digest() },
    };
    print_line!("read: {} of {} features", imported.source, imported.features);
    if let Some(warning) = agreement.and_then(disagreement) {
        note(&warning);
    }
    publish(made, &origin, common)?;
    Ok(path)
}

impl ImportArgs {
    fn table_request<'a>(&'a self, grain: Grain<'a>, plan: &'a PlanRequest) -> TableRequest<'a> {
        let trees = TreesAsked { values: &self.values, class_only: self.class_only };
        TableRequest { levels: self.levels(), trees, grain, plan }
    }

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

/// The model as these rows need it, and the rows prepared as it wants them; tells what is odd about the two.
fn suited(imported: Imported, rows: Rows, missing_given: bool) -> Result<(Imported, Rows)> {
    let Rows { columns, calibration, test, evaluation } = rows;
    if let Some(zeros) = imported.zeros(&calibration.rows).filter(|_| !missing_given) {
        note(&zeros.to_string());
    }
    if let Some(outside) = imported.out_of_range(&calibration.rows, &calibration.features) {
        note(&outside.to_string());
    }
    let all: Vec<Vec<f64>> = calibration.rows.iter().chain(&test.rows).cloned().collect();
    let imported = imported.suited_to(&all);
    let prepared = |rows: Dataset| if rows.is_empty() { Ok(rows) } else { import_rows::prepared(rows, &imported) };
    let rows = Rows { columns, calibration: prepared(calibration)?, test: prepared(test)?, evaluation };
    Ok((imported, rows))
}

/// The model as a classifier, where its one number is the logit of two classes: files of networks do not say, so the target
/// decides, or `--task`.
fn binary(args: &ImportArgs, imported: Imported) -> Result<Imported> {
    let (task, common) = (args.task.task(), &args.common);
    let Some(source) = common.data.as_deref().filter(|_| imported.may_be_binary() && task != Some(Task::Regress))
    else {
        return Ok(imported);
    };
    let options = common.table_options();
    let rows = Source {
        target: common.target.as_deref(),
        task: Some(Task::Classify),
        lenient: true,
        ..Source::new(source, &common.datasets, &options)
    }
    .load();
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
            let columns = none_columns(imported);
            let none = no_rows(imported, &columns);
            return Ok(Rows { columns, calibration: none.clone(), test: none, evaluation: None });
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
    let options = common.table_options();
    let unlabeled = common.target.is_none() && import_rows::is_unlabeled(source, imported, &options)?;
    let Loaded { train: calibration, test, notes } = Source {
        target: common.target.as_deref(),
        task: Some(task),
        schema: imported.input.as_ref(),
        unlabeled,
        lenient: true,
        ..Source::new(source, &common.datasets, &options)
    }
    .load_split(holdout)?;
    if imported.input.is_none() {
        notes.iter().for_each(|text| note(text));
    }
    if unlabeled {
        note("the rows have no label, so agreement with the original is measured, and no accuracy");
    }
    let suited = |rows: &Dataset| import_rows::suited(rows, imported, args.by_position);
    let (suited_calibration, suited_test) = (suited(&calibration)?, suited(&test)?);
    // `play` finds built-in rows again where they are as the model has them.
    let same = suited_calibration.features == calibration.features && suited_calibration.classes == calibration.classes;
    let found = same && data::BUILT_IN.contains(&source) && common.test_data.is_none();
    Ok(Rows {
        columns: suited_calibration.features.clone(),
        calibration: suited_calibration,
        test: suited_test,
        evaluation: found.then(|| Evaluation { data: source.to_owned(), test_size, seed: common.seed }),
    })
}

/// The names of columns that no table gives.
fn none_columns(imported: &Imported) -> Vec<String> {
    match imported.feature_names.is_empty() {
        true => (0..imported.features).map(|feature| format!("x{feature}")).collect(),
        false => imported.feature_names.clone(),
    }
}

fn no_rows(imported: &Imported, columns: &[String]) -> Dataset {
    Dataset {
        name: "no rows".to_owned(),
        target: if imported.classes.is_empty() { "value" } else { "class" }.to_owned(),
        features: imported.names_after(columns),
        input: None,
        classes: imported.classes.clone(),
        rows: Vec::new(),
        labels: Vec::new(),
        values: Vec::new(),
        image: None,
    }
}

pub(super) fn original_score(imported: &Imported, test: &Dataset) -> Score {
    let decoder = imported.decoder();
    let predicted: Vec<Predicted> =
        test.rows.par_iter().map(|row| decoder.predict_real(&imported.model.scores(row))).collect();
    train::score_predictions(predicted.into_iter(), test)
}
