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
        let share = 1.0 / order.len() as f64;
        match &self.vote {
            Vote::Class { labels, classes } => {
                let mut votes = vec![0.0; *classes as usize];
                order.iter().for_each(|at| votes[labels[*at] as usize] += share);
                votes
            }
            Vote::Mean { values } => vec![order.iter().map(|at| values[*at]).sum::<f64>() * share],
        }
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
        let classes = Neighbors { neighbors: 2, vote: Vote::Class { labels: vec![0, 2, 2], classes: 3 } };
        assert_eq!(classes.check(3).unwrap(), 3);
        assert_eq!(classes.apply(&[1.0, 3.0, 2.0]), [0.0, 0.0, 1.0]);
        assert_eq!(classes.apply(&[4.0, 3.0, 2.0]), [0.5, 0.0, 0.5]);
        let mean = Neighbors { neighbors: 2, vote: Vote::Mean { values: vec![1.0, 5.0, 9.0] } };
        assert_eq!(mean.apply(&[1.0, 3.0, 2.0]), [7.0]);
        assert!(mean.check(2).is_err() && Neighbors { neighbors: 4, ..mean }.check(3).is_err());
    }
}
