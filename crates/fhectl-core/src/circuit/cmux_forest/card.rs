//! The lines of `CmuxForest` in a model card.

use super::params::CmuxForestParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for CmuxForestParams {
    fn parameters(&self) -> String {
        format!(
            "k={}, N={}, base 2^{}, {} level(s), {} input bits in GGSW ciphertexts of {} bits a word, {} score(s) modulo {}, {} \
             answer bits on the wire",
            self.bits.shape.dimension,
            self.bits.shape.size,
            self.bits.base_log,
            self.bits.levels,
            self.bits.count,
            self.bits.key_bits,
            self.scores,
            self.moduli.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Heuristic
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the score(s), exactly, and of single trees nothing; from the public parameters: about {} CMUXes, and that scores lie in \
             {} to {} (rounded outwards)",
            self.cmuxes,
            self.low,
            self.low + self.moduli.iter().product::<u64>() as i64 - 1
        )
    }
}
