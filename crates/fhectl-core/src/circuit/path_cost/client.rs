//! The client's side of `PathCost`.

use super::params::PathCostParams;
use crate::circuit::answer::{expect_len, one_hot, undecrypted};
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::thermometer;
use crate::circuit::torus::torus;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;

impl CircuitClient for PathCostParams {
    /// Encrypts the row's thermometer bits with step `2^64 / p`.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        let messages = thermometer::encode(quantizer, quantized, torus(1, self.modulus));
        self.input.encrypt(key.input(), &messages, entropy)
    }

    /// Looks for a leaf whose count is zero and returns its class one-hot, the default class where there is none.
    ///
    /// All leaves are decrypted, also after the one that is reached: the time until the next request would tell a server
    /// where that was, and with answers made to measure something of the key.
    ///
    /// # Errors
    /// `ciphertext_invalid` for another length, `answer_invalid` where the answer does not decrypt to a class.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let dimension = self.input.shape.lwe_dimension();
        let each = Lwe::wire_len(dimension, self.response_bits);
        let read = |bytes: &[u8]| -> Result<u64> {
            let lwe = Lwe::read(bytes, dimension, self.response_bits)?;
            Ok(key.phase(&lwe).nearest(self.modulus))
        };
        let mut reached = None;
        for leaf in answer.chunks(if self.values { 2 * each } else { each }) {
            let count = read(&leaf[..each])?;
            let class = if self.values { read(&leaf[each..])? as usize } else { 1 - self.default_class };
            reached = reached.or((count == 0).then_some(class));
        }
        let class = reached.unwrap_or(self.default_class);
        if class >= self.classes {
            return Err(undecrypted());
        }
        Ok(Scores::new(one_hot(class, self.classes)))
    }
}
