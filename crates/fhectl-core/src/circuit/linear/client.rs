//! The client's side of `Linear`.

use super::params::LinearParams;
use crate::circuit::answer::expect_len;
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;
use zeroize::Zeroizing;

impl CircuitClient for LinearParams {
    /// Encrypts each quantized feature as `q * 2^step_log2`, one a coefficient.
    fn encode(&self, _: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        let messages: Zeroizing<Vec<u64>> =
            Zeroizing::new(quantized.iter().map(|q| u64::from(*q) << self.step_log2).collect());
        self.input_layout().encrypt(key.input(), &messages, entropy)
    }

    /// Decrypts the scores: the nearest signed multiple of the step.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        let dimension = self.shape.lwe_dimension();
        let each = Lwe::wire_len(dimension, self.response_bits);
        expect_len(answer, self.response_bytes())?;
        let scores = answer
            .chunks(each)
            .map(|bytes| {
                let lwe = Lwe::read(bytes, dimension, self.response_bits)?;
                Ok(key.phase(&lwe).nearest_signed(1 << (64 - self.step_log2)))
            })
            .collect::<Result<_>>()?;
        Ok(Scores::new(scores))
    }
}
