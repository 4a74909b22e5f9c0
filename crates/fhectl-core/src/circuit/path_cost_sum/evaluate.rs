//! The server's side of `PathCost` for sums of trees.

use super::leaf_program::{ForestBoxes, Leaf, LeafProgram};
use super::params::PathCostSumParams;
use super::params_search::failure;
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::torus::{centered, torus};
use crate::circuit::traits::CircuitServer;
use crate::error::Result;
use crate::fhe::spaced::{BitSum, SpacedList};
use crate::fhe::{PartialGlwe, Random, cost};
use crate::model::{IntegerForest, Model, Quantizer};
use rayon::prelude::*;

impl CircuitServer for PathCostSumParams {
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let program = LeafProgram::new(self, &ForestBoxes::new(forest(model)?, quantizer))?;
        Ok(Box::new(CompiledPathCostSum { params: self.clone(), program }))
    }

    fn failure_log2(&self, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>> {
        Ok(Some(failure(&ForestBoxes::new(forest(model)?, quantizer), self)))
    }

    fn decrypt_seconds(&self) -> f64 {
        self.ciphertexts() as f64 * cost::decrypt_partial_seconds(self.input.shape)
    }

    fn evaluation_seconds(&self) -> f64 {
        self.ciphertexts() as f64 * cost::rerandomize_partial_seconds(self.input.shape)
    }
}

fn forest(model: &Model) -> Result<&IntegerForest> {
    if let Model::Forest(forest) = model { Ok(forest) } else { Err(unfit()) }
}

struct CompiledPathCostSum {
    params: PathCostSumParams,
    program: LeafProgram,
}

impl CompiledCircuit for CompiledPathCostSum {
    /// Answers one encrypted row: the masked counts and values of all leaves in random order, padded, re-randomized, cut.
    ///
    /// A leaf costs `terms * k * N` additions a copy of the input and `k * N` multiply-adds a column, a ciphertext one
    /// re-randomization; ciphertexts in parallel.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let Self { params, program } = self;
        let input = SpacedList::expand(&params.input, params.stride, request)?;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let work = Work { params, program, input, shares: shares(params, program, random), writer };
        let mut slots: Vec<Option<&Leaf>> = program.leaves.iter().map(Some).collect();
        slots.resize(params.slots, None);
        random.shuffle(&mut slots);
        let tasks: Vec<_> = slots.chunks(params.stride).map(|slots| (slots, random.fork())).collect();
        let answers: Vec<Vec<u8>> = tasks
            .into_par_iter()
            .map_init(|| work.input.sum(), |sum, (slots, random)| work.answer(slots, sum, random))
            .collect();
        Ok(answers.concat())
    }
}

/// For every tree and column a share: uniform, adding up to zero over trees, so that one tree's values say nothing.
fn shares(params: &PathCostSumParams, program: &LeafProgram, random: &mut Random) -> Vec<Vec<u64>> {
    let mut last = vec![0; program.columns.len()];
    let mut shares: Vec<Vec<u64>> = (1..params.trees)
        .map(|_| {
            let columns = program.columns.iter().zip(&mut last);
            let draw = columns.map(|(column, last)| {
                let share = random.below(column.modulus);
                *last = (*last + column.modulus - share) % column.modulus;
                share
            });
            draw.collect()
        })
        .collect();
    shares.push(last);
    shares
}

/// What the ciphertexts of one answer are computed from.
struct Work<'a> {
    params: &'a PathCostSumParams,
    program: &'a LeafProgram,
    input: SpacedList,
    shares: Vec<Vec<u64>>,
    writer: AnswerWriter<'a>,
}

impl Work<'_> {
    /// The ciphertexts of `stride` slots, one a column.
    fn answer(&self, slots: &[Option<&Leaf>], sum: &mut BitSum, mut random: Random) -> Vec<u8> {
        let columns = &self.program.columns;
        let mut out = vec![PartialGlwe::zero(self.params.input.shape, self.params.stride); columns.len()];
        for (at, slot) in slots.iter().enumerate() {
            let factors: Vec<u64> = columns.iter().map(|column| column.factor(&mut random)).collect();
            match slot {
                Some(leaf) => self.leaf(leaf, at, &factors, sum, &mut out),
                // Padding looks like a leaf that is not reached: a count that is not zero, any value.
                None => out.iter_mut().zip(columns).zip(&factors).for_each(|((out, column), factor)| {
                    out.bodies[at] = out.bodies[at].wrapping_add(torus(*factor, column.plaintext_modulus));
                }),
            }
        }
        let mut bytes = Vec::with_capacity(columns.len() * self.params.ciphertext_bytes());
        for glwe in out {
            self.writer.glwe(glwe, self.params.input.shape, &mut random, &mut bytes);
        }
        bytes
    }

    /// Adds a leaf to coefficient `at` of every column: `value + share + factor * violations`, with the value by the
    /// residue's modulus and nothing by the count's.
    fn leaf(&self, leaf: &Leaf, at: usize, factors: &[u64], sum: &mut BitSum, out: &mut [PartialGlwe]) {
        let bits = self.program.bits;
        for copy in 0..self.params.plaintext_moduli.len() {
            sum.clear();
            for (bit, negative) in &leaf.terms {
                self.input.add_bit(copy * bits + bit, *negative, sum);
            }
            for (index, column) in self.program.columns.iter().enumerate().filter(|(_, column)| column.copy == copy) {
                let out = &mut out[index];
                sum.add_to(centered(factors[index], column.plaintext_modulus) * column.scale, at, out);
                let value = (leaf.residues[index] + self.shares[leaf.tree][index]) % column.modulus * column.unit;
                let constant = factors[index] * leaf.constant as u64;
                out.bodies[at] = out.bodies[at].wrapping_add(torus(value + constant, column.plaintext_modulus));
            }
        }
    }
}
