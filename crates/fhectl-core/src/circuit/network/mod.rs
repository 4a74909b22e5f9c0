//! `Network`: dense and convolution layers with a bootstrap an activation.
//!
//! Inputs arrive under a small key, so the first layer and its bootstraps need no keyswitch; bootstrap outputs, under
//! the big key, are summed by the next layer and keyswitched to a small key of their own. The last layer's sums are
//! the answer. A sum is a point on the torus and carries noise: parameters keep it at or below what training put
//! there, so the promise is one of accuracy, not of equality (see [`simulate`]).

mod card;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
pub mod layer_program;
mod params;
#[cfg(feature = "evaluate")]
pub mod params_search;
#[cfg(feature = "evaluate")]
pub mod simulate;

pub use params::{InnerParams, NetworkParams, StageParams};
