//! The lines of `Table` in a model card.

use super::params::TableParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for TableParams {
    fn parameters(&self) -> String {
        format!(
            "k={}, N={}, base 2^{}, {} level(s), {} input bits in GGSW ciphertexts of {} bits a word, {} score(s) of {} bits a \
             ciphertext, {} answer bits on the wire",
            self.bits.shape.dimension,
            self.bits.shape.size,
            self.bits.base_log,
            self.bits.levels,
            self.bits.count,
            self.bits.key_bits,
            self.scores_per_ciphertext,
            self.score_bits,
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Heuristic
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the scores, exactly; from the public parameters: that all lie in {} to {} (rounded outwards)",
            self.low,
            self.low + (1 << self.score_bits) - 1
        )
    }
}
