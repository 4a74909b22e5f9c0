//! The client's side of `Network`.

use super::params::NetworkParams;
use crate::circuit::answer::expect_len;
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::torus::torus;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;
use zeroize::Zeroizing;

impl CircuitClient for NetworkParams {
    /// Encrypts the quantized features, a coefficient each.
    fn encode(&self, _: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        let messages: Zeroizing<Vec<u64>> =
            Zeroizing::new(quantized.iter().map(|q| torus(u64::from(*q), self.plaintext_modulus)).collect());
        self.input.encrypt(key.input(), &messages, entropy)
    }

    /// Decrypts the scores to the nearest of [`NetworkParams::shown_levels`], from the half of the torus about zero.
    ///
    /// # Errors
    /// `ciphertext_invalid` for another length, `parameters_invalid` where scores could not be shown.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let levels = self.shown_levels()?;
        let score = |bytes: &[u8]| {
            let lwe = Lwe::read(bytes, self.output().lwe_dimension(), self.response_bits)?;
            Ok(self.score_of_level(key.phase(&lwe).nearest_signed(levels)))
        };
        Ok(Scores::new(answer.chunks(self.score_bytes()).map(score).collect::<Result<_>>()?))
    }
}
