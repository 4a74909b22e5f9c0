//! The lines of `PathCost` for sums of trees in a model card.

use super::params::PathCostSumParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for PathCostSumParams {
    fn parameters(&self) -> String {
        format!(
            "k={}, N={}, {} tree(s), {} leaves x {} coefficient(s), {} per ciphertext, plaintext moduli {:?} (one list a copy of \
             the input), counts modulo {}, {} score(s) a sum, {} input bits, {} answer bits on the wire",
            self.input.shape.dimension,
            self.input.shape.size,
            self.trees,
            self.slots,
            self.messages() / self.slots,
            self.stride,
            self.plaintext_moduli,
            self.count_modulus,
            self.scores_per_sum,
            self.input.bits,
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Bound
    }

    fn leakage(&self, output: Output) -> String {
        format!(
            "the {}, exactly, the number of trees that are no constants ({}), of their leaves in all, rounded up ({}), and that \
             no path tests {} features or more; from the public parameters: that scores lie in {} to {} (rounded outwards)",
            if output == Output::Value { "value" } else { "scores" },
            self.trees,
            self.slots,
            self.count_modulus,
            self.low,
            self.low + self.width as i64 - 1
        )
    }
}
