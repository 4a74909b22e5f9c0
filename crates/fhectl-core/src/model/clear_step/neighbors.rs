//! The vote of the nearest neighbors.

use super::super::invalid;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// What the nearest training rows say of a row: from one number a training row, which is larger the nearer it is.
///
/// A linear circuit gives such numbers: minus half the squared distance is `x . t - |t|^2 / 2` but for what all training
/// rows `t` share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbors {
    /// How many of the nearest are asked.
    pub neighbors: u32,
    #[serde(flatten)]
    pub vote: Vote,
    /// How much each vote counts.
    #[serde(default, skip_serializing_if = "VoteWeights::is_uniform")]
    pub weights: VoteWeights,
}

/// How much a neighbor's vote counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteWeights {
    /// As much as any other's.
    #[default]
    Uniform,
    /// One over its distance. Numbers are then minus half the squared distances; where some are at least 0, only these
    /// neighbors count.
    Distance,
}

impl VoteWeights {
    fn is_uniform(&self) -> bool {
        *self == Self::Uniform
    }
}

/// What a neighbor says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "vote", rename_all = "snake_case")]
pub enum Vote {
    /// Its class; the shares of all `classes` come out.
    Class { labels: Vec<u32>, classes: u32 },
    /// Its number; their mean comes out.
    Mean { values: Vec<f64> },
}

impl Neighbors {
    pub(super) fn apply(&self, nearness: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..nearness.len()).collect();
        // Of equally near ones the first: the sort is stable.
        order.sort_by(|a, b| nearness[*b].total_cmp(&nearness[*a]));
        order.truncate(self.neighbors as usize);
        let shares = self.shares(order.iter().map(|at| nearness[*at]).collect());
        let voters = order.iter().zip(&shares);
        match &self.vote {
            Vote::Class { labels, classes } => {
                let mut votes = vec![0.0; *classes as usize];
                voters.for_each(|(at, share)| votes[labels[*at] as usize] += share);
                votes
            }
            Vote::Mean { values } => match self.weights {
                VoteWeights::Uniform => vec![order.iter().map(|at| values[*at]).sum::<f64>() * shares[0]],
                VoteWeights::Distance => vec![voters.map(|(at, share)| values[*at] * share).sum()],
            },
        }
    }

    /// The share of each vote, of neighbors this near.
    fn shares(&self, nearness: Vec<f64>) -> Vec<f64> {
        let count = nearness.len();
        if self.weights.is_uniform() {
            return vec![1.0 / count as f64; count];
        }
        let same = nearness.iter().any(|near| *near >= 0.0);
        let weight = |near: f64| match same {
            true => f64::from(u8::from(near >= 0.0)),
            false => 1.0 / libm::sqrt(-2.0 * near),
        };
        let weights: Vec<f64> = nearness.into_iter().map(weight).collect();
        let all: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / all).collect()
    }

    /// # Errors
    /// `model_invalid`.
    pub(super) fn check(&self, inputs: usize) -> Result<usize> {
        let (rows, fits, width) = match &self.vote {
            Vote::Class { labels, classes } => {
                let bounded = (2..=1 << 12).contains(classes) && labels.iter().all(|label| label < classes);
                (labels.len(), bounded, *classes as usize)
            }
            Vote::Mean { values } => (values.len(), values.iter().all(|value| value.is_finite()), 1),
        };
        if !fits || rows != inputs || self.neighbors == 0 || self.neighbors as usize > rows {
            return Err(invalid(format!("{} neighbors of {rows} rows, for {inputs} numbers", self.neighbors)));
        }
        Ok(width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_vote() {
        let weights = VoteWeights::Uniform;
        let vote = Vote::Class { labels: vec![0, 2, 2], classes: 3 };
        let classes = Neighbors { neighbors: 2, vote, weights };
        assert_eq!(classes.check(3).unwrap(), 3);
        assert_eq!(classes.apply(&[1.0, 3.0, 2.0]), [0.0, 0.0, 1.0]);
        assert_eq!(classes.apply(&[4.0, 3.0, 2.0]), [0.5, 0.0, 0.5]);
        let mean = Neighbors { neighbors: 2, vote: Vote::Mean { values: vec![1.0, 5.0, 9.0] }, weights };
        assert_eq!(mean.apply(&[1.0, 3.0, 2.0]), [7.0]);
        assert!(mean.check(2).is_err() && Neighbors { neighbors: 4, ..mean }.check(3).is_err());
    }
    #[test]
    fn nearer_votes_may_count_more() {
        let vote = Vote::Class { labels: vec![0, 1, 1], classes: 2 };
        let near = Neighbors { neighbors: 2, vote, weights: VoteWeights::Distance };
        // Distances of 1, 3 and 5.
        let votes = near.apply(&[-0.5, -4.5, -12.5]);
        assert!((votes[0] - 0.75).abs() < 1e-12 && (votes[1] - 0.25).abs() < 1e-12, "{votes:?}");
        assert_eq!(near.apply(&[-0.5, 0.0, -12.5]), [0.0, 1.0]);
        let mean = Neighbors { vote: Vote::Mean { values: vec![2.0, 6.0, 0.0] }, ..near.clone() };
        assert!((mean.apply(&[-0.5, -4.5, -12.5])[0] - 3.0).abs() < 1e-12);
        let text = serde_json::to_string(&near).unwrap();
        assert!(text.contains(r#""weights":"distance""#), "{text}");
        assert_eq!(serde_json::from_str::<Neighbors>(&text).unwrap(), near);
        let plain = Neighbors { weights: VoteWeights::Uniform, ..near };
        assert!(!serde_json::to_string(&plain).unwrap().contains("weights"));
    }
}
