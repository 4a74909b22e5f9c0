//! The client's side of `CmuxForest`.

use super::params::CmuxForestParams;
use crate::circuit::answer::expect_len;
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::circuit::{input_bits, residues};
use crate::error::Result;
use crate::fhe::{Entropy, PartialGlwe, encrypt};
use crate::model::Quantizer;

impl CircuitClient for CmuxForestParams {
    /// Encrypts the row's bits.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        encrypt::ggsw_list(&self.bits, &input_bits::encode(quantizer, quantized), key.answer(), entropy)
    }

    /// Decrypts the scores: their residues, put together.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let glwe = PartialGlwe::read(answer, self.bits.shape, self.coefficients(), self.response_bits)?;
        let phases = key.phases(&glwe);
        let scores = phases.chunks(self.moduli.len()).map(|phases| {
            let residues: Vec<u64> =
                phases.iter().zip(&self.moduli).map(|(phase, modulus)| phase.nearest(*modulus)).collect();
            self.low + residues::combine(&residues, &self.moduli) as i64
        });
        Ok(Scores::new(scores.collect()))
    }
}
