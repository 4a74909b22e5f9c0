//! The door: parse, run, print the error and its hint, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    match fhectl::commands::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(fhectl::report::fail(&error)),
    }
}
