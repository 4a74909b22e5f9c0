//! A sum of trees, compiled: leaf tests, and then the residues that leaves carry.

use super::params::PathCostSumParams;
use crate::circuit::boxes::{BoxTest, value_leaves};
use crate::circuit::compiled::unfit;
use crate::circuit::{residues, thermometer};
use crate::error::Result;
use crate::fhe::Random;
use crate::model::{IntegerForest, Quantizer};

/// A sum of trees as leaf tests: of each tree exactly one is met. Constants are apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForestBoxes {
    /// One a score.
    pub constants: Vec<i64>,
    /// At least one tree; those of one leaf are constants.
    pub trees: Vec<Vec<BoxTest<Vec<i32>>>>,
    /// Thermometer bits of a row.
    bits: usize,
}

impl ForestBoxes {
    pub fn new(forest: &IntegerForest, quantizer: &Quantizer) -> Self {
        let mut constants = forest.biases.clone();
        let mut trees = Vec::new();
        for tree in &forest.trees {
            let tests = value_leaves(tree, quantizer);
            match tests.as_slice() {
                [only] => {
                    constants.iter_mut().zip(&only.value).for_each(|(constant, value)| *constant += i64::from(*value));
                }
                _ => trees.push(tests),
            }
        }
        if trees.is_empty() {
            // A model that is a constant: one leaf, always reached.
            let value = vec![0; constants.len()];
            trees.push(vec![BoxTest { value, features: 0, constant: 0, terms: Vec::new() }]);
        }
        Self { constants, trees, bits: thermometer::bits(quantizer) }
    }

    pub fn leaves(&self) -> usize {
        self.trees.iter().map(Vec::len).sum()
    }

    fn tests(&self) -> impl Iterator<Item = &BoxTest<Vec<i32>>> {
        self.trees.iter().flatten()
    }

    /// The most distinct features that one leaf has conditions on.
    pub fn depth(&self) -> u32 {
        self.tests().map(|test| test.features).max().unwrap_or(0)
    }

    /// The most bits that one leaf's test adds up.
    pub fn widest(&self) -> usize {
        self.tests().map(|test| test.terms.len()).max().unwrap_or(0)
    }

    /// The bits that all leaves' tests add up.
    pub fn terms(&self) -> usize {
        self.tests().map(|test| test.terms.len()).sum()
    }

    /// The smallest and largest score that leaves allow, over all scores.
    pub fn range(&self) -> (i64, i64) {
        let ranges = self.constants.iter().enumerate().map(|(score, constant)| {
            self.trees.iter().fold((*constant, *constant), |(low, high), tests| {
                let values = tests.iter().map(|test| i64::from(test.value[score]));
                let ends = values.fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(value), high.max(value)));
                (low + ends.0, high + ends.1)
            })
        });
        ranges.fold((i64::MAX, i64::MIN), |all, (low, high)| (all.0.min(low), all.1.max(high)))
    }
}

/// What a server keeps of a model to answer with.
#[derive(Debug)]
pub struct LeafProgram {
    pub(super) leaves: Vec<Leaf>,
    /// For every sum the moduli of its residues, sums one after the other.
    pub(super) columns: Vec<Column>,
    /// Thermometer bits of a copy.
    pub(super) bits: usize,
}

/// A leaf's test and what it carries.
#[derive(Debug)]
pub(super) struct Leaf {
    pub tree: usize,
    pub constant: i64,
    /// A thermometer bit, and whether it is subtracted.
    pub terms: Vec<(usize, bool)>,
    /// The value's residue in every column.
    pub residues: Vec<u64>,
}

/// One coefficient a slot: a residue of a sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// The copy of the input bits to compute from.
    pub copy: usize,
    /// The number of the copy's steps to one step of this modulus.
    pub scale: i64,
    pub plaintext_modulus: u64,
    /// What the residue is taken by, and the number that is 1 by it and 0 by the rest of the torus.
    pub modulus: u64,
    pub unit: u64,
    /// The rest of the modulus, 1 where there is none: what counts are looked for in.
    pub count: u64,
}

impl Column {
    /// A uniform factor, but for those that would make every count a zero.
    pub fn factor(&self, random: &mut Random) -> u64 {
        loop {
            let factor = random.below(self.plaintext_modulus);
            if self.count == 1 || !factor.is_multiple_of(self.count) {
                return factor;
            }
        }
    }
}

impl LeafProgram {
    /// Compiles a model for checked parameters.
    ///
    /// # Errors
    /// `model_invalid` where the parameters are not of this model.
    pub fn new(params: &PathCostSumParams, forest: &ForestBoxes) -> Result<Self> {
        let (low, high) = forest.range();
        let fits = forest.trees.len() == params.trees
            && forest.leaves() <= params.slots
            && u64::from(forest.depth()) < params.count_modulus
            && forest.constants.len() == params.scores
            && low >= params.low
            && high.abs_diff(params.low) < params.width;
        if !fits {
            return Err(unfit());
        }
        let columns = columns(params);
        let mut leaves = Vec::with_capacity(forest.leaves());
        for (tree, tests) in forest.trees.iter().enumerate() {
            for test in tests {
                // The constants are added to one tree's values.
                let value = |score: usize| {
                    let constant = if tree == 0 { forest.constants[score] - params.low } else { 0 };
                    i128::from(test.value[score]) + i128::from(constant)
                };
                let of_sums = columns.chunks(columns.len() / params.sums()).enumerate();
                let residues = of_sums.flat_map(|(sum, columns)| {
                    let scores = sum * params.scores_per_sum..((sum + 1) * params.scores_per_sum).min(params.scores);
                    columns.iter().map(move |column| {
                        let modulus = i128::from(column.modulus);
                        let digits = scores.clone().rev().map(value);
                        let width = i128::from(params.width);
                        digits.fold(0, |sum, digit| (sum * width + digit).rem_euclid(modulus)) as u64
                    })
                });
                leaves.push(Leaf {
                    tree,
                    constant: test.constant,
                    terms: test.terms.iter().map(|(bit, sign)| (*bit, *sign < 0)).collect(),
                    residues: residues.collect(),
                });
            }
        }
        Ok(Self { leaves, columns, bits: forest.bits })
    }
}

fn columns(params: &PathCostSumParams) -> Vec<Column> {
    let mut of_a_sum = Vec::new();
    for (copy, moduli) in params.plaintext_moduli.iter().enumerate() {
        for plaintext_modulus in moduli {
            let count = if of_a_sum.is_empty() { params.count_modulus } else { 1 };
            let modulus = plaintext_modulus / count;
            of_a_sum.push(Column {
                copy,
                scale: (moduli.iter().product::<u64>() / plaintext_modulus) as i64,
                plaintext_modulus: *plaintext_modulus,
                modulus,
                unit: count * residues::inverse(count % modulus, modulus).unwrap_or(0) % plaintext_modulus,
                count,
            });
        }
    }
    of_a_sum.repeat(params.sums())
}
