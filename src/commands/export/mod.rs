//! `export`: a model as a folder that others deploy.

mod huggingface;

use clap::{Args, Subcommand};
use fhectl_core::error::Result;

/// Write a model as a folder that a hub deploys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl export huggingface tree-spam --out hub/tree-spam    with the rows that it was tested on
  fhectl export huggingface mails --data new.csv --license mit --out hub/mails")]
pub struct ExportArgs {
    #[command(subcommand)]
    hub: Hub,
}

#[derive(Debug, Subcommand)]
enum Hub {
    /// A repository that Hugging Face runs as an Inference Endpoint with a custom handler
    Huggingface(huggingface::HuggingfaceArgs),
}

pub fn run(args: &ExportArgs) -> Result<()> {
    match &args.hub {
        Hub::Huggingface(args) => huggingface::run(args),
    }
}
