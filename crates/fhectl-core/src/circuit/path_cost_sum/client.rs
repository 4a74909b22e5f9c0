//! The client's side of `PathCost` for sums of trees.

use super::params::PathCostSumParams;
use crate::circuit::answer::{expect_len, undecrypted};
use crate::circuit::client_key::{AnswerKey, ClientKey};
use crate::circuit::scores::Scores;
use crate::circuit::torus::torus;
use crate::circuit::traits::{Circuit, CircuitClient};
use crate::circuit::{residues, thermometer};
use crate::error::Result;
use crate::fhe::{Entropy, PartialGlwe};
use crate::model::Quantizer;
use zeroize::Zeroizing;

impl CircuitClient for PathCostSumParams {
    /// Encrypts the row's thermometer bits once for each set of moduli, with step `2^64` over the product of the set.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut messages = Zeroizing::new(vec![0; self.input.bodies]);
        let mut spread = messages.iter_mut().step_by(self.stride);
        for copy in &self.plaintext_moduli {
            let bits = thermometer::encode(quantizer, quantized, torus(1, copy.iter().product()));
            bits.iter().zip(&mut spread).for_each(|(bit, message)| *message = *bit);
        }
        self.input.encrypt(key.input(), &messages, entropy)
    }

    /// Adds up what stands at the leaves that were reached, as many as there are trees.
    ///
    /// # Errors
    /// `ciphertext_invalid` for another length, `answer_invalid` where the answer does not decrypt to one leaf a tree and
    /// scores in the published range.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores> {
        expect_len(answer, self.response_bytes())?;
        let moduli = self.value_moduli();
        let plaintext_moduli = self.plaintext_moduli.concat();
        let mut sums = vec![0; self.columns()];
        let mut reached = 0;
        for slots in answer.chunks(self.columns() * self.ciphertext_bytes()) {
            let mut columns = Vec::with_capacity(self.columns());
            for (bytes, modulus) in slots.chunks(self.ciphertext_bytes()).zip(plaintext_moduli.iter().cycle()) {
                let glwe = PartialGlwe::read(bytes, self.input.shape, self.stride, self.response_bits)?;
                let phases = key.phases(&glwe).into_iter();
                columns.push(phases.map(|phase| phase.nearest(*modulus)).collect::<Vec<_>>());
            }
            let is_reached = |slot: &usize| columns[0][*slot].is_multiple_of(self.count_modulus);
            for slot in (0..self.stride).filter(is_reached) {
                reached += 1;
                for ((residue, column), modulus) in sums.iter_mut().zip(&columns).zip(moduli.iter().cycle()) {
                    *residue = (*residue + column[slot]) % modulus;
                }
            }
        }
        if reached != self.trees {
            return Err(undecrypted());
        }
        let mut scores = Vec::with_capacity(self.scores);
        for own in sums.chunks(moduli.len()) {
            let mut sum = residues::combine(own, &moduli);
            for _ in 0..self.scores_per_sum.min(self.scores - scores.len()) {
                scores.push(self.low + (sum % self.width) as i64);
                sum /= self.width;
            }
            if sum != 0 {
                return Err(undecrypted());
            }
        }
        Ok(Scores::new(scores))
    }
}
