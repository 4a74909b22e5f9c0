//! `predict`: rows without a label in, predictions out.

use super::local_server;
use super::locate::{KeyAgeArgs, ModelArgs, ServerArgs, open_output};
use super::row_runner::{RowRunner, quantize_rows};
use super::untrusted_answers::check_trusted;
use crate::report::progress;
use clap::Args;
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::{Detail, Predicted, Prediction};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::data;
use std::io::Write;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The error code for a pipe whose reader closed it.
const CLOSED: ErrorCode = ErrorCode::OutputClosed;

/// Predict rows of a CSV file, encrypted.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl predict tree-spam --url http://host:8000 --input rows.csv --output predictions.csv
  fhectl predict logreg-synthetic --input rows.csv | head

The file has a header; its columns are matched by name, in any order. Beside a class stand the scores of all classes:
probabilities of logistic and boosted models, shares of votes of a forest, distances from the boundary of a support
vector machine. Those of a neural network carry noise that depends on the secret key, so they are written with --scores
only: whoever has the server, the rows and some hundred of their scores can solve for the key. Keep such a file from
the server, or write classes. A row whose answer cannot be trusted (made with another key, or damaged) has empty cells; the
command goes on to the last row and then ends with the error answers_untrusted, exit code 2.")]
pub struct PredictArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    key_age: KeyAgeArgs,
    /// The rows (.csv or .csv.gz)
    #[arg(long, env = "FHECTL_INPUT", value_name = "FILE")]
    input: PathBuf,
    /// Write the scores of a neural network's classes, too: never for the eyes of a server that knows the rows
    #[arg(long, env = "FHECTL_SCORES")]
    scores: bool,
    /// Where predictions go [default: stdout]
    #[arg(long, env = "FHECTL_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: PredictArgs) -> Result<()> {
    let remote = args.server.remote()?;
    let model = args.model.client(remote.as_ref(), args.server.accept_p_fail)?;
    let spec = model.spec();
    let rows = Zeroizing::new(data::read_rows(&args.input, &spec.features, Some(&spec.target))?);
    let quantized = quantize_rows(spec, &rows)?;
    drop(rows);
    let output = args.output.as_deref().map(open_output).transpose()?;

    let http = match remote {
        Some(http) => http,
        None => local_server::start(args.model.owner_at_hand(model.id())?)?,
    };
    let keyring = args.server.keyring(args.key_age.key_max_age)?;

    let sink: Box<dyn Write> = match output {
        Some(file) => {
            file.set_len(0).map_err(|error| write_failed(&error.into()))?;
            Box::new(file)
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let mut table = csv::Writer::from_writer(sink);
    let detail = if args.scores { Detail::Scores } else { Detail::Prediction };
    let scored = detail.shows_scores(&spec.circuit);
    let named = spec.classes.iter().filter(|_| scored).map(|class| format!("score_{class}"));
    let header = ["prediction".to_owned()].into_iter().chain(named);
    table.write_record(header).map_err(|error| write_failed(&error))?;
    let bar = progress::bar(quantized.len(), "encrypted");
    let runner = RowRunner { http: &http, model: &model, keyring: &keyring, detail };
    let (outcome, untrusted) = runner.run(
        quantized.len(),
        |_| (),
        |session, rows| {
            quantized[rows].chunks(session.batch_rows()).try_for_each(|batch| {
                for prediction in session.infer(batch)?.predictions {
                    table
                        .write_record(record(spec, scored, prediction.as_ref()))
                        .map_err(|error| write_failed(&error))?;
                }
                // Finished batches are kept, whatever happens to the next one.
                table.flush().map_err(|error| write_failed(&error.into()))?;
                bar.inc(batch.len() as u64);
                Ok(())
            })
        },
    );
    bar.finish_and_clear();
    // As in any filter, a closed pipe ends the program quietly. Untrusted answers are reported all the same.
    let outcome = outcome.or_else(|error| if error.code == CLOSED { Ok(()) } else { Err(error) });
    check_trusted(untrusted, outcome)
}

/// A row of the table: the prediction, then the scores of all classes where they may be shown (`scored`). All cells are
/// empty where there is no answer that can be trusted, so that output rows match input rows.
fn record(spec: &ClientSpec, scored: bool, prediction: Option<&Prediction>) -> Vec<String> {
    let columns = if scored { spec.classes.len() } else { 0 };
    let Some(prediction) = prediction else { return vec![String::new(); 1 + columns] };
    let class = match prediction.predicted() {
        Predicted::Value(value) => return vec![value.to_string()],
        Predicted::Class(class) => spec.classes[class].clone(),
    };
    let of_classes = prediction.class_scores().unwrap_or_default();
    [class].into_iter().chain(of_classes.iter().take(columns).map(f64::to_string)).collect()
}

fn write_failed(error: &csv::Error) -> Error {
    if let csv::ErrorKind::Io(io) = error.kind()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        return Error::new(CLOSED, "nobody reads the predictions any more");
    }
    Error::new(ErrorCode::OutputUnwritable, format!("predictions could not be written: {error}"))
}
