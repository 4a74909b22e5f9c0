//! The server's side of `CmuxForest`.

use super::params::CmuxForestParams;
use super::params_search::failure;
use super::walk_program::{Block, Child, Split, WalkProgram};
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::residues;
use crate::circuit::row_error::in_row;
use crate::circuit::traits::{Circuit, CircuitServer};
use crate::error::Result;
use crate::fhe::external_product::{MAX_ACCUMULATORS, Workspace};
use crate::fhe::fourier_ggsws::{FourierGgsws, ScratchBuffer};
use crate::fhe::zeros::ZeroPool;
use crate::fhe::{GlweShape, PartialGlwe, Random, cost};
use crate::model::{IntegerForest, Model, Quantizer};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Mutex;

/// Encryptions of zero that all splits between leaves share; each costs as much as a CMUX or two.
const ZEROS: usize = 8;

impl CircuitServer for CmuxForestParams {
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let forest = forest(model)?;
        let top = residues::product(&self.moduli).and_then(|product| self.low.checked_add(product as i64));
        let held = |(low, high): &(i64, i64)| *low >= self.low && top.is_some_and(|top| *high < top);
        if forest.biases.len() != self.scores || !forest.score_ranges().iter().all(held) {
            return Err(unfit());
        }
        let program = WalkProgram::new(&forest, quantizer, self.low, &self.moduli);
        Ok(Box::new(CompiledForest { params: self.clone(), program, scratch: ScratchBuffers::default() }))
    }

    fn failure_log2(&self, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>> {
        let walk = WalkProgram::new(&*forest(model)?, quantizer, self.low, &self.moduli).walk();
        Ok(Some(failure(self, &walk)))
    }

    fn decrypt_seconds(&self) -> f64 {
        cost::decrypt_partial_seconds(self.bits.shape)
    }

    fn evaluation_seconds(&self) -> f64 {
        self.cmuxes as f64 * cost::cmux_seconds(&self.bits)
    }
}

/// A model as a sum of trees.
pub(super) fn forest(model: &Model) -> Result<Cow<'_, IntegerForest>> {
    match model {
        Model::Tree(tree) => Ok(Cow::Owned(IntegerForest::of_tree(tree))),
        Model::Forest(forest) => Ok(Cow::Borrowed(forest)),
        _ => Err(unfit()),
    }
}

/// Scratch buffers of inferences that ended, for those that come: at most as many as were ever in use at once.
#[derive(Default)]
struct ScratchBuffers(Mutex<Vec<(ScratchBuffer, Vec<u64>)>>);

impl ScratchBuffers {
    fn take(&self) -> (ScratchBuffer, Vec<u64>) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop().unwrap_or_default()
    }

    fn put(&self, ggsws: ScratchBuffer, results: Vec<u64>) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((ggsws, results));
    }
}

struct CompiledForest {
    params: CmuxForestParams,
    program: WalkProgram,
    scratch: ScratchBuffers,
}

impl CompiledCircuit for CompiledForest {
    /// Answers one encrypted row with the residues of its scores, re-randomized and cut.
    ///
    /// Noise: a CMUX's variance ([`crate::fhe::ggsw::GgswLayout::cmux_variance`]) for each bit that a path compares, over
    /// all trees, and an encryption of zero's a tree. It is new in each evaluation: a split between two leaves begins with
    /// a fresh zero ([`ZeroPool`]), and every other one has the result of a split in all that it decomposes. Cost: the
    /// compared bits are unpacked, then a CMUX a compared bit of each distinct split; splits of one height and feature
    /// share passes over their bits.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let Self { params, program, scratch } = self;
        let GlweShape { dimension, size } = params.bits.shape;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let used = program.used_bits();
        let (ggsws, mut results) = scratch.take();
        let bits = Bits {
            ggsws: FourierGgsws::unpack_into(ggsws, &params.bits, request, &used)?,
            places: places(&used, params.bits.count),
            features: &program.features,
            zeros: key.rerandomizer().map(|key| ZeroPool::new(key, ZEROS, program.starts(), random)),
        };
        let mut sum = vec![0u64; (dimension + 1) * size];
        let mut leaf = 0;
        for block in &program.blocks {
            bits.walk(block, leaf, &mut results, &mut sum);
            leaf += block.starts();
        }
        scratch.put(bits.ggsws.into_buffer(), results);
        let (mask, body) = sum.split_at(dimension * size);
        let bodies = body.iter().zip(&program.constant).map(|(body, constant)| body.wrapping_add(*constant));
        let answer = PartialGlwe { mask: mask.to_vec(), bodies: bodies.collect() };
        let mut bytes = Vec::with_capacity(params.response_bytes());
        writer.glwe(answer, params.bits.shape, random, &mut bytes);
        Ok(bytes)
    }

    /// One after the other: each takes some 40 MB, and a thread that waits within one would begin the next.
    fn answer_all(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        let answers = requests
            .iter()
            .enumerate()
            .map(|(index, request)| self.answer(key, request, random).map_err(|error| in_row(error, index)));
        answers.collect()
    }
}

/// For each bit its place among those that are unpacked; what is not compared has none and is never asked for.
fn places(used: &[usize], count: usize) -> Vec<usize> {
    let mut places = vec![0; count];
    used.iter().enumerate().for_each(|(place, bit)| places[*bit] = place);
    places
}

/// A row's bits, as far as any split compares them.
struct Bits<'a> {
    ggsws: FourierGgsws,
    places: Vec<usize>,
    features: &'a [(usize, u32)],
    /// For splits between leaves.
    zeros: Option<ZeroPool>,
}

impl Bits<'_> {
    /// Adds the values of all trees of a block to `sum`, a GLWE ciphertext. Its splits between leaves take the pool's from
    /// `leaf` on.
    fn walk(&self, block: &Block, leaf: usize, results: &mut Vec<u64>, sum: &mut [u64]) {
        let glwe = sum.len();
        // Every split's result is written before it is read.
        results.resize(block.splits.len() * glwe, 0);
        let groups: Vec<_> = block.groups().collect();
        let mut groups = groups.as_slice();
        let mut start = 0;
        for end in &block.heights {
            let (done, rest) = results.split_at_mut(start * glwe);
            let mut level = &mut rest[..(end - start) * glwe];
            let (of_level, later) = groups.split_at(groups.partition_point(|group| group.start < *end));
            let mut tasks = Vec::with_capacity(of_level.len());
            for group in of_level {
                let (out, others) = level.split_at_mut(group.len() * glwe);
                tasks.push((group.clone(), out));
                level = others;
            }
            let results = Results { leaves: &block.leaves, splits: done, glwe, body: glwe - self.size() };
            let zeros = self.zeros.as_ref().filter(|_| start == 0);
            tasks.into_par_iter().for_each_init(
                || (self.ggsws.workspace(), vec![0; MAX_ACCUMULATORS * glwe]),
                |scratch, (group, out)| {
                    let zeros = zeros.map(|pool| (pool, leaf + group.start));
                    self.choose(&block.splits[group], zeros, &results, out, scratch);
                },
            );
            (start, groups) = (*end, later);
        }
        let results = Results { leaves: &block.leaves, splits: results, glwe, body: glwe - self.size() };
        block.roots.iter().for_each(|root| results.add(*root, sum));
    }

    fn size(&self) -> usize {
        self.ggsws.layout().shape.size
    }

    /// For each split of a group (one feature, first compared bits ascending) the child it chooses.
    ///
    /// `v` starts as `high`, from the lowest bit up: where the threshold's bit is one, `v = bit ? v : low`, where it is
    /// zero, `v = bit ? high : v`. The threshold's trailing zeros leave `v` as it is. The first step decomposes
    /// `high - low`: between leaves a zero is added to it, so that nothing that is decomposed is trivial.
    fn choose(
        &self,
        splits: &[Split],
        zeros: Option<(&ZeroPool, usize)>,
        results: &Results<'_>,
        out: &mut [u64],
        (workspace, factors): &mut (Workspace, Vec<u64>),
    ) {
        let glwe = results.glwe;
        for (index, (split, value)) in splits.iter().zip(out.chunks_mut(glwe)).enumerate() {
            match zeros {
                Some((pool, first)) => pool.write(first + index, value),
                None => value.fill(0),
            }
            results.add(split.high, value);
        }
        let (first, width) = self.features[splits[0].feature];
        for bit in 0..width {
            let active = splits.partition_point(|split| split.threshold.trailing_zeros() <= bit);
            for ((split, value), factor) in
                splits[..active].iter().zip(out.chunks_mut(glwe)).zip(factors.chunks_mut(glwe))
            {
                if split.threshold >> bit & 1 == 1 {
                    // low + bit * (v - low)
                    results.subtract_from(split.low, value, factor);
                    results.copy(split.low, value);
                } else {
                    // v + bit * (high - v)
                    results.subtract(split.high, value, factor);
                }
            }
            if active > 0 {
                let place = |bit: u32| self.places[first + bit as usize];
                // The next bit is compared as well: thresholds have fewer trailing zeros than bits.
                let next = (bit + 1 < width).then(|| place(bit + 1));
                let (factors, out) = (&factors[..active * glwe], &mut out[..active * glwe]);
                self.ggsws.add_products(place(bit), next, factors, out, workspace);
            }
        }
    }
}

/// What lower heights left: GLWE ciphertexts of splits, and leaves, which are trivial.
struct Results<'a> {
    leaves: &'a [Vec<u64>],
    splits: &'a [u64],
    /// Words of a ciphertext, and where its body begins.
    glwe: usize,
    body: usize,
}

impl Results<'_> {
    fn split(&self, at: usize) -> &[u64] {
        &self.splits[at * self.glwe..][..self.glwe]
    }

    /// `out = child`
    fn copy(&self, child: Child, out: &mut [u64]) {
        match child {
            Child::Split(at) => out.copy_from_slice(self.split(at)),
            Child::Leaf(at) => {
                out.fill(0);
                out[self.body..][..self.leaves[at].len()].copy_from_slice(&self.leaves[at]);
            }
        }
    }

    /// `out = value - child`
    fn subtract_from(&self, child: Child, value: &[u64], out: &mut [u64]) {
        match child {
            Child::Split(at) => {
                for ((out, value), child) in out.iter_mut().zip(value).zip(self.split(at)) {
                    *out = value.wrapping_sub(*child);
                }
            }
            Child::Leaf(at) => {
                out.copy_from_slice(value);
                for (out, leaf) in out[self.body..].iter_mut().zip(&self.leaves[at]) {
                    *out = out.wrapping_sub(*leaf);
                }
            }
        }
    }

    /// `out = child - value`
    fn subtract(&self, child: Child, value: &[u64], out: &mut [u64]) {
        self.subtract_from(child, value, out);
        out.iter_mut().for_each(|word| *word = word.wrapping_neg());
    }

    /// `sum += child`
    fn add(&self, child: Child, sum: &mut [u64]) {
        match child {
            Child::Split(at) => {
                sum.iter_mut().zip(self.split(at)).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
            Child::Leaf(at) => {
                for (sum, leaf) in sum[self.body..].iter_mut().zip(&self.leaves[at]) {
                    *sum = sum.wrapping_add(*leaf);
                }
            }
        }
    }
}
