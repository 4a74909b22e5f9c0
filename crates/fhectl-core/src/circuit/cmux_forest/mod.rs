//! `CmuxForest`: sums of trees with no evaluation key but the public one.
//!
//! The client sends each bit of its quantized row as a GGSW. A split on `q >= t` with a clear `t` is a chain of CMUXes
//! over the bits of `q`, from the lowest up; a leaf is a trivial GLWE with its values in the first coefficients, so that
//! one walk gives all scores, and trees add up. A score is carried as residues of small moduli ([`super::residues`]),
//! one a coefficient: what is read is the sum over all trees and nothing of a single one.
//!
//! Sources: CMUX trees are from Chillotti, Gama, Georgieva, Izabachène, "TFHE: fast fully homomorphic encryption over
//! the torus" (J. Cryptology 2020), section 5; comparison with a clear threshold as a chain of CMUXes is its evaluation
//! of a deterministic automaton (section 5.2).

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;
#[cfg(feature = "evaluate")]
pub mod walk_program;

pub use params::CmuxForestParams;
