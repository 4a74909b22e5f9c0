//! What the original says of rows, and how far a student is from it.

use crate::import::network::float_graph::FloatGraph;
use fhectl_core::model::Output;

/// The original, and how its scores are compared.
pub(super) struct Teacher<'a> {
    pub(super) graph: &'a FloatGraph,
    pub(super) output: Output,
    /// The mean square of what scores of numbers differ from their mean.
    pub(super) variance: f64,
}

impl<'a> Teacher<'a> {
    pub(super) fn new(graph: &'a FloatGraph, output: Output, rows: &[Vec<f64>]) -> Self {
        let firsts: Vec<f64> = rows.iter().take(1000).filter_map(|row| graph.evaluate(row).first().copied()).collect();
        let count = firsts.len().max(1) as f64;
        let mean = firsts.iter().sum::<f64>() / count;
        let variance = firsts.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Self { graph, output, variance: variance.max(f64::MIN_POSITIVE) }
    }

    /// The loss of a student's scores where the original says `wanted`, and its slope by each.
    pub(super) fn loss(&self, scores: &[f32], wanted: &[f64]) -> (f32, Vec<f32>) {
        match (self.output, scores, wanted) {
            (Output::Classes(_), [margin], [wanted]) => {
                let share = |margin: f64| 1.0 / (1.0 + (-margin).exp());
                let (got, target) = (share(f64::from(*margin)), share(*wanted));
                let loss = -(target * got.max(1e-12).ln() + (1.0 - target) * (1.0 - got).max(1e-12).ln());
                (loss as f32, vec![(got - target) as f32])
            }
            (Output::Classes(_), _, _) => {
                let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
                let (got, target) = (softmax(&scores), softmax(wanted));
                let loss: f64 = got.iter().zip(&target).map(|(got, target)| -target * got.max(1e-12).ln()).sum();
                (loss as f32, got.iter().zip(&target).map(|(got, target)| (got - target) as f32).collect())
            }
            _ => {
                let off: Vec<f64> = scores.iter().zip(wanted).map(|(got, wanted)| f64::from(*got) - wanted).collect();
                let loss = off.iter().map(|off| off * off).sum::<f64>() / self.variance;
                (loss as f32, off.iter().map(|off| (2.0 * off / self.variance) as f32).collect())
            }
        }
    }
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
