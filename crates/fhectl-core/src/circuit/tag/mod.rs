//! Tags: random numbers that go with a batch through every key of the circuit and come back, so that a client sees when
//! the server computed with another key than its own.
//!
//! Some circuits decrypt anything to some class: rows cannot show it. A tag is [`TAG_BITS`] random bits, cut into
//! symbols. Symbol `l` of `M` is the point `(2l + 1) / 2M` of the torus. Where the public key is all there is, the
//! symbols share one ciphertext, to which a fresh encryption of zeros is added. Where there are bootstraps, each symbol
//! is looked up in a table whose outputs are the same points (after the keyswitch once more, where a network has
//! one), and is re-randomized then. A key that does not belong to the client's leaves uniform points: by chance, a wrong
//! one is not seen once in 2^[`TAG_BITS`] tags.
//!
//! A tag's answer holds nothing of the model. It is flooded all the same, over half of what tells two points apart:
//! the noise of a bootstrap says something of the order in which the server takes the key's bits.
//!
//! A tag sees mistakes and no malice: a server can treat tags well and rows badly.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod layout;

pub(super) use layout::TagNoise;
pub use layout::{TAG_BITS, TagLayout};
