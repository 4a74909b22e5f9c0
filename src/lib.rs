//! The command line of fhectl: [`commands`] do the work, [`report`] says what came of it, [`client`] talks to a server and
//! keeps keys. All else stands in the crates `fhectl-core`, `fhectl-train` and `fhectl-server`.

pub mod client;
pub mod commands;
pub mod report;
