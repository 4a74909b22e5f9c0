//! A model compiled for its circuit.

use super::evaluation_key::EvaluationKey;
use super::layered::LayeredCircuit;
use super::row_error::in_row;
use crate::error::{Error, Result};
use crate::fhe::Random;
use rayon::prelude::*;

/// The server's work on encrypted rows, with all that it needs of parameters and model.
pub trait CompiledCircuit: Send + Sync {
    /// Answers one encrypted row.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the request does not have the circuit's layout, `key_missing` where the key is another
    /// circuit's.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>>;

    /// Answers encrypted rows, in parallel on the threads of the current rayon pool. Circuits that are better off with all
    /// rows in hand have their own.
    ///
    /// # Errors
    /// As [`CompiledCircuit::answer`], naming the row.
    fn answer_all(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        let tasks: Vec<_> = requests.iter().map(|request| (*request, random.fork())).collect();
        let answers = tasks.into_par_iter().enumerate().map(|(index, (request, mut random))| {
            self.answer(key, request, &mut random).map_err(|error| in_row(error, index))
        });
        answers.collect()
    }

    /// The same as layers, which any backend can compute. Nothing where the circuit does more than sum and look up.
    fn layered(&self) -> Option<LayeredCircuit> {
        None
    }
}

/// A model that is not the one that the parameters were made for.
pub(super) fn unfit() -> Error {
    crate::model::invalid("the model does not fit the circuit's parameters")
}
