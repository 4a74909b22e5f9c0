//! What people are told of a circuit.

use crate::model::Output;

/// What the noise of answers rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseClaim {
    /// Sums of fresh ciphertexts: tails are bounded by a theorem.
    Bound,
    /// Bootstraps or CMUXes: the same bound with noise formulas that are a heuristic.
    Heuristic,
}

/// The lines of a model card that are a circuit's own.
pub trait CircuitCard {
    /// The public parameters, in one line.
    fn parameters(&self) -> String;

    /// What failure rate and noise flooding rest on.
    fn noise_claim(&self) -> NoiseClaim;

    /// What a client learns from answers and public parameters, where the model itself is not public.
    fn leakage(&self, output: Output) -> String;
}
