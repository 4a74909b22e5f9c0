//! `Table`: any model of few input bits, looked up.
//!
//! The model is evaluated in clear for every input there is. The client sends each bit of its row as a GGSW; CMUXes
//! choose the entry. The answer is exact whatever the model was, and there is no evaluation key but the public one.

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod entries;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;

pub use params::{MAX_BITS, TableParams};
