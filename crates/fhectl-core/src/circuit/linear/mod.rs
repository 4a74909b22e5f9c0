//! `Linear`: a linear model with no bootstrap at all.
//!
//! Quantized features ride in the coefficients of a seeded GLWE; a score is a scalar product of extracted LWE
//! ciphertexts with clear weights. Only the score leaves the server, re-randomized and flooded.

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;

pub use params::LinearParams;
