//! What names of a graph stand for: parts of the row, sums, classes.

use super::row::Row;
use super::sum::ScoreSum;
use crate::import::onnx::invalid;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::error::Result;
use fhectl_core::model::Norm;
use std::rc::Rc;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    /// Columns of the row.
    Row(Rc<Row>),
    /// Sums, seen through a function that keeps their order.
    Scores(Rc<ScoreSum>, Squash),
    /// The index of the largest of these sums.
    Index(Rc<ScoreSum>, Squash),
    /// The name of a class.
    Label(Rc<Classifier>),
    /// The row without its signs.
    Absolute(Rc<Row>),
    /// The row's norm.
    Norm(Rc<Row>, Norm),
    /// A positive number a row; who divides by it keeps the order.
    Positive,
}

/// A classifier's scores are those of [`fhectl_core::model::Output::margins`].
#[derive(Debug, Clone)]
pub(super) struct Classifier {
    pub sum: ScoreSum,
    pub classes: Vec<String>,
    pub unit: ScoreUnit,
}

/// What was done to sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Squash {
    Nothing,
    /// The logistic function of each.
    Sigmoid,
    Softmax,
    /// Something else that keeps the order of a row's scores.
    Order,
}

impl Squash {
    /// The same, divided by the row's sum.
    pub fn normalized(self) -> Self {
        if self == Self::Softmax { self } else { Self::Order }
    }

    /// What sums are whose largest is the class.
    pub fn unit(self, scores: usize) -> ScoreUnit {
        match self {
            Self::Softmax => ScoreUnit::Logit,
            Self::Sigmoid if scores <= 2 => ScoreUnit::Logit,
            _ => ScoreUnit::Margin,
        }
    }
}

impl Formula {
    /// How many numbers it takes to hold.
    pub fn size(&self) -> usize {
        match self {
            Self::Scores(sum, _) | Self::Index(sum, _) => sum.size(),
            Self::Label(classifier) => classifier.sum.size(),
            Self::Row(row) | Self::Absolute(row) | Self::Norm(row, _) => row.columns.len(),
            Self::Positive => 1,
        }
    }
}

/// Scores as classifiers have them: of two classes their difference, or the second where the first is its negative.
fn margins(sum: &ScoreSum) -> Result<ScoreSum> {
    let negative = |first: &[f64], second: &[f64]| first.iter().zip(second).all(|(a, b)| *a == -b);
    let mirrored = sum.trees.is_empty() && sum.weights.len() == 2 && negative(&sum.weights[0], &sum.weights[1]);
    match sum.biases[..] {
        [first, second] if mirrored && first == -second => sum.select(&[1]),
        [_, _] => sum.combined(&[vec![(1, 1.0), (0, -1.0)]]),
        _ => Ok(sum.clone()),
    }
}

/// Class names that stand beside scores, one each.
pub(super) fn classifier(sum: &ScoreSum, unit: ScoreUnit, classes: Vec<String>) -> Result<Classifier> {
    if classes.len() != sum.scores() {
        return Err(invalid(format!("{} classes for {} scores", classes.len(), sum.scores())));
    }
    Ok(Classifier { sum: margins(sum)?, classes, unit })
}
