//! `PathCost`: a decision tree with no bootstrap at all.
//!
//! The plaintext modulus is a prime `p`. For each leaf the server counts violated conditions and
//! multiplies the count by a random non-zero factor: zero stays zero, anything else becomes uniform over the
//! non-zero residues. The client looks for a zero. With more than two classes a second ciphertext a leaf carries
//! the class, masked unless the count is zero. Leaves are shuffled and padded to a power of two.
//!
//! Sources: path costs are from Tai, Ma, Zhao, Chow, "Privacy-preserving decision trees evaluation via linear
//! functions" (ESORICS 2017).

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;

pub use params::{MAX_LEAVES, PathCostParams};
