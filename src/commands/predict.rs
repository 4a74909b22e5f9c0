//! `predict`: rows without a label in, predictions out.

use super::locate::{ModelArgs, ServerArgs, open_output};
use super::play::{keys, quantize, start_own};
use super::units::parse_duration;
use crate::client::Session;
use crate::data;
use crate::error::{Error, Result};
use crate::model::class_of_scores;
use crate::report::progress;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Predict rows of a CSV file, encrypted.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl predict tree-spam --url http://host:8000 --input rows.csv --output predictions.csv
  fhectl predict logreg-synthetic --input rows.csv | head

The file has a header; its columns are matched by name, in any order. Beside a class stand the scores of all classes:
probabilities of logistic, boosted and neural models, shares of votes of a forest, distances from the boundary of a
support vector machine.")]
pub struct PredictArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// Make a new key where the one that is there is older: 90d, 12h
    #[arg(long, env = "FHECTL_KEY_MAX_AGE", value_parser = parse_duration, value_name = "TIME")]
    key_max_age: Option<Duration>,
    /// The rows (.csv or .csv.gz)
    #[arg(long, env = "FHECTL_INPUT", value_name = "FILE")]
    input: PathBuf,
    /// Where predictions go [default: stdout]
    #[arg(long, env = "FHECTL_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: PredictArgs) -> Result<()> {
    let remote = args.server.remote()?;
    let bundle = args.model.client(remote.as_ref())?;
    let spec = &bundle.spec;
    let rows = Zeroizing::new(data::read_rows(&args.input, &spec.features, Some(&spec.target))?);
    let quantized = quantize(spec, &rows)?;
    drop(rows);
    let output = args.output.as_deref().map(open_output).transpose()?;

    let http = match remote {
        Some(http) => http,
        None => start_own(args.model.owner_at_hand(&bundle.id)?)?,
    };
    let keys = keys(&args.server.keyring(args.key_max_age)?, &bundle)?;
    let session = Session::open(&http, &bundle, &keys)?;
    session.bring_key(|_| ())?;

    let sink: Box<dyn Write> = match output {
        Some(file) => {
            file.set_len(0).map_err(|error| lost(&error.into()))?;
            Box::new(file)
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let mut table = csv::Writer::from_writer(sink);
    let header = ["prediction".to_owned()].into_iter().chain(spec.classes.iter().map(|class| format!("score_{class}")));
    table.write_record(header).map_err(|error| lost(&error))?;
    let bar = progress::bar(quantized.len(), "encrypted");
    for batch in quantized.chunks(session.batch_rows()) {
        for scores in session.infer(batch)?.scores {
            let record = match spec.value(&scores) {
                Some(value) => vec![value.to_string()],
                None => {
                    let class = spec.classes[class_of_scores(&scores)].clone();
                    [class].into_iter().chain(spec.class_scores(&scores).iter().map(f64::to_string)).collect()
                }
            };
            table.write_record(record).map_err(|error| lost(&error))?;
        }
        // What was paid for is kept, whatever happens to the next batch.
        table.flush().map_err(|error| lost(&error.into()))?;
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn lost(error: &csv::Error) -> Error {
    if let csv::ErrorKind::Io(io) = error.kind()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
    Error::user("output_unwritable", format!("predictions could not be written: {error}"))
}
