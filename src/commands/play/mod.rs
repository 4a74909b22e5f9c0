//! `play`: run a test set through a server, encrypted, and report accuracy and time.

mod figures;
mod html;
mod simulate;

use super::key_notes::KeyNotes;
use super::local_server;
use super::locate::{KeyAgeArgs, ModelArgs, ServerArgs, open_output};
use super::table_args::TableArgs;
use crate::client::session::Upload;
use crate::client::{Exchange, HeldKeys, RowRunner, check_trusted, infer_in_order, quantize_rows};
use crate::report::{number, print_line, progress};
use clap::Args;
use fhectl_core::bundle::{ClientSpec, ServerBundle};
use fhectl_core::client::conversation::Part;
use fhectl_core::client::{ClientModel, Detail, Predicted};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
use fhectl_core::protocol::frame;
use fhectl_train::data::{self, Dataset, Holdout, Task};
use figures::{Compared, Figures, Outcome};
use simulate::{Simulations, simulate};
use std::path::{Path, PathBuf};
use std::time::Instant;
use zeroize::Zeroize;

/// Run a test set through a server, encrypted, and report accuracy and time.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl play tree-spam                          server, keys and all 691 test messages on this machine
  fhectl play tree-spam --url http://host:8000 --samples 20
  fhectl play mlp-mnist --simulate               a network's noise on all test rows, in clear: seconds
  fhectl play logreg-mine --data test.csv --export-json figures.json --jobs 4")]
pub struct PlayArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    key_age: KeyAgeArgs,
    /// Only the first so many rows
    #[arg(long, env = "FHECTL_SAMPLES", value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
    /// Draw a network's noise in clear over the whole test set instead of encrypting; with --samples, also encrypt so
    /// many
    #[arg(long, env = "FHECTL_SIMULATE")]
    simulate: bool,
    /// Write what this run measures into the model's card (README.md in its folder)
    #[arg(long, env = "FHECTL_RECORD", conflicts_with = "url")]
    record: bool,
    #[command(flatten)]
    table: TableArgs,
    /// Labeled rows: a table or a built-in set [default: the test rows of the model's built-in set]
    #[arg(long, env = "FHECTL_DATA", value_name = "PATH|NAME")]
    data: Option<String>,
    /// The folder of the built-in data sets
    #[arg(long, env = "FHECTL_DATASETS", default_value = "datasets", value_name = "DIR")]
    datasets: PathBuf,
    /// Rows in flight at once
    #[arg(long, env = "FHECTL_JOBS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Write the figures as JSON
    #[arg(long, env = "FHECTL_EXPORT_JSON", value_name = "FILE")]
    export_json: Option<PathBuf>,
    /// Write a report with charts
    #[arg(long, env = "FHECTL_REPORT", value_name = "FILE.html")]
    report: Option<PathBuf>,
}

pub fn run(args: PlayArgs) -> Result<()> {
    if args.simulate && args.samples.is_none() && (args.record || args.export_json.is_some() || args.report.is_some()) {
        return Err(Error::new(ErrorCode::SamplesMissing, "--simulate alone encrypts nothing that could be recorded")
            .hint("say with --samples how many rows to encrypt besides"));
    }
    for path in [&args.export_json, &args.report].into_iter().flatten() {
        open_output(path)?;
    }
    let remote = args.server.remote()?;
    let model = args.model.client(remote.as_ref(), args.server.accept_p_fail)?;
    let mut rows = test_rows(&args, &model)?;
    let simulations = simulate(&args.model, &model, &rows, args.simulate, args.samples)?;
    if args.simulate && args.samples.is_none() {
        return Ok(());
    }
    if let Some(samples) = args.samples {
        rows.rows.iter_mut().skip(samples as usize).for_each(Zeroize::zeroize);
        rows.rows.truncate(samples as usize);
        rows.labels.truncate(samples as usize);
        rows.values.truncate(samples as usize);
    }
    let keyring = args.server.keyring(args.key_age.key_max_age)?;
    let (http, owner) = match remote {
        Some(http) => (http, args.model.owner(model.id())?),
        None => {
            let owner = args.model.owner_at_hand(model.id())?;
            (local_server::start(owner.clone(), args.server.device)?, Some(owner))
        }
    };
    let runner = RowRunner {
        http: &http,
        model: &model,
        keyring: &keyring,
        held: &HeldKeys::default(),
        detail: Detail::Prediction,
    };
    let outcome = play(&args, &runner, owner.as_ref(), &rows, simulations);
    rows.rows.zeroize();
    outcome
}

fn test_rows(args: &PlayArgs, model: &ClientModel) -> Result<Dataset> {
    let spec = model.spec();
    let task = Some(match spec.predicts() {
        Output::Classes(_) => Task::Classify,
        Output::Value | Output::Scores(_) => Task::Regress,
    });
    let target = Some(spec.target.as_str());
    let rows = match (&args.data, &spec.evaluation) {
        (Some(data), _) if data::BUILT_IN.contains(&data.as_str()) => data::load(data, &args.datasets, target, task)?,
        (Some(data), _) => data::read_labeled(data.as_ref(), &like(spec), &args.table.options())?,
        // The name comes out of a bundle: only a built-in set's is looked up, never a path.
        (None, Some(evaluation)) if data::BUILT_IN.contains(&evaluation.data.as_str()) => {
            let holdout = Holdout::Share { test_size: evaluation.test_size, seed: evaluation.seed };
            data::load_split(&evaluation.data, &args.datasets, target, task, holdout)?.1
        }
        (None, _) => {
            return Err(Error::new(
                ErrorCode::DataMissing,
                "the model was not made from a built-in set, so its test rows are not known",
            )
            .hint("name labeled rows with --data FILE.csv"));
        }
    };
    if rows.features != spec.columns() || rows.classes != spec.classes {
        return Err(Error::new(
            ErrorCode::CsvColumns,
            format!("`{}` has other columns or classes than the model", rows.name),
        )
        .hint("`fhectl inspect` lists what the model takes"));
    }
    Ok(rows)
}

/// What a model's rows look like, without any.
fn like(spec: &ClientSpec) -> Dataset {
    Dataset {
        name: spec.name.clone(),
        target: spec.target.clone(),
        features: spec.columns().into_iter().map(str::to_owned).collect(),
        input: spec.input.clone(),
        classes: spec.classes.clone(),
        rows: Vec::new(),
        labels: Vec::new(),
        values: Vec::new(),
        image: None,
    }
}

fn play(
    args: &PlayArgs,
    runner: &RowRunner<'_>,
    owner: Option<&ServerBundle>,
    rows: &Dataset,
    simulations: Option<Simulations>,
) -> Result<()> {
    let spec = runner.model.spec();
    let quantized = quantize_rows(spec, &rows.rows)?;

    let start = Instant::now();
    let bar = progress::bar(rows.len(), "encrypted");
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut on_exchange = |index: usize, exchange: Exchange| {
        if index == 0 {
            bar.suspend(|| print_line!("Size of the payload: {:.2} kilobytes", exchange.request_bytes as f64 / 1024.0));
        }
        bar.inc(1);
        let Some(prediction) = &exchange.predictions[0] else {
            // Reported once all rows are sent.
            return;
        };
        let compared = match prediction.predicted() {
            Predicted::Value(predicted) => Compared::Value { predicted, expected: rows.values[index] },
            Predicted::Class(predicted) => Compared::Class { predicted, expected: rows.labels[index] as usize },
        };
        let outcome = Outcome {
            compared,
            agrees: owner.map(|owner| prediction.agrees_with(spec, &owner.server.model.scores(&quantized[index]))),
            exchange,
        };
        let (predicted, expected) = match compared {
            Compared::Class { predicted, expected } => {
                (spec.classes[predicted].clone(), spec.classes[expected].clone())
            }
            Compared::Value { predicted, expected } => (number(predicted), expected.to_string()),
        };
        bar.suspend(|| {
            print_line!(
                "for {index}-th input, prediction={predicted} with expected {expected} in {:.3} seconds",
                outcome.exchange.roundtrip
            );
        });
        outcomes.push(outcome);
    };
    let mut notes = KeyNotes::new(runner.keyring, spec);
    let upload = |upload: Upload<'_>| {
        notes.see(&upload);
        bar.suspend(|| match upload {
            Upload::Preparing | Upload::Prepared(_) => {}
            Upload::Part(Part { index, remaining, .. }) => {
                print_line!(
                    "Sending {index}-th piece of the key (remaining size is {:.2} kbytes)",
                    remaining as f64 / 1024.0
                );
            }
            Upload::Stored { key_id } => print_line!("Storing the key in the database under uid={key_id}"),
        });
    };
    let (done, untrusted) = runner.run(quantized.len(), upload, |session, rows| {
        let first = rows.start;
        infer_in_order(session, &quantized[rows], 1, usize::from(args.jobs), |index, exchange| {
            on_exchange(first + index, exchange);
            Ok(())
        })
    });
    bar.finish_and_clear();

    let wall = start.elapsed().as_secs_f64();
    // Without an answered row there are no figures.
    let reported = if done.is_err() || outcomes.is_empty() {
        Ok(())
    } else {
        let figures = Figures::new(spec, frame::key_len(&spec.circuit), &outcomes, wall, simulations);
        report(args, spec, &figures.of_rows(rows.len()), &outcomes)
    };
    check_trusted(untrusted, done.and(reported))
}

/// Prints and writes what was asked for.
fn report(args: &PlayArgs, spec: &ClientSpec, figures: &Figures, outcomes: &[Outcome]) -> Result<()> {
    figures.print();
    // A run with untrusted answers does not go into the card.
    if args.record && figures.unanswered() == 0 {
        let rows = match &args.data {
            Some(data) => format!("{} rows of `{data}`", outcomes.len()),
            None => format!("the first {} test rows", outcomes.len()),
        };
        args.model.record(&figures.measured(&rows))?;
    }
    if let Some(path) = &args.export_json {
        write(path, &figures.to_json())?;
    }
    if let Some(path) = &args.report {
        write(path, &html::page(figures, spec, outcomes))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display())))
}
