//! The server's side of `PathCost`.

use super::params::PathCostParams;
use super::params_search::failure;
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::boxes::{BoxTest, Boxes};
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::torus::{centered, torus};
use crate::circuit::traits::CircuitServer;
use crate::error::Result;
use crate::fhe::{GlweList, Lwe, Random, cost};
use crate::model::{Model, Quantizer};
use rayon::prelude::*;

impl CircuitServer for PathCostParams {
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        let boxes = Boxes::leaves(tree, quantizer);
        let fits = boxes.tests.len() <= self.leaves
            && u64::from(boxes.depth()) < self.modulus
            && boxes.base as usize == self.default_class
            && (self.values || !boxes.needs_values());
        if fits { Ok(Box::new(CompiledPathCost { params: self.clone(), boxes })) } else { Err(unfit()) }
    }

    fn failure_log2(&self, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        Ok(Some(failure(&Boxes::leaves(tree, quantizer), self)))
    }

    fn decrypt_seconds(&self) -> f64 {
        self.answers() as f64 * cost::decrypt_seconds(self.input.shape)
    }
}

struct CompiledPathCost {
    params: PathCostParams,
    boxes: Boxes,
}

impl CompiledCircuit for CompiledPathCost {
    /// Answers one encrypted row: every leaf's masked count (and class), in random order, padded, re-randomized, cut.
    ///
    /// `terms * k * N` multiply-adds and one re-randomization a ciphertext, leaves in parallel.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let Self { params, boxes } = self;
        let input = params.input.expand(request)?;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let mut slots: Vec<Option<&BoxTest>> = boxes.tests.iter().map(Some).collect();
        slots.resize(params.leaves, None);
        random.shuffle(&mut slots);
        let streams: Vec<Random> = slots.iter().map(|_| random.fork()).collect();
        let answers = slots.into_par_iter().zip(streams).map(|(slot, mut random)| {
            let mut bytes = Vec::new();
            for lwe in leaf(params, slot, &input, &mut random) {
                writer.lwe(lwe, &mut random, &mut bytes);
            }
            bytes
        });
        Ok(answers.collect::<Vec<_>>().concat())
    }
}

/// The ciphertexts of one leaf, `r * violations` and with values `class + r' * violations`; of padding, random
/// residues with a first that is not zero, as every leaf that is not reached has.
fn leaf(params: &PathCostParams, test: Option<&BoxTest>, input: &GlweList, random: &mut Random) -> Vec<Lwe> {
    let factor = 1 + random.below(params.modulus - 1);
    let value_factor = random.below(params.modulus);
    let Some(test) = test else {
        let messages = [factor, value_factor];
        return messages[..if params.values { 2 } else { 1 }].iter().map(|m| trivial(params, *m)).collect();
    };
    let mut out = vec![violations(params, test, factor, input)];
    if params.values {
        let mut value = violations(params, test, value_factor, input);
        value.body = value.body.wrapping_add(torus(u64::from(test.value), params.modulus));
        out.push(value);
    }
    out
}

fn trivial(params: &PathCostParams, message: u64) -> Lwe {
    let mut lwe = Lwe::zero(params.input.shape.lwe_dimension());
    lwe.body = torus(message, params.modulus);
    lwe
}

/// `factor * violations`, with the factor taken centered so that noise grows by at most `p / 2`.
fn violations(params: &PathCostParams, test: &BoxTest, factor: u64, input: &GlweList) -> Lwe {
    let factor = centered(factor, params.modulus);
    let mut sum = trivial(params, (factor * test.constant).rem_euclid(params.modulus as i64) as u64);
    for (bit, sign) in &test.terms {
        input.add_coefficient(*bit, sign * factor, &mut sum);
    }
    sum
}
