//! The server's side of `PathCost` for sums of trees.

use super::PathCostSumParams;
use super::program::{Column, Leaf, Program};
use crate::circuit::torus;
use crate::error::Result;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::spaced::{BitSum, SpacedList};
use crate::fhe::{PartialGlwe, Random};
use rayon::prelude::*;

/// Answers one encrypted row: the masked counts and values of all leaves in random order, padded, re-randomised, cut.
///
/// A leaf costs `terms * k * N` additions a copy of the input and `k * N` multiply-adds a column, a ciphertext one
/// re-randomisation; ciphertexts in parallel.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the circuit's layout.
pub fn evaluate(
    params: &PathCostSumParams,
    program: &Program,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let input = SpacedList::expand(&params.input, params.stride, request)?;
    let work = Work { params, program, input, shares: shares(params, program, random), key };
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

/// For every tree and column a share: uniform, adding up to zero over trees, so that one tree's values say nothing.
fn shares(params: &PathCostSumParams, program: &Program, random: &mut Random) -> Vec<Vec<u64>> {
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
    program: &'a Program,
    input: SpacedList,
    shares: Vec<Vec<u64>>,
    key: Option<&'a Rerandomizer>,
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
                    out.bodies[at] = out.bodies[at].wrapping_add(torus(*factor, column.circle));
                }),
            }
        }
        let mut bytes = Vec::with_capacity(columns.len() * self.params.ciphertext_bytes());
        for mut glwe in out {
            if let (Some(key), Some(noise_flooding)) = (self.key, self.params.noise_flooding) {
                key.apply_partial(&mut glwe, noise_flooding, &mut random);
            }
            glwe.write(self.params.input.shape, self.params.response_bits, &mut bytes);
        }
        bytes
    }

    /// Adds a leaf to coefficient `at` of every column: `value + share + factor * violations`, with the value by the
    /// residue's modulus and nothing by the count's.
    fn leaf(&self, leaf: &Leaf, at: usize, factors: &[u64], sum: &mut BitSum, out: &mut [PartialGlwe]) {
        let bits = self.program.bits;
        for copy in 0..self.params.circles.len() {
            sum.clear();
            for (bit, negative) in &leaf.terms {
                self.input.add_bit(copy * bits + bit, *negative, sum);
            }
            for (index, column) in self.program.columns.iter().enumerate().filter(|(_, column)| column.copy == copy) {
                let out = &mut out[index];
                sum.add_to(centred(factors[index], column) * column.scale, at, out);
                let value = (leaf.residues[index] + self.shares[leaf.tree][index]) % column.modulus * column.unit;
                let constant = factors[index] * leaf.constant as u64;
                out.bodies[at] = out.bodies[at].wrapping_add(torus(value + constant, column.circle));
            }
        }
    }
}

/// A factor as the number of the smallest magnitude, at most half of the circle, so that noise grows the least.
fn centred(factor: u64, column: &Column) -> i64 {
    if factor > column.circle / 2 { factor as i64 - column.circle as i64 } else { factor as i64 }
}
