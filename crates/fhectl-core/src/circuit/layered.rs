//! Circuits that alternate sums and look-ups, which any backend can compute.

use super::answer_writer::AnswerWriter;
use super::evaluation_key::EvaluationKey;
use super::row_error::in_row;
use crate::error::Result;
use crate::fhe::layer::Layer;
use crate::fhe::list::LweList;
use crate::fhe::zeros::Zeros;
use crate::fhe::{GlweList, Random, SeededLayout};
use rayon::prelude::*;
use std::sync::Arc;

/// A model as layers, with what surrounds them: inputs from the wire, answers to it.
#[derive(Clone)]
pub struct LayeredCircuit {
    pub layers: Arc<[Layer]>,
    pub input: SeededLayout,
    /// Bits of each word of an answer.
    pub response_bits: u32,
    /// In units of 2^-64.
    pub noise_flooding: Option<u64>,
}

impl LayeredCircuit {
    /// Ciphertexts of one answer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.sums.len())
    }

    /// Bootstraps of one row.
    pub fn bootstraps(&self) -> usize {
        self.layers.iter().map(Layer::bootstraps).sum()
    }

    /// Reads the encrypted inputs of rows.
    ///
    /// # Errors
    /// `ciphertext_invalid` naming the row, counted from `first`.
    pub(super) fn read_rows(&self, requests: &[&[u8]], first: usize) -> Result<Vec<GlweList>> {
        let rows = requests.par_iter().enumerate();
        rows.map(|(row, request)| self.input.expand(request).map_err(|error| in_row(error, first + row))).collect()
    }

    /// Encryptions of zero for each layer, where the key has what they are made with.
    pub(super) fn zeros<'a>(&self, key: &'a EvaluationKey, random: &mut Random) -> Vec<Zeros<'a>> {
        let Some(public) = key.rerandomizer() else { return Vec::new() };
        self.layers.iter().map(|_| Zeros::new(public, random)).collect()
    }

    /// The answers to `rows` rows in their wire form: each ciphertext re-randomized and cut.
    ///
    /// # Errors
    /// `key_missing` where answers are flooded and the key has no public part.
    pub(super) fn answers(
        &self,
        key: &EvaluationKey,
        outputs: &LweList,
        rows: usize,
        random: &mut Random,
    ) -> Result<Vec<Vec<u8>>> {
        let writer = AnswerWriter::new(key.rerandomizer(), self.noise_flooding, self.response_bits)?;
        let each = self.outputs();
        let streams: Vec<Random> = (0..rows).map(|_| random.fork()).collect();
        let answers = streams.into_par_iter().enumerate().map(|(row, mut random)| {
            let mut bytes = Vec::new();
            for index in row * each..(row + 1) * each {
                writer.lwe(outputs.lwe(index), &mut random, &mut bytes);
            }
            bytes
        });
        Ok(answers.collect())
    }
}
