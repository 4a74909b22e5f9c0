//! The client's side of `Table`.

use super::params::TableParams;
use crate::circuit::answer::expect_len;
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::input_bits;
use crate::circuit::scores::Scores;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe, encrypt};
use crate::model::Quantizer;

impl CircuitClient for TableParams {
    /// Encrypts the row's bits.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        encrypt::ggsw_list(&self.bits, &input_bits::encode(quantizer, quantized), key.answer(), entropy)
    }

    /// Decrypts the scores.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let mut scores = Vec::with_capacity(self.scores);
        for bytes in answer.chunks(self.answer_bytes()) {
            let lwe = Lwe::read(bytes, self.bits.shape.lwe_dimension(), self.response_bits)?;
            let message = key.phase(&lwe).nearest(1 << self.message_bits());
            let left = self.scores - scores.len();
            scores.extend((0..self.scores_per_ciphertext.min(left)).map(|place| {
                let digit = message >> (place as u32 * self.score_bits) & ((1 << self.score_bits) - 1);
                self.low + digit as i64
            }));
        }
        Ok(Scores::new(scores))
    }
}
