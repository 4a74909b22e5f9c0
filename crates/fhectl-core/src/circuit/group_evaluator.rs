//! Rows of several clients in one evaluation, on any backend.

use super::evaluation_key::EvaluationKey;
use super::evaluator::Evaluator;
use super::layered::LayeredCircuit;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::backend::{Backend, Group};
use crate::fhe::list::LweList;
use crate::fhe::part::PartParams;
use crate::fhe::{GlweShape, Random};

/// A model's layers on a backend.
///
/// It computes the same as [`Evaluator::evaluate`], for rows under several keys at once.
pub struct GroupEvaluator<B: Backend> {
    circuit: LayeredCircuit,
    parts: Vec<PartParams>,
    public_key: Option<GlweShape>,
    program: B::Program,
}

/// Rows of one client.
pub struct RowGroup<'a, B: Backend> {
    /// For the public part, with which answers are re-randomized.
    pub key: &'a EvaluationKey,
    /// The same key, loaded to the backend.
    pub loaded: &'a B::Key,
    pub requests: &'a [&'a [u8]],
}

impl<B: Backend> GroupEvaluator<B> {
    /// Loads a model's layers. Nothing where the circuit has none, or the backend no code for them.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn new(evaluator: &Evaluator, backend: &B) -> Result<Option<Self>> {
        let Some(circuit) = evaluator.layered() else { return Ok(None) };
        let parts = evaluator.key_parts().to_vec();
        if !backend.supports(&parts, &circuit.layers) {
            return Ok(None);
        }
        let program = backend.load_program(&circuit.layers)?;
        Ok(Some(Self { circuit, parts, public_key: evaluator.public_key(), program }))
    }

    /// Bootstraps of one row.
    pub fn bootstraps(&self) -> usize {
        self.circuit.bootstraps()
    }

    /// Bytes of a key in the backend's memory.
    pub fn key_bytes(&self, backend: &B) -> usize {
        backend.key_bytes(&self.parts, self.public_key)
    }

    /// Loads a key from its wire form, which [`Evaluator::unpack_key`] accepted.
    ///
    /// # Errors
    /// `ciphertext_invalid` where it is no key of the model, `device_failed`.
    pub fn load_key(&self, backend: &B, wire: &[u8], random: &mut Random) -> Result<B::Key> {
        backend.load_key(&self.parts, self.public_key, wire, Some(random))
    }

    /// Answers rows of several clients. An answer a row, a result a group: what is wrong with one client's rows is not the
    /// others' trouble.
    ///
    /// # Errors
    /// `device_failed`: nothing was computed, all groups may be tried again elsewhere. Of a group: as
    /// [`Evaluator::evaluate`].
    #[allow(clippy::type_complexity)]
    pub fn evaluate(
        &self,
        backend: &B,
        groups: &[RowGroup<'_, B>],
        random: &mut Random,
    ) -> Result<Vec<Result<Vec<Vec<u8>>>>> {
        let circuit = &self.circuit;
        // Refused before anything is computed: a group's key that another model accepted, malformed rows.
        let read: Vec<Result<Group<'_, B::Key>>> = groups
            .iter()
            .map(|group| {
                group.key.check_of(&self.parts, self.public_key)?;
                let rows = circuit.read_rows(group.requests, 0)?;
                Ok(Group { key: group.loaded, rows, zeros: circuit.zeros(group.key, random) })
            })
            .collect();
        let (mut good, mut outcomes) = (Vec::with_capacity(groups.len()), Vec::with_capacity(groups.len()));
        for group in read {
            outcomes.push(group.map(|group| good.push(group)));
        }
        let mut outputs = self.evaluate_groups(backend, &good)?.into_iter();
        let answers = groups.iter().zip(outcomes).map(|(group, outcome)| {
            outcome?;
            let outputs = outputs.next().ok_or_else(|| Error::new(ErrorCode::Internal, "a group without outputs"))?;
            circuit.answers(group.key, &outputs, group.requests.len(), random)
        });
        Ok(answers.collect())
    }

    fn evaluate_groups(&self, backend: &B, groups: &[Group<'_, B::Key>]) -> Result<Vec<LweList>> {
        if groups.is_empty() { Ok(Vec::new()) } else { backend.evaluate(&self.program, groups) }
    }
}
