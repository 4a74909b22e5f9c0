//! A circuit's client half.

#[cfg(feature = "client")]
use crate::circuit::client_key::{AnswerKey, ClientKey};
#[cfg(feature = "client")]
use crate::circuit::scores::Scores;
#[cfg(feature = "client")]
use crate::error::Result;
#[cfg(feature = "client")]
use crate::fhe::Entropy;
#[cfg(feature = "client")]
use crate::model::Quantizer;

/// Encrypting rows and decrypting answers.
#[cfg(feature = "client")]
pub trait CircuitClient {
    /// Encrypts one quantized row, exactly [`super::Circuit::input_layout`]'s bytes.
    ///
    /// # Panics
    /// Where the row does not come from the model's quantizer.
    fn encode(&self, quantizer: &Quantizer, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8>;

    /// Decrypts one answer into the scores that [`crate::model::Model::scores`] gives in clear; of circuits that are not
    /// exact, with noise, rounded.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes are not an answer of this circuit, `answer_invalid` where they decrypt to
    /// nothing that it gives.
    fn decode(&self, key: &AnswerKey<'_>, answer: &[u8]) -> Result<Scores>;
}

/// Empty without the feature `client`.
#[cfg(not(feature = "client"))]
pub trait CircuitClient {}
#[cfg(not(feature = "client"))]
impl<T> CircuitClient for T {}
