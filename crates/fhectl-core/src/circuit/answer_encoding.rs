//! What the public parameters alone say of an answer: how safely it can be read, and how much it can carry.
//!
//! A client that was handed a bundle computes both itself. The bundle's own `p_fail` is its author's word.

use crate::fhe::{GlweShape, noise, public_key};

/// How the messages of an answer are read.
#[derive(Debug, Clone, Copy)]
pub struct AnswerEncoding {
    /// The noise that a message survives, in turns: half a step.
    pub margin: f64,
    /// Messages of an answer.
    pub messages: usize,
    /// The key that it comes back under.
    pub shape: GlweShape,
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl AnswerEncoding {
    /// log2 of the chance that one message of an answer is misread, where its noise is at least `own` (a variance) beside
    /// what re-randomizing, flooding and cutting add. Less than that no honest server can do.
    pub(super) fn least_failure(&self, own: f64) -> f64 {
        let zero = if self.noise_flooding.is_some() { public_key::zero_variance(self.shape) } else { 0.0 };
        let cut = noise::answer_rounding_variance(self.shape.lwe_dimension(), self.response_bits);
        let margin = self.margin - noise::flooding_reach(self.noise_flooding);
        noise::log2_failure(margin, own + zero + cut) + (self.messages.max(1) as f64).log2()
    }

    /// Bits that an answer can carry to whoever asked, at most; `None` where nothing limits them.
    pub(super) fn capacity(&self) -> Option<f64> {
        self.noise_flooding.map(|flooding| self.messages as f64 * noise::message_capacity(flooding))
    }
}
