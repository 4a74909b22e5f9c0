//! The lines of `Linear` in a model card.

use super::params::LinearParams;
use crate::circuit::traits::{CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for LinearParams {
    fn parameters(&self) -> String {
        format!(
            "N={}, score step 2^{}, {} input bits, {} answer bits on the wire",
            self.shape.size, self.step_log2, self.input_bits, self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Bound
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the scores, exactly: {} answers to ordinary rows are enough to solve for the weights; from the public \
             parameters: that no score is beyond 2^{}",
            self.features + 1,
            63 - self.step_log2
        )
    }
}
