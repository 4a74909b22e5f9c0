//! The `fhectl` binary: runs the command line, prints an error with its hint, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    match fhectl::commands::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(fhectl::report::fail(&error)),
    }
}
