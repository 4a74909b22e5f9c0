//! From a model in real numbers to one over quantized features.

use super::agreement::Agreement;
use super::model::{FloatModel, Forest, Imported, Linear, Tree, large};
use super::placed;
use crate::data::Dataset;
use crate::train::{self, FeatureRange, FloatForest, FloatLinear};
use fhectl_core::bundle::{Predicted, ScoreDecoder};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Branch, FeatureQuantizer, MAX_LEVELS, Quantizer, TreeNode};
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// The bits that are tried where none are asked for.
const BITS: RangeInclusive<u32> = 6..=10;
/// Linear models pay a few bits a row for finer features, so they begin with more.
const LINEAR_BITS: RangeInclusive<u32> = 9..=12;
/// How far a linear model's grid goes beyond the rows at either end, as a share of their range.
const MARGIN: f64 = 0.5;

/// How features are quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// The fewest bits from 6 to 10 that keep the original's answers.
    Auto,
    Bits(u32),
    /// The model's own thresholds: nothing is lost, and whoever has the quantizer has the thresholds.
    Exact,
}

/// A model over quantized features, still in real numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedImport {
    pub quantizer: Quantizer,
    /// `None` where the model's own thresholds are the levels.
    pub bits: Option<u32>,
    pub model: QuantizedModel,
    /// How far it agrees with the original on the calibration rows.
    pub agreement: Agreement,
}

/// Scores are those of the model it was made from.
#[derive(Debug, Clone, PartialEq)]
pub enum QuantizedModel {
    Forest(FloatForest),
    Linear(FloatLinear),
}

impl QuantizedModel {
    /// The scores of one quantized row.
    pub fn scores(&self, quantized: &[u32]) -> Vec<f64> {
        match self {
            Self::Forest(forest) => forest.scores(quantized),
            Self::Linear(linear) => linear.scores(&quantized.iter().map(|q| f64::from(*q)).collect::<Vec<_>>()),
        }
    }
}

/// Quantizes a model with the help of calibration rows: prepared, but of the original's columns and classes.
///
/// Bins of trees hold about equally many calibration rows, whatever the model's thresholds are; a threshold becomes the bin's
/// edge that sends the fewest calibration rows another way. Linear models take an affine grid. The numbers of both are
/// rounded to `coarse_edges` significant decimal digits where so many are given; not so the model's own thresholds. Grids
/// reach as far as `ranges` say.
///
/// # Errors
/// `import_exact` where the thresholds are asked for of a model without any; those of [`train::fit_edges`].
pub fn quantize(
    imported: &Imported,
    rows: &Dataset,
    levels: Levels,
    (coarse_edges, ranges): (Option<u32>, &[FeatureRange]),
) -> Result<QuantizedImport> {
    let coarse = |quantizer: Quantizer, bits: u32| match coarse_edges {
        Some(digits) => train::coarsen(quantizer, digits, bits),
        None => Ok(quantizer),
    };
    let values = match &imported.model {
        FloatModel::Forest(forest) if coarse_edges.is_none() => placed::value_edges(forest, rows),
        _ => None,
    };
    let edges = |fitted_to: &Dataset, bits: u32| -> Result<Quantizer> {
        let middles = train::fit_edges(fitted_to, bits)?;
        Ok(match &values {
            Some(values) => placed::at_values(middles, values),
            None => middles,
        })
    };
    let original: Vec<Vec<f64>> = rows.rows.par_iter().map(|row| imported.model.scores(row)).collect();
    let attempt = |bits: Option<u32>, fitted_to: &Dataset, wide: bool| -> Result<QuantizedImport> {
        let (quantizer, model) = match (&imported.model, bits) {
            (FloatModel::Forest(forest), None) => {
                let quantizer = exact_levels(forest, imported.prepared_width())?;
                let forest = snapped(forest, &quantizer, &[]);
                (quantizer, QuantizedModel::Forest(forest))
            }
            (FloatModel::Forest(forest), Some(bits)) => {
                let quantizer = coarse(edges(fitted_to, bits)?, bits)?;
                let forest = snapped(forest, &quantizer, &rows.rows);
                (quantizer, QuantizedModel::Forest(forest))
            }
            (FloatModel::Linear(linear), Some(bits)) => {
                let grid = train::widen(train::fit_affine(rows, bits)?, &rows.features, ranges, bits)?;
                let grid = if wide { train::with_margin(grid, rows, MARGIN, bits)? } else { grid };
                let quantizer = coarse(grid, bits)?;
                let linear = on_grid(linear, &quantizer, rows)?;
                (quantizer, QuantizedModel::Linear(linear))
            }
            (FloatModel::Network(_), _) => {
                return Err(Error::new(ErrorCode::ImportNetwork, "networks have a quantization of their own"));
            }
            (FloatModel::Linear(_), None) => {
                return Err(Error::new(ErrorCode::ImportExact, "a linear model has no thresholds to keep")
                    .hint("leave out --exact-thresholds; --bits says how finely features are quantized"));
            }
        };
        let quantized = train::quantize_rows(&quantizer, rows)?;
        let scores = quantized.par_iter().map(|row| model.scores(row)).collect::<Vec<_>>();
        let agreement = Agreement::of(&imported.decoder(), &original, &scores, true);
        Ok(QuantizedImport { quantizer, bits, model, agreement })
    };
    let forest = matches!(imported.model, FloatModel::Forest(_));
    // Bins of equally many rows are coarse where a rare class lives, so others are tried that count its rows more.
    let balanced = forest.then(|| balanced(rows, &imported.decoder(), &original)).flatten();
    let best_of = |bits: u32| -> Result<QuantizedImport> {
        if !forest {
            // A grid with room at its ends serves other rows better, where its steps are fine enough.
            let wide = attempt(Some(bits), rows, true)?;
            if wide.agreement.is_enough() {
                return Ok(wide);
            }
            let narrow = attempt(Some(bits), rows, false)?;
            return Ok(if wide.agreement.rank() >= narrow.agreement.rank() { wide } else { narrow });
        }
        let plain = attempt(Some(bits), rows, false)?;
        match &balanced {
            Some(balanced) if !plain.agreement.is_enough() => {
                let other = attempt(Some(bits), balanced, false)?;
                Ok(if other.agreement.rank() > plain.agreement.rank() { other } else { plain })
            }
            _ => Ok(plain),
        }
    };
    match levels {
        Levels::Exact => attempt(None, rows, false),
        Levels::Bits(bits) => best_of(bits),
        Levels::Auto => {
            let range = if forest { BITS } else { LINEAR_BITS };
            let mut best = best_of(*range.start())?;
            for bits in range.skip(1) {
                if best.agreement.is_enough() {
                    break;
                }
                let finer = best_of(bits)?;
                if finer.agreement.rank() > best.agreement.rank() {
                    best = finer;
                }
            }
            Ok(best)
        }
    }
}

/// The rows with those of rare classes, as the original predicts them, repeated until each class has about as many;
/// `None` where no class is rare.
fn balanced(rows: &Dataset, decoder: &ScoreDecoder, original: &[Vec<f64>]) -> Option<Dataset> {
    /// A class of fewer than one row in so many of the largest is rare.
    const RARE: usize = 8;
    /// So many rows in all, at most, as many times as there are.
    const MOST: usize = 3;
    let class = |scores: &Vec<f64>| match decoder.predict_real(scores) {
        Predicted::Class(class) => class,
        Predicted::Value(_) => 0,
    };
    if decoder.classes == 0 {
        return None;
    }
    let classes: Vec<usize> = original.iter().map(class).collect();
    let mut counts = vec![0; decoder.classes];
    classes.iter().for_each(|class| counts[*class] += 1);
    let largest = counts.iter().copied().max()?;
    let wanted = (MOST * rows.len() / decoder.classes).min(largest);
    let times = |class: usize| (wanted / counts[class].max(1)).max(1);
    if !counts.iter().any(|count| *count > 0 && count * RARE < largest) {
        return None;
    }
    let indices: Vec<usize> =
        classes.iter().enumerate().flat_map(|(row, class)| std::iter::repeat_n(row, times(*class))).collect();
    Some(rows.select(&indices))
}

/// A level for every stretch between the model's thresholds.
///
/// # Errors
/// `import_large` where a feature has too many.
pub fn exact_levels(forest: &Forest, features: usize) -> Result<Quantizer> {
    let mut edges: Vec<Vec<f64>> = vec![Vec::new(); features];
    for (feature, edge) in forest.trees.iter().flat_map(Tree::splits) {
        edges[feature as usize].push(*edge);
    }
    for (feature, edges) in edges.iter_mut().enumerate() {
        edges.sort_unstable_by(f64::total_cmp);
        // -0.0 and 0.0 are the same edge.
        edges.dedup_by(|a, b| a == b);
        if edges.len() >= MAX_LEVELS as usize {
            return Err(large(format!("{} thresholds on feature {feature}", edges.len())));
        }
    }
    Ok(Quantizer { features: edges.into_iter().map(|edges| FeatureQuantizer::Edges { edges }).collect() })
}

/// The forest with every threshold at an edge of its feature's bins.
fn snapped(forest: &Forest, quantizer: &Quantizer, rows: &[Vec<f64>]) -> FloatForest {
    let rules: Vec<Rule> = (quantizer.features.par_iter().enumerate())
        .map(|(feature, rule)| {
            let edges = match rule {
                FeatureQuantizer::Edges { edges } => edges.clone(),
                FeatureQuantizer::Affine { .. } => Vec::new(),
            };
            let mut values: Vec<f64> = rows.iter().map(|row| row[feature]).collect();
            values.sort_unstable_by(f64::total_cmp);
            let below = |edge: &f64| values.partition_point(|value| value < edge);
            let ranks = edges.iter().map(below).collect();
            Rule { edges, values, ranks }
        })
        .collect();
    let tree = |tree: &Tree| {
        let mut bounds: Vec<(u32, u32)> = rules.iter().map(|rule| (0, rule.edges.len() as u32)).collect();
        branch(tree, 0, &rules, &mut bounds).depth_first()
    };
    FloatForest { biases: forest.biases.clone(), trees: forest.trees.par_iter().map(tree).collect() }
}

/// A feature's edges among the calibration rows.
struct Rule {
    edges: Vec<f64>,
    /// Sorted.
    values: Vec<f64>,
    /// For each edge the number of values below it.
    ranks: Vec<usize>,
}

impl Rule {
    /// The `t` for which `q >= t` stands for `x >= edge` with the fewest calibration rows sent another way; 0 is always,
    /// `edges.len() + 1` never.
    fn threshold(&self, edge: f64) -> u32 {
        let at = self.edges.partition_point(|other| *other < edge);
        if self.edges.get(at) == Some(&edge) {
            return at as u32 + 1;
        }
        let rank = self.values.partition_point(|value| *value < edge);
        let distance = |index: usize| (self.ranks[index].abs_diff(rank), (self.edges[index] - edge).abs());
        // Ranks rise with edges, so the neighbors are the nearest.
        let neighbors = [at.checked_sub(1), Some(at).filter(|at| *at < self.edges.len())];
        let nearest = neighbors.into_iter().flatten().min_by(|a, b| {
            let (a, b) = (distance(*a), distance(*b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let (always, never) = (rank, self.values.len() - rank);
        match nearest {
            Some(index) if distance(index).0 <= always.min(never) => index as u32 + 1,
            _ if always <= never => 0,
            _ => self.edges.len() as u32 + 1,
        }
    }
}

/// The branch below node `at`, for features whose levels lie within `bounds`: a split that these decide is left out, as is
/// one whose sides are equal leaves. Recursion is as deep as the tree, which its reader bounds.
fn branch(tree: &Tree, at: u32, rules: &[Rule], bounds: &mut [(u32, u32)]) -> Branch<u32, Vec<f64>> {
    match &tree.nodes()[at as usize] {
        TreeNode::Leaf(values) => Branch::Leaf(values.clone()),
        TreeNode::Split { feature, threshold: edge, low, high } => {
            let index = *feature as usize;
            let threshold = rules[index].threshold(*edge);
            let (lowest, highest) = bounds[index];
            if threshold <= lowest {
                return branch(tree, *high, rules, bounds);
            }
            if threshold > highest {
                return branch(tree, *low, rules, bounds);
            }
            bounds[index] = (lowest, threshold - 1);
            let low = branch(tree, *low, rules, bounds);
            bounds[index] = (threshold, highest);
            let high = branch(tree, *high, rules, bounds);
            bounds[index] = (lowest, highest);
            Branch::merged(*feature, threshold, low, high)
        }
    }
}

/// The linear model over the numbers of grid points.
fn on_grid(linear: &Linear, quantizer: &Quantizer, rows: &Dataset) -> Result<FloatLinear> {
    let mut biases = linear.biases.clone();
    let mut weights = linear.weights.clone();
    for (row, bias) in weights.iter_mut().zip(&mut biases) {
        for (weight, rule) in row.iter_mut().zip(&quantizer.features) {
            // x is about low + step * q; a feature of one level is its value.
            if let FeatureQuantizer::Affine { low, step, levels } = rule {
                *bias += *weight * low;
                *weight *= if *levels > 1 { *step } else { 0.0 };
            }
        }
    }
    let quantized = train::quantize_rows(quantizer, rows)?;
    let count = quantized.len().max(1) as f64;
    let column = |feature: usize| quantized.iter().map(move |row| f64::from(row[feature]));
    let means: Vec<f64> = (0..quantizer.features.len()).map(|feature| column(feature).sum::<f64>() / count).collect();
    let variance = |(feature, mean): (usize, &f64)| column(feature).map(|q| (q - mean).powi(2)).sum::<f64>() / count;
    let deviations = means.iter().enumerate().map(|pair| variance(pair).sqrt()).collect();
    let largest = weights.iter().flatten().fold(0.0, |largest: f64, weight| weight.abs().max(largest));
    // Biases of 2^31 times the largest weight leave integers no room and the features no say.
    if largest == 0.0
        || biases.iter().any(|bias| (bias.abs() / largest).is_nan() || bias.abs() / largest > 2f64.powi(31))
    {
        return Err(Error::new(ErrorCode::ImportTrivial, "on the calibration rows the model ignores its features")
            .hint("are these rows of the kind that the model was trained on?"));
    }
    Ok(FloatLinear { weights, biases, means, deviations })
}

#[cfg(test)]
#[path = "quantize_tests.rs"]
mod tests;
