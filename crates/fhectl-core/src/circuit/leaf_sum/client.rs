//! The client's side of `LeafSum`.

use super::params::LeafSumParams;
use crate::circuit::answer::{expect_len, one_hot};
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::thermometer;
use crate::circuit::torus::torus;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;

impl CircuitClient for LeafSumParams {
    /// Encrypts the row's thermometer bits under the small key.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        let messages = thermometer::encode(quantizer, quantized, torus(1, self.plaintext_modulus));
        self.input.encrypt(key.input(), &messages, entropy)
    }

    /// Decrypts the class, one-hot.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let lwe = Lwe::read(answer, self.bootstrap.output.lwe_dimension(), self.response_bits)?;
        let offset = key.phase(&lwe).nearest(self.classes as u64) as usize;
        Ok(Scores::new(one_hot((offset + self.default_class) % self.classes, self.classes)))
    }
}
