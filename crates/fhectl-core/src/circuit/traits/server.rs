//! A circuit's server half.

#[cfg(feature = "evaluate")]
use crate::circuit::compiled::CompiledCircuit;
#[cfg(feature = "evaluate")]
use crate::error::Result;
#[cfg(feature = "evaluate")]
use crate::model::{Model, Quantizer};

/// Compiling a model, and predicting what its work takes.
#[cfg(feature = "evaluate")]
pub trait CircuitServer {
    /// Compiles a model for checked parameters.
    ///
    /// # Errors
    /// `model_invalid` where parameters and model do not belong together.
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>>;

    /// log2 of the chance that an inference of this very model goes wrong; `None` where answers carry noise. A client,
    /// which does not have the model, can only reckon with less ([`super::Circuit::least_failure_log2`]): whoever serves a
    /// model of another's making has to look.
    ///
    /// # Errors
    /// `model_invalid` where parameters and model do not belong together.
    fn failure_log2(&self, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>>;

    /// Predicted seconds of one core for decrypting an answer.
    fn decrypt_seconds(&self) -> f64;

    /// Predicted seconds of one core for the expensive steps of an inference: bootstraps, CMUXes, packed answers.
    /// Zero where expanding the request and re-randomizing the answer are all there is.
    fn evaluation_seconds(&self) -> f64 {
        0.0
    }

    /// The model in clear with the noise of its ciphertexts; `None` where answers are exact.
    ///
    /// # Errors
    /// `model_invalid` where parameters and model do not belong together.
    fn simulator(&self, model: &Model) -> Result<Option<Box<dyn Simulate>>> {
        let _ = model;
        Ok(None)
    }
}

/// Predicts encrypted answers without encrypting.
#[cfg(feature = "evaluate")]
pub trait Simulate: Send + Sync {
    /// The scores that a client would decrypt for one quantized row, one draw. The same `draw` gives the same noise.
    fn scores(&self, quantized: &[u32], draw: u64) -> Vec<i64>;
}

/// Empty without the feature `evaluate`.
#[cfg(not(feature = "evaluate"))]
pub trait CircuitServer {}
#[cfg(not(feature = "evaluate"))]
impl<T> CircuitServer for T {}
