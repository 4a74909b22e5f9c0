//! `predict`: rows without a label in, predictions out.

use super::key_notes::KeyNotes;
use super::local_server;
use super::locate::{KeyAgeArgs, ModelArgs, ServerArgs, open_output};
use super::table_args::TableArgs;
use crate::client::{HeldKeys, RowRunner, check_trusted, infer_in_order};
use crate::report::{note, progress};
use clap::{Args, ValueEnum};
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::{Detail, Predicted, Prediction};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::data::{self, ModelColumns, TableRow};
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The error code for a pipe whose reader closed it.
const CLOSED: ErrorCode = ErrorCode::OutputClosed;

/// Predict rows of a CSV file, encrypted.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl predict tree-spam --url http://host:8000 --input rows.csv --output predictions.csv
  fhectl predict logreg-synthetic --input rows.csv | head

The file has a header; its columns are matched by name, in any order, and others are ignored (--keep writes them again). Where rows lie beyond
what the model was quantized for, a column `outside` names their features: that tells something of the rows. Beside a class stand the scores of all classes:
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
    /// The rows: a table (CSV, TSV, Parquet, Arrow); `-` is stdin
    #[arg(long, env = "FHECTL_INPUT", value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// Columns of the input that are written beside the predictions
    #[arg(long, env = "FHECTL_KEEP", value_name = "COLUMN,...", value_delimiter = ',')]
    keep: Vec<String>,
    /// What to do with a row whose cells do not suit the model: stop before anything is sent, or leave it without a prediction
    #[arg(long, env = "FHECTL_ON_ERROR", value_enum, default_value = "fail")]
    on_error: OnError,
    /// Batches in flight at once: one is encrypted while the server computes another
    #[arg(long, env = "FHECTL_JOBS", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Write the scores of a neural network's classes, too: never for the eyes of a server that knows the rows
    #[arg(long, env = "FHECTL_SCORES")]
    scores: bool,
    /// Where predictions go; `-` is stdout [default: stdout]
    #[arg(long, env = "FHECTL_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    Fail,
    Skip,
}

pub fn run(args: PredictArgs) -> Result<()> {
    let remote = args.server.remote()?;
    let model = args.model.client(remote.as_ref(), args.server.accept_p_fail)?;
    let spec = model.spec();
    let rows = Rows::read(&args, spec)?;
    rows.tell();
    let output = args.output.as_deref().filter(|path| *path != Path::new("-")).map(open_output).transpose()?;

    let http = match remote {
        Some(http) => http,
        None => local_server::start(args.model.owner_at_hand(model.id())?, args.server.device)?,
    };
    let keyring = args.server.keyring(args.key_age.key_max_age)?;

    let sink: Box<dyn Write> = match output {
        Some(file) => {
            // Pipes and devices have no length.
            if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                file.set_len(0).map_err(|error| write_failed(&error.into()))?;
            }
            Box::new(file)
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let mut table = csv::Writer::from_writer(sink);
    let detail = if args.scores { Detail::Scores } else { Detail::Prediction };
    let layout = Layout { spec, scored: detail.shows_scores(&spec.circuit), outside: rows.any_outside() };
    table.write_record(layout.header(&args.keep)).map_err(|error| write_failed(&error))?;
    let bar = progress::bar(rows.quantized.len(), "encrypted");
    let runner = RowRunner { http: &http, model: &model, keyring: &keyring, held: &HeldKeys::default(), detail };
    // The next row of the table; rows without numbers are written as they are passed.
    let mut next = 0;
    let mut notes = KeyNotes::new(&keyring, spec);
    let (outcome, untrusted) = runner.run(
        rows.quantized.len(),
        |upload| notes.see(&upload),
        |session, range| {
            let jobs = usize::from(args.jobs);
            infer_in_order(session, &rows.quantized[range], session.batch_rows(), jobs, |_, exchange| {
                bar.inc(exchange.predictions.len() as u64);
                for prediction in exchange.predictions {
                    next = write_skipped(&mut table, &layout, &rows, next)?;
                    let record = layout.record(&rows.all[next], prediction.as_ref());
                    table.write_record(record).map_err(|error| write_failed(&error))?;
                    next += 1;
                }
                // Finished batches are kept, whatever happens to the next one.
                table.flush().map_err(|error| write_failed(&error.into()))
            })
        },
    );
    bar.finish_and_clear();
    let outcome = outcome.and_then(|()| {
        write_skipped(&mut table, &layout, &rows, next)?;
        table.flush().map_err(|error| write_failed(&error.into()))
    });
    // As in any filter, a closed pipe ends the program quietly. Untrusted answers are reported all the same.
    let outcome = outcome.or_else(|error| if error.code == CLOSED { Ok(()) } else { Err(error) });
    check_trusted(untrusted, outcome)
}

/// Writes the rows from `next` on that have no numbers, up to one that has, and returns that one's index.
fn write_skipped(
    table: &mut csv::Writer<Box<dyn Write>>,
    layout: &Layout<'_>,
    rows: &Rows,
    mut next: usize,
) -> Result<usize> {
    while let Some(row) = rows.all.get(next).filter(|row| row.skipped) {
        table.write_record(layout.record(row, None)).map_err(|error| write_failed(&error))?;
        next += 1;
    }
    Ok(next)
}

/// The rows of the input.
struct Rows {
    all: Vec<InputRow>,
    /// Those that have numbers.
    quantized: Zeroizing<Vec<Vec<u32>>>,
    /// The first row that has none.
    refused: Option<Error>,
}

struct InputRow {
    kept: Vec<String>,
    /// Whether a cell does not suit the model, so that there is nothing to encrypt.
    skipped: bool,
    /// Names of features beyond the range that the model knows.
    outside: Vec<String>,
}

impl Rows {
    fn read(args: &PredictArgs, spec: &ClientSpec) -> Result<Self> {
        // The system's own name for it is a file like any other.
        let input = if args.input == Path::new("-") { Path::new("/dev/stdin") } else { &args.input };
        let columns = ModelColumns { schema: &spec.schema(), missing: !spec.preprocessing.is_empty() };
        let read = data::read_rows(input, columns, &args.keep, &args.table.options())?;
        let mut rows = Self { all: Vec::with_capacity(read.len()), quantized: Zeroizing::default(), refused: None };
        for (index, TableRow { numbers, kept }) in read.into_iter().enumerate() {
            let mut row = InputRow { kept, skipped: false, outside: Vec::new() };
            let quantized = numbers.and_then(|numbers| {
                let numbers = Zeroizing::new(numbers);
                let features = spec.preprocess(&numbers)?;
                let quantized = spec.quantize_features(&features)?;
                row.outside =
                    spec.outside(&features).into_iter().map(|feature| spec.features[feature].clone()).collect();
                Ok(quantized)
            });
            match quantized {
                Ok(quantized) => rows.quantized.push(quantized),
                Err(error) => {
                    let named = error.message.contains(": row ");
                    let error = if named { error } else { error.context(format!("row {}", index + 1)) };
                    if args.on_error == OnError::Fail {
                        let skip = "--on-error skip leaves such rows without a prediction";
                        let hint = error.hint.as_ref().map_or(skip.to_owned(), |hint| format!("{hint}; {skip}"));
                        return Err(error.hint(hint));
                    }
                    row.skipped = true;
                    rows.refused.get_or_insert(error);
                }
            }
            rows.all.push(row);
        }
        Ok(rows)
    }

    fn any_outside(&self) -> bool {
        self.all.iter().any(|row| !row.outside.is_empty())
    }

    /// Says on stderr what is odd about the rows.
    fn tell(&self) {
        let outside: Vec<&InputRow> = self.all.iter().filter(|row| !row.outside.is_empty()).collect();
        if let Some(first) = outside.first() {
            note(&format!(
                "{} of {} rows lie outside of what the model was quantized for (such as `{}`); the nearest end of the range \
                 is taken, and the column `outside` names the features",
                outside.len(),
                self.all.len(),
                first.outside[0]
            ));
        }
        if let Some(error) = &self.refused {
            let skipped = self.all.iter().filter(|row| row.skipped).count();
            note(&format!("{skipped} of {} rows have no prediction; the first: {}", self.all.len(), error.message));
        }
    }
}

/// Which columns the output has.
struct Layout<'a> {
    spec: &'a ClientSpec,
    scored: bool,
    outside: bool,
}

impl Layout<'_> {
    /// Kept columns, the prediction, the scores of all classes where they may be shown, and `outside` where a row is.
    fn header(&self, keep: &[String]) -> Vec<String> {
        let scores = self.spec.classes.iter().filter(|_| self.scored).map(|class| format!("score_{class}"));
        let outside = self.outside.then(|| "outside".to_owned());
        keep.iter().cloned().chain(["prediction".to_owned()]).chain(scores).chain(outside).collect()
    }

    /// One row. Cells of what is not known are empty, so that output rows match input rows.
    fn record(&self, row: &InputRow, prediction: Option<&Prediction>) -> Vec<String> {
        let columns = if self.scored { self.spec.classes.len() } else { 0 };
        let mut cells = row.kept.clone();
        match prediction.map(Prediction::predicted) {
            None => cells.extend(vec![String::new(); 1 + columns]),
            Some(Predicted::Value(value)) => cells.push(value.to_string()),
            Some(Predicted::Class(class)) => {
                let scores = prediction.and_then(Prediction::class_scores).unwrap_or_default();
                cells.push(self.spec.classes[class].clone());
                cells.extend(scores.iter().take(columns).map(f64::to_string));
            }
        }
        if self.outside {
            cells.push(row.outside.join(" "));
        }
        cells
    }
}

fn write_failed(error: &csv::Error) -> Error {
    if let csv::ErrorKind::Io(io) = error.kind()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        return Error::new(CLOSED, "nobody reads the predictions any more");
    }
    Error::new(ErrorCode::OutputUnwritable, format!("predictions could not be written: {error}"))
}
