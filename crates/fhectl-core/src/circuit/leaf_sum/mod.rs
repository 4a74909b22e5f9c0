//! `LeafSum`: a decision tree with one encrypted label as its answer.
//!
//! Thermometer bits arrive directly under the small key, so no keyswitch is needed. The tree is a sum of signed boxes.
//! A box's count of violated conditions, shifted by a half, uses the whole torus: one bootstrap with a sign decides
//! it. Signs of all boxes add up to the class.

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
mod layers;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;
#[cfg(feature = "evaluate")]
mod points;

pub use params::LeafSumParams;
