//! The server's whole share of an inference.

use super::compiled::CompiledCircuit;
use super::evaluation_key::EvaluationKey;
use super::layered::LayeredCircuit;
use super::registry::CircuitSpec;
use super::tag;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::part::PartParams;
use crate::fhe::{GlweShape, Random};
use crate::model::{Model, Quantizer};

/// A model compiled for its circuit: unpacks keys, answers encrypted rows and tags.
pub struct Evaluator {
    spec: CircuitSpec,
    /// What its keys are made of, and whether a public key is part of them.
    key_parts: Vec<PartParams>,
    public_key: Option<GlweShape>,
    compiled: Box<dyn CompiledCircuit>,
}

impl Evaluator {
    /// Compiles a model for a checked spec.
    ///
    /// # Errors
    /// `model_invalid` where spec and model do not belong together.
    pub fn new(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer) -> Result<Self> {
        let compiled = spec.compile(model, quantizer)?;
        let key_parts = spec.part_params();
        Ok(Self { spec: spec.clone(), key_parts, public_key: spec.public_key_shape(), compiled })
    }

    pub fn spec(&self) -> &CircuitSpec {
        &self.spec
    }

    /// What evaluation keys begin with on the wire, before the public key.
    pub fn key_parts(&self) -> &[PartParams] {
        &self.key_parts
    }

    /// The shape of the public key that follows the parts, where answers are re-randomized.
    pub fn public_key(&self) -> Option<GlweShape> {
        self.public_key
    }

    /// The model as layers, which any backend can compute; see [`super::GroupEvaluator`].
    pub fn layered(&self) -> Option<LayeredCircuit> {
        self.compiled.layered()
    }

    /// Reads an evaluation key in its wire form, exactly the circuit's `key_bytes` long. `random` orders the blind
    /// rotations, where answers are re-randomized.
    ///
    /// # Errors
    /// `key_invalid` where the length or padding is wrong.
    pub fn unpack_key(&self, bytes: &[u8], random: &mut Random) -> Result<EvaluationKey> {
        let expected = self.spec.key_bytes();
        let wrong = |what: String| {
            Error::new(ErrorCode::KeyInvalid, what)
                .hint("make the keys again with this model's client.zip; they may belong to another model")
        };
        if bytes.len() != expected {
            return Err(wrong(format!("an evaluation key of {} bytes, this model's has {expected}", bytes.len())));
        }
        EvaluationKey::unpack(&self.key_parts, self.public_key, bytes, self.public_key.map(|_| random))
            .map_err(|error| wrong(error.message))
    }

    /// Answers encrypted rows, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` naming the row where a request does not have the circuit's layout, `key_missing` where the key
    /// was unpacked for another circuit.
    pub fn evaluate(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        key.check_of(&self.key_parts, self.public_key)?;
        self.compiled.answer_all(key, requests, random)
    }

    /// Answers an encrypted tag (see [`tag`]) with the same keys, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the request does not have the layout of the circuit's tags, `key_missing` where the key
    /// was unpacked for another circuit.
    pub fn answer_tag(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let layout = self.spec.tag();
        let layout =
            layout.ok_or_else(|| Error::new(ErrorCode::CiphertextInvalid, "this model's batches have no tag"))?;
        key.check_of(&self.key_parts, self.public_key)?;
        tag::evaluate::answer(&layout, key, request, random).map_err(|error| error.context("tag"))
    }
}
