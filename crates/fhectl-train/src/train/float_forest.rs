//! Trees over quantized features whose leaves are still real numbers, and their integer form.

use super::quality::{Score, score_floats};
use super::quantize::quantize_rows;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{
    Branch, ClassLeaf, Fold, IntegerForest, IntegerTree, Output, Quantizer, Tree, ValueLeaf, class_of_scores,
};

/// Real scores `biases[s] + sum_t values_t[s]` of quantized rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatForest {
    /// One a score.
    pub biases: Vec<f64>,
    pub trees: Vec<FloatTree>,
}

/// One tree; its leaves add one value a score.
pub type FloatTree = Tree<u32, Vec<f64>>;

impl FloatForest {
    /// The real scores of one quantized row.
    pub fn scores(&self, quantized: &[u32]) -> Vec<f64> {
        let mut scores = self.biases.clone();
        for tree in &self.trees {
            scores.iter_mut().zip(tree.leaf(quantized)).for_each(|(score, value)| *score += value);
        }
        scores
    }

    /// The tree of classes that this is, where it is a single tree and classes are predicted.
    pub fn as_tree(&self, output: Output) -> Option<IntegerTree> {
        let ([tree], Output::Classes(classes)) = (&self.trees[..], output) else { return None };
        let class = |values: &[f64]| {
            let scores: Vec<f64> = values.iter().zip(&self.biases).map(|(value, bias)| value + bias).collect();
            class_of_scores(&scores) as u32
        };
        let branch = tree.fold(|step| match step {
            Fold::Leaf(values) => Branch::Leaf(ClassLeaf { class: class(values) }),
            Fold::Split { feature, threshold, low, high } => Branch::merged(feature, *threshold, low, high),
        });
        Some(IntegerTree { classes: classes as u32, tree: branch.depth_first() })
    }

    /// The integer form with leaf values of `value_bits` bits and sign, and what one step of its scores is worth.
    ///
    /// One scale serves all trees and scores, so that sums compare: the largest leaf value is the largest integer. A sum
    /// over `T` trees is off by some `sqrt(T / 12)` steps. Leaves that a constant could be taken from are moved to the
    /// bias first (a tree's middle, score by score), which makes steps finer.
    ///
    /// # Errors
    /// `model_values` where a value is not finite, or `value_bits` not 2 to 24.
    pub fn to_integer(&self, value_bits: u32) -> Result<(IntegerForest, f64)> {
        if !(2..=24).contains(&value_bits) {
            return Err(Error::new(ErrorCode::ModelValues, format!("leaf values of {value_bits} bits, want 2 to 24")));
        }
        let mut biases = self.biases.clone();
        let mut middles = Vec::with_capacity(self.trees.len());
        let mut largest = 0.0f64;
        for tree in &self.trees {
            let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); biases.len()];
            for values in tree.leaves() {
                for (range, value) in ranges.iter_mut().zip(values) {
                    *range = (range.0.min(*value), range.1.max(*value));
                }
            }
            let middle: Vec<f64> = ranges.iter().map(|(low, high)| low / 2.0 + high / 2.0).collect();
            biases.iter_mut().zip(&middle).for_each(|(bias, middle)| *bias += middle);
            largest = ranges.iter().fold(largest, |largest, (low, high)| largest.max(high / 2.0 - low / 2.0));
            middles.push(middle);
        }
        let top = f64::from((1u32 << (value_bits - 1)) - 1);
        // Where no tree says anything, the constant is what has to be kept.
        let constant = biases.iter().fold(0.0, |constant: f64, bias| constant.max(bias.abs()));
        let scale = match (largest > 0.0, constant > 0.0) {
            (true, _) => largest / top,
            (false, true) => constant / top,
            (false, false) => 1.0,
        };
        let whole = |value: f64| -> Result<i64> {
            let steps = (value / scale).round();
            if steps.is_finite() && steps.abs() < (1u64 << 47) as f64 {
                return Ok(steps as i64);
            }
            Err(Error::new(ErrorCode::ModelValues, format!("a score of {value} beside leaves of {largest} at most"))
                .hint("the model's values are not finite, or too unequal to be added exactly"))
        };
        let trees = self.trees.iter().zip(&middles).map(|(tree, middle)| {
            tree.clone().try_map_leaves(|values| {
                let values = values.iter().zip(middle).map(|(value, middle)| Ok(whole(value - middle)? as i32));
                Ok(ValueLeaf { values: values.collect::<Result<_>>()? })
            })
        });
        let trees = trees.collect::<Result<_>>()?;
        let biases = biases.into_iter().map(whole).collect::<Result<_>>()?;
        Ok((IntegerForest { biases, trees }, scale))
    }
}

/// The score on `data` of trees whose leaves are still real numbers.
///
/// # Errors
/// As for [`quantize_rows`].
pub fn score_forest(forest: &FloatForest, quantizer: &Quantizer, data: &Dataset) -> Result<Score> {
    let scores = quantize_rows(quantizer, data)?.into_iter().map(|row| forest.scores(&row));
    Ok(score_floats(scores, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf_of(values: Vec<f64>) -> Tree<u32, Vec<f64>> {
        Branch::Leaf(values).depth_first()
    }

    #[test]
    fn sums_keep_their_worth() {
        let leaf = |value: f64| Branch::Leaf(vec![value]);
        let stump = |low: f64, high: f64| Branch::split(0, 1, leaf(low), leaf(high)).depth_first();
        let forest = FloatForest { biases: vec![0.25], trees: vec![stump(10.0, 11.0), stump(-0.2, 0.1)] };
        let (integer, scale) = forest.to_integer(12).unwrap();
        for (row, wanted) in [([0], 10.05), ([1], 11.35)] {
            let value = integer.scores(&row)[0] as f64 * scale;
            assert!((value - wanted).abs() < 2.0 * scale, "{value} for {wanted}, a step is {scale}");
        }
        assert!(scale < 0.001, "{scale}");
        let constant = FloatForest { biases: vec![0.25, -0.1], trees: vec![leaf_of(vec![0.26, 0.0])] };
        let (integer, scale) = constant.to_integer(8).unwrap();
        let value = integer.scores(&[0])[0] as f64 * scale;
        assert!((value - 0.51).abs() < 0.005, "{value}");
        assert_eq!(forest.as_tree(Output::Classes(2)), None);
        let broken = FloatForest { biases: vec![0.0], trees: vec![stump(f64::NAN, 1.0)] };
        assert_eq!(broken.to_integer(8).unwrap_err().code, ErrorCode::ModelValues);
    }

    #[test]
    fn one_tree_is_a_tree_of_classes() {
        let leaf = |value: f64| Branch::Leaf(vec![value]);
        let tree = Branch::split(0, 1, Branch::split(1, 1, leaf(0.1), leaf(0.3)), leaf(-0.7));
        let forest = FloatForest { biases: vec![0.5], trees: vec![tree.depth_first()] };
        let tree = forest.as_tree(Output::Classes(2)).unwrap();
        // Both leaves below feature 1 predict class 1.
        assert_eq!(tree.leaves(), 2);
        for row in [[0, 0], [0, 1], [1, 0]] {
            assert_eq!(tree.class(&row) as usize, class_of_scores(&forest.scores(&row)));
        }
        assert_eq!(forest.as_tree(Output::Value), None);
    }
}
