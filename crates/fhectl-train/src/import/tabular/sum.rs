//! Scores that are sums: of weighted features and of trees' leaves.

use crate::import::model::{FloatModel, Forest, Linear, MAX_VALUES, Tree, large};
use crate::import::onnx::{invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::ClearStep;

/// Scores of a row that was prepared by `preprocessing`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScoreSum {
    pub preprocessing: Vec<ClearStep>,
    /// A row a score; none where no feature is weighted.
    pub weights: Vec<Vec<f64>>,
    pub trees: Vec<Tree>,
    /// One a score.
    pub biases: Vec<f64>,
}

impl ScoreSum {
    /// The number of scores.
    pub fn scores(&self) -> usize {
        self.biases.len()
    }

    /// How many numbers it takes to hold.
    pub fn size(&self) -> usize {
        let tree = |tree: &Tree| tree.nodes().len().saturating_mul(self.scores() + 1);
        let weights: usize = self.weights.iter().map(Vec::len).sum();
        self.trees.iter().map(tree).fold(weights + self.scores(), usize::saturating_add)
    }

    /// New scores as combinations of these: one list of (old score, factor) each.
    ///
    /// # Errors
    /// `import_large` where they would not fit.
    pub fn combined(&self, rows: &[Vec<(usize, f64)>]) -> Result<Self> {
        if self.size().saturating_mul(rows.len()) / self.scores().max(1) > MAX_VALUES {
            return Err(large(format!("{} scores of {} numbers", rows.len(), self.size())));
        }
        let mix = |values: &[f64]| -> Vec<f64> {
            rows.iter().map(|row| row.iter().map(|(score, factor)| values[*score] * factor).sum()).collect()
        };
        let trees = self.trees.iter().map(|tree| tree.clone().map_leaves(|values| mix(&values)));
        let features = self.weights.first().map_or(0, Vec::len);
        let weigh = |row: &Vec<(usize, f64)>| {
            let mut weights = vec![0.0; features];
            for (score, factor) in row {
                weights.iter_mut().zip(&self.weights[*score]).for_each(|(sum, weight)| *sum += weight * factor);
            }
            weights
        };
        Ok(Self {
            preprocessing: self.preprocessing.clone(),
            weights: if self.weights.is_empty() { Vec::new() } else { rows.iter().map(weigh).collect() },
            trees: trees.collect(),
            biases: mix(&self.biases),
        })
    }

    /// The scores at `indices`.
    ///
    /// # Errors
    /// As [`ScoreSum::combined`]; `onnx_invalid` for an index that there is not.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        if let Some(index) = indices.iter().find(|index| **index >= self.scores()) {
            return Err(invalid(format!("score {index} of {}", self.scores())));
        }
        self.combined(&indices.iter().map(|index| vec![(*index, 1.0)]).collect::<Vec<_>>())
    }

    /// Scores multiplied by a factor each.
    ///
    /// # Errors
    /// As [`ScoreSum::combined`].
    pub fn scaled(&self, factors: &[f64]) -> Result<Self> {
        self.combined(&factors.iter().enumerate().map(|(score, factor)| vec![(score, *factor)]).collect::<Vec<_>>())
    }

    /// Sums score by score.
    ///
    /// # Errors
    /// `onnx_unsupported` where the two are of different numbers of scores or of rows prepared differently;
    /// `import_large` where the sum would not fit.
    pub fn plus(&self, other: &Self) -> Result<Self> {
        if self.scores() != other.scores() || self.preprocessing != other.preprocessing {
            return Err(unsupported("a sum of scores that do not go together"));
        }
        if self.size().saturating_add(other.size()) > MAX_VALUES {
            return Err(large(format!("a sum of {} and {} numbers", self.size(), other.size())));
        }
        let add = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a + b).collect();
        Ok(Self {
            preprocessing: self.preprocessing.clone(),
            weights: match (self.weights.is_empty(), other.weights.is_empty()) {
                (true, _) => other.weights.clone(),
                (_, true) => self.weights.clone(),
                _ => self.weights.iter().zip(&other.weights).map(|(a, b)| add(a, b)).collect(),
            },
            trees: self.trees.iter().chain(&other.trees).cloned().collect(),
            biases: add(&self.biases, &other.biases),
        })
    }

    /// These scores and then those of `other`.
    ///
    /// # Errors
    /// As [`ScoreSum::plus`].
    pub fn concat(&self, other: &Self) -> Result<Self> {
        let all = self.scores() + other.scores();
        let place = |sum: &Self, first: usize| {
            let rows = (0..all).map(|score| match score.checked_sub(first) {
                Some(own) if own < sum.scores() => vec![(own, 1.0)],
                _ => Vec::new(),
            });
            sum.combined(&rows.collect::<Vec<_>>())
        };
        place(self, 0)?.plus(&place(other, self.scores())?)
    }

    /// The model of these scores.
    ///
    /// # Errors
    /// `onnx_unsupported` where features and trees are mixed.
    pub fn model(self) -> Result<FloatModel> {
        match (self.weights.is_empty(), self.trees.is_empty()) {
            (false, true) => Ok(FloatModel::Linear(Linear { weights: self.weights, biases: self.biases })),
            (true, false) => Ok(FloatModel::Forest(Forest { biases: self.biases, trees: self.trees })),
            (true, true) => Err(unsupported("scores that do not depend on the row")),
            (false, false) => Err(unsupported("a sum of a linear model and trees")),
        }
    }
}
