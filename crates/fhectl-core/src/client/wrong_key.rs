//! An answer as it looks to whoever has another key, for people who want to see it.

use super::model::ClientModel;
use crate::bundle::Predicted;
use crate::circuit::{ClientKey, Scores};
use crate::error::Result;
use crate::fhe::Entropy;
use crate::protocol::frame::{self, Lengths};

/// What an answer decrypts to under a key that it was not made for: noise.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongKeyAnswer {
    pub scores: Scores,
    pub predicted: Predicted,
}

impl ClientModel {
    /// Decrypts the first row of a batch of answers under a key that is drawn for this call and then wiped. The keys that the
    /// answer was made for have no part in it, so what comes out says nothing of them, nor of the row. `None` where the
    /// circuit sees that this is no answer.
    ///
    /// # Errors
    /// `ciphertext_invalid`, `format_version`, `wrong_model` or `answers_damaged` for bytes that are no answers of this
    /// model's.
    pub fn decrypt_with_wrong_key(&self, answers: &[u8], entropy: &mut dyn Entropy) -> Result<Option<WrongKeyAnswer>> {
        let circuit = &self.spec().circuit;
        let batch = frame::read_any_answers(self.id(), Lengths::of_answers(circuit), answers)?;
        let wrong = ClientKey::generate(circuit, entropy);
        let Ok(scores) = circuit.decode(&wrong.for_answers(circuit)?, batch.items[0]) else { return Ok(None) };
        let predicted = self.spec().predict(scores.values());
        Ok(Some(WrongKeyAnswer { scores, predicted }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Detail;
    use crate::error::ErrorCode;
    use crate::fhe::random::OsEntropy;
    use crate::protocol::frame::write_answers;

    #[test]
    fn a_wrong_key_reads_noise_and_never_the_right_scores() {
        let model =
            ClientModel::read(include_bytes!("../../../../compiled_model/tree-spam-leaf-sum/client.zip")).unwrap();
        let each = model.spec().circuit.response_bytes();
        // The last byte may have padding, which is zero.
        let answer: Vec<u8> = (1..=each).map(|index| if index < each { (index * 37) as u8 } else { 0 }).collect();
        let answers = write_answers(model.id(), &[7; 32], None, &[answer]);
        let seen: Vec<_> = (0..8).map(|_| model.decrypt_with_wrong_key(&answers, &mut OsEntropy).unwrap()).collect();
        // The same bytes under eight keys.
        assert!(seen.iter().any(|one| *one != seen[0]));
        let keys = model.generate_keys(&mut OsEntropy);
        let pending = crate::client::Pending::untagged(1);
        assert_eq!(
            model.decrypt(&keys, pending, &answers, Detail::Prediction).distrust.unwrap().code,
            ErrorCode::AnswersKey
        );
        let cut = &answers[..answers.len() - 1];
        assert_eq!(model.decrypt_with_wrong_key(cut, &mut OsEntropy).unwrap_err().code, ErrorCode::AnswersDamaged);
    }
}
