//! Commands as functions, for programs that this crate is a part of, the Python package among them. They take the words of
//! the command line, print nothing and never end the process.

use super::inspect::plans;
use super::{Cli, Command, create, parse, serve};
use crate::report::listener::{Listener, listening};
use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::plan::PLANNED_CORES;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::ffi::OsString;
use std::path::PathBuf;

/// `fhectl create` with these words behind it. Returns the folder that it made.
///
/// # Errors
/// `arguments`; those of the command.
pub fn create(words: &[OsString], listener: Listener) -> Result<PathBuf> {
    match command("create", words)? {
        Command::Create(args) => listening(listener, || create::run(args)),
        _ => Err(not_asked_for("create")),
    }
}

/// `fhectl serve` with these words behind it, until what `ready` returns is over. `ready` is given the server's URL.
///
/// # Errors
/// `arguments`; those of the command.
pub fn serve<S: Future<Output = ()>>(words: &[OsString], ready: impl FnOnce(String) -> S) -> Result<()> {
    match command("serve", words)? {
        Command::Serve(args) => serve::serve(&args, |url, _| ready(url)),
        _ => Err(not_asked_for("serve")),
    }
}

/// The predicted seconds of an inference on two cores over 100 Mbit/s: the server's computing, the client's work, and all of it
/// with the transfer. `None` for models that cannot be planned any more.
pub fn predicted_seconds(owner: &ServerBundle) -> Option<(f64, f64, f64)> {
    const BANDWIDTH: f64 = 1e8;
    let plans = plans(owner, BANDWIDTH);
    let plan = plans.iter().find(|plan| plan.spec.kind() == owner.spec.circuit.kind())?;
    Some((
        plan.seconds(PLANNED_CORES),
        plan.client_seconds(PLANNED_CORES),
        plan.total_seconds(BANDWIDTH, PLANNED_CORES),
    ))
}

/// How well a model did when it was made, as JSON.
pub fn metrics(owner: &ServerBundle) -> String {
    serde_json::json!(owner.server.metrics).to_string()
}

fn command(name: &str, words: &[OsString]) -> Result<Command> {
    let line: Vec<OsString> = ["fhectl", name].iter().map(OsString::from).chain(words.iter().cloned()).collect();
    let Cli { command } = parse(&line).map_err(|error| wrong(&error))?;
    Ok(command)
}

/// Words that the command line does not take.
fn wrong(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let hint = "`fhectl create --help` and `fhectl serve --help` say what is taken";
    Error::new(ErrorCode::Arguments, first.strip_prefix("error: ").unwrap_or(first)).hint(hint)
}

fn not_asked_for(name: &str) -> Error {
    Error::new(ErrorCode::Arguments, format!("these words are no `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn wrong_words_are_an_error_and_do_not_end_the_process() {
        let made = create(&words("tree --bits many"), Box::new(|_| ()));
        let error = made.unwrap_err();
        assert_eq!(error.code, ErrorCode::Arguments);
        assert!(error.message.contains("many"), "{error}");
        assert_eq!(create(&words("--help"), Box::new(|_| ())).unwrap_err().code, ErrorCode::Arguments);
        let served = serve(&words("--listen nowhere"), |_| std::future::ready(()));
        assert_eq!(served.unwrap_err().code, ErrorCode::Arguments);
    }

    #[test]
    fn what_a_command_says_is_heard_and_the_folder_that_it_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut words = words("logreg --data iris --name m --out");
        words.push(folder.path().into());
        let heard = std::rc::Rc::new(std::cell::RefCell::new(0));
        let count = std::rc::Rc::clone(&heard);
        let path = create(&words, Box::new(move |_| *count.borrow_mut() += 1)).unwrap();
        assert_eq!(path, folder.path().join("m"));
        assert!(*heard.borrow() > 5);
    }
}
