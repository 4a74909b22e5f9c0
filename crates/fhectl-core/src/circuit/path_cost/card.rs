//! The lines of `PathCost` in a model card.

use super::params::PathCostParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for PathCostParams {
    fn parameters(&self) -> String {
        format!(
            "N={}, p={}, {} leaves x {} ciphertext(s), {} input bits, {} answer bits on the wire",
            self.input.shape.size,
            self.modulus,
            self.leaves,
            if self.values { 2 } else { 1 },
            self.input.bits,
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Bound
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the class, the number of leaves rounded up to a power of two ({}), and that no path tests {} features or more",
            self.leaves, self.modulus
        )
    }
}
