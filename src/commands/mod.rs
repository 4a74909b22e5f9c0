//! The command line: each subcommand is a file, its arguments first and then its `run`.

mod budgets;
mod built_in;
mod create;
mod devices;
pub mod embedded;
mod environment;
mod export;
mod inspect;
mod key_notes;
mod keyring;
mod keys;
mod local_server;
mod locate;
mod models;
mod names;
mod namespaces;
mod page;
mod play;
mod predict;
mod runtime;
mod serve;
mod serve_args;
mod serve_check;
mod table_args;
mod token;
#[doc(hidden)]
pub mod units;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use environment::{adapted, documented};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::ffi::OsString;
use std::process::exit;

/// Private machine-learning inference on encrypted data.
///
/// `create` trains, quantizes and compiles a model; `serve` hosts it; `play` encrypts a test set, sends it and
/// reports accuracy and time; `predict` does the real job; `inspect` tells what a bundle is.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  fhectl play tree-spam                                the whole thing on this machine: server, keys, 691 messages
  fhectl create tree --data mails.csv --target spam    a model from a table of yours
  fhectl serve --listen 0.0.0.0:8000                   host every model of ./compiled_model
  fhectl predict tree-spam --url http://host:8000 --input rows.csv";

#[derive(Subcommand)]
enum Command {
    /// Train, quantize and compile a model into client.zip, server.zip and versions.json.
    Create(create::CreateArgs),
    /// Write a model as a folder that a hub deploys.
    Export(export::ExportArgs),
    /// Host models over HTTP.
    Serve(serve_args::ServeArgs),
    /// Write the page that `serve` answers browsers with, for another host or to open from disk.
    Page(page::PageArgs),
    /// Run a test set through a server, encrypted, and report accuracy and time.
    Play(play::PlayArgs),
    /// Predict rows of a CSV file, encrypted.
    Predict(predict::PredictArgs),
    /// List the models at hand: those of a folder, and those in the binary.
    Models(models::ModelsArgs),
    /// Make bearer tokens for a server.
    Token(token::TokenArgs),
    /// Tell what a bundle is: model, circuit, parameters, security, sizes.
    Inspect(inspect::InspectArgs),
    /// List, delete or rotate this client's own keys.
    Keyring(keyring::KeyringArgs),
    /// List or delete the evaluation keys in a server's store, for its operator.
    Keys(keys::KeysArgs),
    /// List or reset what tokens have used of their row budgets.
    Budgets(budgets::BudgetsArgs),
}

/// What the command line takes, for its reference.
#[doc(hidden)]
pub fn command() -> clap::Command {
    documented(Cli::command())
}

/// Parses the command line and runs it.
///
/// # Errors
/// Those of the subcommand, ready to be shown.
pub fn run() -> Result<()> {
    run_line(&std::env::args_os().collect::<Vec<_>>())
}

/// As [`run`], of these words; the first is the program's name. Wrong ones end the process.
///
/// # Errors
/// As [`run`].
pub fn run_line(words: &[OsString]) -> Result<()> {
    let cli = parse(words).unwrap_or_else(|error| {
        let _ = error.print();
        // Help and version exit with 0, a wrong argument with 1.
        exit(i32::from(error.use_stderr()));
    });
    if !matches!(cli.command, Command::Serve(_)) {
        // A server drains its requests; everything else stops at once.
        ctrlc::set_handler(|| exit(130)).map_err(|error| Error::new(ErrorCode::Signals, error.to_string()))?;
    }
    match cli.command {
        Command::Create(args) => create::run(args).map(drop),
        Command::Export(args) => export::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Page(args) => page::run(&args),
        Command::Play(args) => play::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Models(args) => models::run(&args),
        Command::Token(args) => token::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Keyring(args) => keyring::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Budgets(args) => budgets::run(args),
    }
}

fn parse(arguments: &[OsString]) -> clap::error::Result<Cli> {
    let mut command = adapted(Cli::command(), arguments);
    let parsed = command
        .try_get_matches_from_mut(arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command)));
    parsed.map_err(with_suggestion)
}

/// Names the place of a command that people look for elsewhere.
fn with_suggestion(mut error: clap::Error) -> clap::Error {
    let asked = error.get(ContextKind::InvalidSubcommand);
    if error.kind() == ErrorKind::InvalidSubcommand && asked == Some(&ContextValue::String("import".into())) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec!["create import".into()]));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_flag_also_reads_a_variable() {
        let root = Cli::command();
        root.clone().debug_assert();
        let nested = root.get_subcommands().flat_map(|command| command.get_subcommands());
        for command in root.get_subcommands().chain(nested) {
            for argument in command.get_arguments().filter(|a| a.get_long().is_some_and(|l| l != "help")) {
                let wanted = format!("FHECTL_{}", argument.get_long().unwrap().to_uppercase().replace('-', "_"));
                let got = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                assert_eq!(
                    got.as_deref(),
                    Some(wanted.as_str()),
                    "{} --{}",
                    command.get_name(),
                    argument.get_long().unwrap()
                );
            }
        }
    }
}
