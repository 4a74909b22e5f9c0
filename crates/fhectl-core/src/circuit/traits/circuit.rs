//! A circuit's public parameters: what both halves know.

use super::{CircuitCard, CircuitClient, CircuitServer};
use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::key_fact::KeyFact;
use crate::circuit::key_part::KeyPart;
use crate::circuit::tag::TagLayout;
use crate::error::Result;
#[cfg(feature = "evaluate")]
use crate::fhe::cost;
use crate::fhe::part::PartParams;
use crate::fhe::{GlweShape, SeededLayout, public_key};
use crate::model::{Output, Quantizer};
use std::fmt;

/// A circuit with its parameters: all that a client must know to encrypt and decrypt, and nothing secret.
pub trait Circuit: CircuitCard + CircuitClient + CircuitServer + fmt::Debug + Send + Sync {
    /// Checks that the parameters can be computed with and fit the model's shape, so that nothing after can panic.
    ///
    /// # Errors
    /// `parameters_invalid`.
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()>;

    /// What an encrypted input is made of.
    fn input_layout(&self) -> SeededLayout;

    /// Exact bytes of one encrypted answer.
    fn response_bytes(&self) -> usize;

    /// How answers are read.
    fn answer_encoding(&self) -> AnswerEncoding;

    /// log2 of the chance of a wrong answer that the public parameters have at least, whatever the model: fresh noise, cut
    /// bits, flooding and one term. `None` where answers carry noise and are not exact.
    fn least_failure_log2(&self) -> Option<f64>;

    /// The client's secret keys: the one for inputs first, the one for answers last.
    fn keys(&self) -> Vec<KeyFact> {
        vec![KeyFact { role: "inputs and answers", shape: self.answer_encoding().shape }]
    }

    /// The evaluation key but for the public key, in the order in which a row goes through it.
    fn key_parts(&self) -> Vec<KeyPart> {
        Vec::new()
    }

    /// Bootstraps an inference.
    fn bootstraps(&self) -> usize {
        0
    }

    /// CMUXes an inference, those of bootstraps not counted.
    fn cmuxes(&self) -> usize {
        0
    }

    /// What a tag of this circuit is made of; `None` where it has no evaluation key.
    fn tag(&self) -> Option<TagLayout> {
        let encoding = self.answer_encoding();
        encoding.noise_flooding.map(|_| TagLayout::in_one_ciphertext(encoding.shape))
    }

    /// Of scores that carry noise, how many levels each may be shown in; `None` where scores are exact.
    ///
    /// # Errors
    /// `parameters_invalid` where nothing may be shown.
    fn noisy_score_levels(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}

/// What follows from the rest.
impl dyn Circuit + '_ {
    /// Whether answers are the clear model's but for a failure rate, and not with noise.
    pub fn is_exact(&self) -> bool {
        self.least_failure_log2().is_some()
    }

    /// Whether answers are re-randomized before they leave the server.
    pub fn rerandomized(&self) -> bool {
        self.answer_encoding().noise_flooding.is_some()
    }

    /// The bits that one answer can carry at most to whoever sent the question, honest or not: messages times log2 of the
    /// modulus over the width of the flooding noise ([`crate::fhe::noise::message_capacity`]). `None` where answers are not
    /// re-randomized.
    pub fn capacity_bits(&self) -> Option<f64> {
        self.answer_encoding().capacity()
    }

    /// The key that answers are decrypted with.
    pub fn answer_shape(&self) -> GlweShape {
        self.answer_encoding().shape
    }

    /// The key that answers are re-randomized with, where they are.
    pub fn public_key_shape(&self) -> Option<GlweShape> {
        self.rerandomized().then(|| self.answer_shape())
    }

    /// What evaluation keys begin with on the wire, before the public key.
    pub fn part_params(&self) -> Vec<PartParams> {
        self.key_parts().iter().map(|part| part.params).collect()
    }

    /// Exact bytes of one client's evaluation key; 0 where none is needed.
    pub fn key_bytes(&self) -> usize {
        let public = self.public_key_shape().map_or(0, |shape| public_key::layout(shape).wire_len());
        public + self.part_params().iter().map(PartParams::wire_len).sum::<usize>()
    }

    /// Bytes that one client's evaluation key takes in a server's memory once it is unpacked.
    pub fn unpacked_key_bytes(&self) -> usize {
        let public = self.public_key_shape().map_or(0, public_key::unpacked_bytes);
        public + self.part_params().iter().map(PartParams::unpacked_bytes).sum::<usize>()
    }

    /// Exact bytes of one encrypted input.
    pub fn request_bytes(&self) -> usize {
        self.input_layout().wire_len()
    }

    /// Exact bytes of one encrypted tag; 0 where the circuit has none.
    pub fn tag_request_bytes(&self) -> usize {
        self.tag().map_or(0, |tag| tag.request.wire_len())
    }

    /// Exact bytes of one encrypted tag's answer; 0 where the circuit has none.
    pub fn tag_response_bytes(&self) -> usize {
        self.tag().map_or(0, |tag| tag.response_bytes())
    }

    /// Predicted seconds of one core for an encrypted row, before anything was measured.
    #[cfg(feature = "evaluate")]
    pub fn row_seconds(&self) -> f64 {
        let answer = self.public_key_shape().map_or(0.0, cost::rerandomize_seconds);
        self.evaluation_seconds() + answer + cost::expand_seconds(&self.input_layout())
    }

    /// Predicted seconds of one core for a tag: its look-ups and encryptions of zero.
    #[cfg(feature = "evaluate")]
    pub fn tag_seconds(&self) -> f64 {
        let Some(tag) = self.tag() else { return 0.0 };
        let parts = self.part_params();
        let bootstrap = parts.iter().find_map(PartParams::bootstrap);
        let Some(bootstrap) = bootstrap else { return cost::rerandomize_partial_seconds(tag.output) };
        let look_ups = f64::from(tag.look_ups) * cost::bootstrap_seconds(bootstrap);
        tag.symbols() as f64 * (look_ups + cost::rerandomize_seconds(tag.output))
    }
}

/// What is a circuit or holds one.
pub trait AsCircuit {
    fn as_circuit(&self) -> &dyn Circuit;
}

impl<T: Circuit> AsCircuit for T {
    fn as_circuit(&self) -> &dyn Circuit {
        self
    }
}
