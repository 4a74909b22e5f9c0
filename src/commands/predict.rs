//! `predict`: rows without a label in, predictions out.

use super::locate::{ModelArgs, ServerArgs, open_output};
use super::play::{keys, start_own};
use crate::bundle::ClientSpec;
use crate::client::Session;
use crate::data;
use crate::error::{Error, Result};
use crate::model::class_of_scores;
use crate::report::progress;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Predict rows of a CSV file, encrypted.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl predict tree-spam --url http://host:8000 --input rows.csv --output predictions.csv
  fhectl predict logreg-synthetic --input rows.csv | head

The file has a header; its columns are matched by name, in any order.")]
pub struct PredictArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    server: ServerArgs,
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
    let rows = data::read_rows(&args.input, &spec.features, Some(&spec.target))?;
    let quantized = rows.iter().map(|row| spec.quantize(row)).collect::<Result<Vec<_>>>()?;
    let output = args.output.as_deref().map(open_output).transpose()?;

    let http = match remote {
        Some(http) => http,
        None => start_own(args.model.owner_at_hand(&bundle.id)?)?,
    };
    let keys = keys(&args.server, &bundle)?;
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
            let class = &spec.classes[class_of_scores(&scores)];
            let scores = class_scores(spec, &scores).into_iter().map(|score| score.to_string());
            table.write_record([class.clone()].into_iter().chain(scores)).map_err(|error| lost(&error))?;
        }
        // What was paid for is kept, whatever happens to the next batch.
        table.flush().map_err(|error| lost(&error.into()))?;
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// One score a class: probabilities where integer scores have a scale, else the scores as they are.
fn class_scores(spec: &ClientSpec, scores: &[i64]) -> Vec<f64> {
    let Some(scale) = spec.score_scale else { return scores.iter().map(|score| *score as f64).collect() };
    let logits: Vec<f64> = match scores {
        [margin] => vec![0.0, *margin as f64 * scale],
        _ => scores.iter().map(|score| *score as f64 * scale).collect(),
    };
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn lost(error: &csv::Error) -> Error {
    if let csv::ErrorKind::Io(io) = error.kind()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
    Error::user("output_unwritable", format!("predictions could not be written: {error}"))
}
