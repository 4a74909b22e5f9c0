//! `PathCost` for sums of trees: forests, boosted trees and trees of numbers, with no bootstrap.
//!
//! As in [`super::path_cost`], the server counts violated conditions a leaf and multiplies the count by a random
//! factor: the client finds the leaves that are reached where a residue is zero. Three things are added.
//!
//! **Only the sum can be read.** A leaf also carries `value + share + factor * violations`, where the shares of all
//! trees are fresh for each query, uniform, and add up to zero. The leaves of all trees are shuffled together, so the client
//! sees as many zeros as there are trees, and adds up what stands beside them.
//!
//! **Residues.** Values are sums modulo a number of some 14 bits; one plaintext modulus of that size would leave no room for
//! flooding. So they are split by the Chinese remainder theorem over a few pairwise coprime moduli of
//! steps, the first of which has the count's modulus as another factor: no ciphertext is spent on the count alone. All factors
//! are at least the count's modulus, a prime larger than any count, so that a count that is not zero makes every
//! residue uniform. A factor acts on a whole residue: what was encrypted with step `2^64 / q` is of no use to a modulus
//! that does not divide `q`. So the request holds a copy of the bits for each set of moduli; the search
//! weighs one copy for all moduli (large factors, so much noise) against one for each (bytes).
//!
//! **Packing.** The bits stand `stride` coefficients apart ([`crate::fhe::spaced`]), so that `stride` answers share the
//! mask of one ciphertext. The request grows by the stride, the response shrinks by it.

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
pub mod leaf_program;
mod moduli;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;

pub use params::{MAX_SLOTS, PathCostSumParams};
