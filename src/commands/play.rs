//! `play`: run a test set through a server, encrypted, and report accuracy and time.

use super::locate::{ModelArgs, ServerArgs, open_output};
use super::play_report::{Answers, Figures, Outcome, Simulations};
use super::runtime::runtime;
use super::say;
use super::turns::Turns;
use super::units::parse_duration;
use super::untrusted::settle;
use crate::client::session::Upload;
use crate::client::{Http, Session};
use crate::report::{number, progress};
use clap::Args;
use fhectl_core::bundle::{ClientSpec, ServerBundle};
use fhectl_core::client::conversation::Part;
use fhectl_core::client::{ClientModel, Detail, Predicted};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
use fhectl_core::protocol::frame;
use fhectl_server::server::{ServeConfig, Server};
use fhectl_server::store::KeyStore;
use fhectl_train::data::{self, Dataset, Holdout, Task};
use fhectl_train::train::{self, SimulatedQuality};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

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
    /// Make a new key where the one that is there is older: 90d, 12h
    #[arg(long, env = "FHECTL_KEY_MAX_AGE", value_parser = parse_duration, value_name = "TIME")]
    key_max_age: Option<Duration>,
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
    /// Labelled rows: a CSV file or a built-in set [default: the test rows of the model's built-in set]
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
    let model = args.model.client(remote.as_ref())?;
    let mut rows = test_rows(&args, &model)?;
    let simulations = simulate(&args, &model, &rows)?;
    if args.simulate && args.samples.is_none() {
        return Ok(());
    }
    if let Some(samples) = args.samples {
        rows.rows.iter_mut().skip(samples as usize).for_each(Zeroize::zeroize);
        rows.rows.truncate(samples as usize);
        rows.labels.truncate(samples as usize);
        rows.values.truncate(samples as usize);
    }
    model.spec().check_failure(args.server.accept_p_fail)?;
    let keyring = args.server.keyring(args.key_max_age)?;
    let (http, owner) = match remote {
        Some(http) => (http, args.model.owner(model.id())?),
        None => {
            let owner = args.model.owner_at_hand(model.id())?;
            (start_own(owner.clone())?, Some(owner))
        }
    };
    let turns = Turns { http: &http, model: &model, keyring: &keyring, detail: Detail::Prediction };
    let outcome = play(&args, &turns, owner.as_ref(), &rows, simulations);
    rows.rows.zeroize();
    outcome
}

/// Quantises rows, into memory that is wiped when it is given back.
pub fn quantize(spec: &ClientSpec, rows: &[Vec<f64>]) -> Result<Zeroizing<Vec<Vec<u32>>>> {
    Ok(Zeroizing::new(rows.iter().map(|row| spec.quantize(row)).collect::<Result<_>>()?))
}

/// A server for this run alone: a loopback port, keys in memory, gone with the process.
pub fn start_own(owner: ServerBundle) -> Result<Http> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let serve = || -> Result<()> {
            runtime()?.block_on(async {
                let listen = ([127, 0, 0, 1], 0).into();
                let mut config = ServeConfig::new(vec![owner], listen, KeyStore::open("memory:").await?);
                // There is one client, and it would rather wait.
                config.max_backlog = Duration::from_secs(24 * 3600);
                config.max_queue = config.max_queue.max(1024);
                config.timing_headers = true;
                let server = Server::bind(config).await?;
                let _ = sender.send(Ok(server.local_addr()));
                server.run(std::future::pending()).await
            })
        };
        if let Err(error) = serve() {
            let _ = sender.send(Err(error));
        }
    });
    let address =
        receiver.recv().map_err(|_| Error::new(ErrorCode::Server, "the loopback server ended before it began"))??;
    Http::new(&format!("http://{address}"), None, Vec::new())
}

fn test_rows(args: &PlayArgs, model: &ClientModel) -> Result<Dataset> {
    let spec = model.spec();
    let task = Some(match spec.output() {
        Output::Classes(_) => Task::Classify,
        Output::Value => Task::Regress,
    });
    let target = Some(spec.target.as_str());
    let rows = match (&args.data, &spec.evaluation) {
        (Some(data), _) if data::BUILT_IN.contains(&data.as_str()) => data::load(data, &args.datasets, target, task)?,
        (Some(data), _) => data::read_labeled(data.as_ref(), &spec.features, &spec.classes, target)?,
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
            .hint("name labelled rows with --data FILE.csv"));
        }
    };
    if rows.features != spec.features || rows.classes != spec.classes {
        return Err(Error::new(
            ErrorCode::CsvColumns,
            format!("`{}` has other columns or classes than the model", rows.name),
        )
        .hint("`fhectl inspect` lists what the model takes"));
    }
    Ok(rows)
}

/// Predicts a network's encrypted accuracy, on the whole test set and on the rows that will be encrypted, where the
/// owner's half is at hand. Exact circuits have nothing to simulate.
fn simulate(args: &PlayArgs, model: &ClientModel, rows: &Dataset) -> Result<Option<Simulations>> {
    if model.spec().circuit.is_exact() {
        if args.simulate {
            return Err(Error::new(ErrorCode::NothingToSimulate, "only networks have noise in their answers")
                .hint(format!("{} is exact; play it without --simulate", model.spec().circuit.kind())));
        }
        return Ok(None);
    }
    let Some(owner) = args.model.owner(model.id())? else {
        if args.simulate {
            return Err(Error::new(ErrorCode::OwnerMissing, "simulating needs the model: server.zip is not at hand")
                .hint("name the model's folder, not the server's model"));
        }
        return Ok(None);
    };
    let work = progress::spinner(format!("simulating {} rows", rows.len()));
    let draw = |rows: &Dataset| {
        let value = |parts: i64| model.spec().value(&[parts]).unwrap_or_default();
        let simulated =
            train::simulated(&model.spec().circuit, &owner.server.model, &model.spec().quantizer, rows, value)?;
        simulated.ok_or_else(|| Error::new(ErrorCode::Internal, "a network's circuit on another model"))
    };
    let whole = draw(rows)?;
    let played = match args.samples {
        Some(samples) => draw(&rows.select(&(0..rows.len().min(samples as usize)).collect::<Vec<_>>()))?,
        None => whole,
    };
    work.finish_and_clear();
    match whole.quality {
        SimulatedQuality::Classes { accuracy, agreement } => {
            say!("Simulated accuracy on {} samples is {accuracy}", whole.samples);
            say!(
                "Simulated agreement with the clear quantised model: {:.2} %; sums outside their circle: {}",
                agreement * 100.0,
                whole.wraps
            );
        }
        SimulatedQuality::Value { r2, agreement_r2 } => {
            say!("Simulated R2 on {} samples is {r2}", whole.samples);
            say!(
                "Simulated R2 with the clear quantised model: {agreement_r2:.4}; sums outside their circle: {}",
                whole.wraps
            );
        }
    }
    Ok(Some(Simulations { whole, played }))
}

fn play(
    args: &PlayArgs,
    turns: &Turns<'_>,
    owner: Option<&ServerBundle>,
    rows: &Dataset,
    simulations: Option<Simulations>,
) -> Result<()> {
    let spec = turns.model.spec();
    let quantized = quantize(spec, &rows.rows)?;

    let start = Instant::now();
    let bar = progress::bar(rows.len(), "encrypted");
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut each = |index: usize, exchange: crate::client::Exchange| {
        if index == 0 {
            bar.suspend(|| say!("Size of the payload: {:.2} kilobytes", exchange.request_bytes as f64 / 1024.0));
        }
        bar.inc(1);
        let Some(prediction) = &exchange.predictions[0] else {
            // Told when all is sent.
            return;
        };
        let answers = match prediction.predicted() {
            Predicted::Value(predicted) => Answers::Value { predicted, expected: rows.values[index] },
            Predicted::Class(predicted) => Answers::Class { predicted, expected: rows.labels[index] as usize },
        };
        let outcome = Outcome {
            answers,
            agrees: owner
                .map(|owner| prediction.agrees_with(&spec.circuit, &owner.server.model.scores(&quantized[index]))),
            exchange,
        };
        let (predicted, expected) = match answers {
            Answers::Class { predicted, expected } => (spec.classes[predicted].clone(), spec.classes[expected].clone()),
            Answers::Value { predicted, expected } => (number(predicted), expected.to_string()),
        };
        bar.suspend(|| {
            say!(
                "for {index}-th input, prediction={predicted} with expected {expected} in {:.3} seconds",
                outcome.exchange.roundtrip
            );
        });
        outcomes.push(outcome);
    };
    let upload = |upload: Upload<'_>| {
        bar.suspend(|| match upload {
            Upload::Part(Part { index, remaining, .. }) => {
                say!("Sending {index}-th piece of the key (remaining size is {:.2} kbytes)", remaining as f64 / 1024.0);
            }
            Upload::Stored { key_id } => say!("Storing the key in the database under uid={key_id}"),
        });
    };
    let (done, distrusted) = turns.run(quantized.len(), upload, |session, rows| {
        let first = rows.start;
        in_order(session, &quantized[rows], usize::from(args.jobs), |index, exchange| each(first + index, exchange))
    });
    bar.finish_and_clear();

    let wall = start.elapsed().as_secs_f64();
    // Where no row has an answer there are no figures.
    let reported = if done.is_err() || outcomes.is_empty() {
        Ok(())
    } else {
        let figures = Figures::new(spec, frame::key_len(&spec.circuit), &outcomes, wall, simulations);
        report(args, spec, &figures.of_rows(rows.len()), &outcomes)
    };
    settle(distrusted, done.and(reported))
}

/// Prints and writes what was asked for.
fn report(args: &PlayArgs, spec: &ClientSpec, figures: &Figures, outcomes: &[Outcome]) -> Result<()> {
    figures.print();
    // A card holds no run of which something cannot be trusted.
    if args.record && figures.unanswered() == 0 {
        let rows = match &args.data {
            Some(data) => format!("{} rows of `{data}`", outcomes.len()),
            None => format!("the first {} test rows", outcomes.len()),
        };
        args.model.record(&figures.measured(&rows))?;
    }
    if let Some(path) = &args.export_json {
        figures.export_json(path)?;
    }
    if let Some(path) = &args.report {
        figures.export_html(path, spec, outcomes)?;
    }
    Ok(())
}

/// Runs every row on `jobs` threads and hands the exchanges over in the order of rows.
fn in_order(
    session: &Session<'_>,
    quantized: &[Vec<u32>],
    jobs: usize,
    mut each: impl FnMut(usize, crate::client::Exchange),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs.min(quantized.len()).max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = quantized.get(index) else { return };
                    let result = session.infer(std::slice::from_ref(row));
                    let failed = result.is_err();
                    if sender.send((index, result)).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut wanted = 0;
        for (index, result) in receiver {
            // No more rows are begun after a failure.
            let exchange = result.inspect_err(|_| next.store(quantized.len(), Ordering::Relaxed))?;
            early.insert(index, exchange);
            while let Some(exchange) = early.remove(&wanted) {
                each(wanted, exchange);
                wanted += 1;
            }
        }
        Ok(())
    })
}
