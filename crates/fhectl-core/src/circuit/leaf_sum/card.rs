//! The lines of `LeafSum` in a model card.

use super::params::LeafSumParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for LeafSumParams {
    fn parameters(&self) -> String {
        format!(
            "n={}, k={}, N={}, base 2^{}, {} level(s), plaintext modulus {}, {} input bits, {} key bits, {} answer bits on the wire",
            self.bootstrap.lwe_dimension,
            self.bootstrap.output.dimension,
            self.bootstrap.output.size,
            self.bootstrap.base_log,
            self.bootstrap.levels,
            self.plaintext_modulus,
            self.input.bits,
            self.bootstrap.key_bits,
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Heuristic
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the class; from the public parameters: {} bootstraps, each of a box of at most {} features",
            self.boxes,
            self.plaintext_modulus / 2
        )
    }
}
