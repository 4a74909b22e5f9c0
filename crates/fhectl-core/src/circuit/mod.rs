//! Circuits: how a model becomes something that runs on ciphertexts.
//!
//! A circuit is one folder: its public parameters (`params`), the search for parameters whose noise fits
//! (`params_search`), the client's half (`client`), the server's half (`evaluate`) and the lines of its card (`card`).
//! Each file has one part of the trait [`Circuit`]. A new circuit is a folder, its line in the list of modules below, a
//! line in [`registry`], and where no kind of circuit that can be asked for fits, one in [`kind`].
//!
//! What circuits share stands in the files beside the folders; [`plan`] chooses between them.

#[cfg(feature = "client")]
mod answer;
mod answer_encoding;
#[cfg(feature = "evaluate")]
mod answer_writer;
#[cfg(feature = "evaluate")]
pub mod boxes;
mod checks;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod client_key;
#[cfg(feature = "evaluate")]
mod compiled;
#[cfg(feature = "evaluate")]
mod evaluation_key;
#[cfg(feature = "evaluate")]
mod evaluator;
#[cfg(feature = "evaluate")]
pub mod group_evaluator;
pub mod input_bits;
mod key_fact;
mod key_part;
pub mod kind;
#[cfg(feature = "evaluate")]
mod layered;
#[cfg(all(test, feature = "evaluate"))]
mod parameter_tests;
#[cfg(feature = "evaluate")]
pub mod plan;
mod prime;
pub mod registry;
pub mod residues;
mod reveal;
#[cfg(feature = "evaluate")]
mod row_error;
#[cfg(feature = "client")]
mod scores;
pub mod tag;
pub mod thermometer;
mod torus;
pub mod traits;

pub mod cmux_forest;
pub mod leaf_sum;
pub mod linear;
pub mod network;
pub mod path_cost;
pub mod path_cost_sum;
pub mod table;

pub use answer_encoding::AnswerEncoding;
#[cfg(feature = "client")]
pub use client::{decode, encode};
#[cfg(feature = "client")]
pub use client_key::{AnswerKey, ClientKey};
#[cfg(feature = "evaluate")]
pub use compiled::CompiledCircuit;
#[cfg(feature = "evaluate")]
pub use evaluation_key::EvaluationKey;
#[cfg(feature = "evaluate")]
pub use evaluator::Evaluator;
#[cfg(feature = "evaluate")]
pub use group_evaluator::{GroupEvaluator, RowGroup};
pub use key_fact::KeyFact;
pub use key_part::KeyPart;
pub use kind::CircuitKind;
#[cfg(feature = "evaluate")]
pub use layered::LayeredCircuit;
pub use registry::CircuitSpec;
pub use reveal::Reveal;
#[cfg(feature = "client")]
pub use scores::Scores;
pub use traits::{AsCircuit, Circuit, CircuitCard, CircuitClient, CircuitServer, NoiseClaim};
