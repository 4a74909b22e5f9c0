//! The command line of fhectl. [`commands`] has the subcommands, [`report`] prints results, [`client`] talks to servers and
//! stores keys. Everything else is in the crates `fhectl-core`, `fhectl-train` and `fhectl-server`.

pub mod client;
pub mod commands;
pub mod report;
