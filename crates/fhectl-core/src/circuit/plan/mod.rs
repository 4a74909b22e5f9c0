//! Choosing a circuit and its parameters.

mod candidate;
mod choose;
mod guarantees;
mod no_parameters;
mod request;
mod search;
mod wire_bits;

pub(super) use candidate::KEY_MEGABYTE_WORTH_SECONDS;
pub use candidate::{Candidate, PLANNED_CORES};
pub use choose::{Plan, plan};
pub use guarantees::Guarantees;
pub(super) use no_parameters::no_parameters;
pub use request::PlanRequest;
pub use search::Search;
pub(super) use wire_bits::{SumNoise, WireBits, close_wire_bits, cut_beside_flooding};
