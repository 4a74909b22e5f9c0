//! Nearest neighbors as a linear model: a score a training row, which is larger the nearer it is.
//!
//! Minus half the squared distance of `x` from a training row `t` is `x . t - |t|^2 / 2`, but for what all training rows
//! share. So it may be taken about the rows' mean, where weights are smallest.

use crate::data::Dataset;
use crate::import::{FloatModel, Imported, Linear};
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, Neighbors, Output, Vote};

/// The most training rows: an answer holds a score for each.
pub const MAX_ROWS: usize = 1 << 13;

/// How neighbors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnnParams {
    /// How many of the nearest rows vote.
    pub neighbors: usize,
    /// Whether distances are of features divided by their deviation, so that no unit outweighs another.
    pub standardize: bool,
}

/// The training rows as a model whose scores are linear and whose prediction is the client's.
///
/// # Errors
/// `knn_params` for too many neighbors or rows; those of [`Dataset::check_trainable`].
pub fn nearest_neighbors(train: &Dataset, params: &KnnParams) -> Result<Imported> {
    train.check_trainable()?;
    let KnnParams { neighbors, standardize } = *params;
    if !(1..=train.len()).contains(&neighbors) {
        return Err(Error::new(ErrorCode::KnnParams, format!("{neighbors} neighbors of {} training rows", train.len()))
            .hint("give --neighbors from 1 to the number of training rows"));
    }
    if train.len() > MAX_ROWS {
        return Err(Error::new(ErrorCode::KnnParams, format!("{} training rows, at most {MAX_ROWS}", train.len()))
            .hint("an answer holds a score for each training row: give fewer, or train `forest` or `boost`"));
    }
    let scales = scales(train, standardize);
    let scaled = |row: &[f64], feature: usize| (row[feature] - scales[feature].0) * scales[feature].1;
    let weights: Vec<Vec<f64>> = (train.rows.iter())
        .map(|row| (0..row.len()).map(|feature| scaled(row, feature) * scales[feature].1).collect())
        .collect();
    let biases = (train.rows.iter().zip(&weights))
        .map(|(row, weights)| {
            let square: f64 = (0..row.len()).map(|feature| scaled(row, feature).powi(2)).sum();
            -square / 2.0 - weights.iter().zip(&scales).map(|(weight, (mean, _))| weight * mean).sum::<f64>()
        })
        .collect();
    let vote = match train.output() {
        Output::Classes(classes) => Vote::Class { labels: train.labels.clone(), classes: classes as u32 },
        Output::Value | Output::Scores(_) => Vote::Mean { values: train.values.clone() },
    };
    let steps = vec![ClearStep::Neighbors(Neighbors { neighbors: neighbors as u32, vote })];
    Ok(Imported {
        source: "nearest neighbors".to_owned(),
        input: None,
        features: train.features.len(),
        feature_names: Vec::new(),
        classes: train.classes.clone(),
        unit: ScoreUnit::Share,
        preprocessing: Vec::new(),
        head: Some(Head { scores: train.len() as u32, steps }),
        reveals_training_rows: true,
        model: FloatModel::Linear(Linear { weights, biases }),
    })
}

/// The mean of each feature, and what it is multiplied by.
fn scales(train: &Dataset, standardize: bool) -> Vec<(f64, f64)> {
    let count = train.len() as f64;
    let of = |feature: usize| {
        let column = train.column(feature);
        let mean = column.iter().sum::<f64>() / count;
        let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        // A feature that is constant but for rounding says nothing of distances.
        let known = deviation > mean.abs() * 1e-12;
        (mean, if !known { 0.0 } else if standardize { deviation.recip() } else { 1.0 })
    };
    (0..train.features.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::{dataset, holdout};
    use fhectl_core::bundle::Predicted;

    /// The vote of the nearest rows, by distances.
    fn by_distance(train: &Dataset, row: &[f64], params: &KnnParams) -> usize {
        let scales = scales(train, params.standardize);
        let distance = |other: &Vec<f64>| -> f64 {
            other.iter().zip(row).zip(&scales).map(|((a, b), (_, scale))| ((a - b) * scale).powi(2)).sum()
        };
        let mut order: Vec<usize> = (0..train.len()).collect();
        order.sort_by(|a, b| distance(&train.rows[*a]).total_cmp(&distance(&train.rows[*b])));
        let mut votes = vec![0; train.classes.len()];
        order[..params.neighbors].iter().for_each(|at| votes[train.labels[*at] as usize] += 1);
        (0..votes.len()).fold(0, |best, class| if votes[class] > votes[best] { class } else { best })
    }

    #[test]
    fn scores_find_the_rows_that_distances_find() {
        let (train, test) = holdout("iris");
        for standardize in [true, false] {
            let params = KnnParams { neighbors: 5, standardize };
            let model = nearest_neighbors(&train, &params).unwrap();
            let decoder = model.decoder();
            for row in &test.rows {
                let predicted = decoder.predict_real(&model.model.scores(row));
                assert_eq!(predicted, Predicted::Class(by_distance(&train, row, &params)));
            }
        }
    }

    #[test]
    fn numbers_are_means_of_neighbors_and_bad_counts_are_named() {
        let rows: Vec<Vec<f64>> = (0..10).map(|row| vec![f64::from(row), 7.0]).collect();
        let values = (0..10).map(f64::from).collect();
        let data = Dataset { values, labels: Vec::new(), classes: Vec::new(), ..dataset(rows, vec![0; 10], 2) };
        let params = KnnParams { neighbors: 3, standardize: true };
        let model = nearest_neighbors(&data, &params).unwrap();
        assert_eq!(model.decoder().predict_real(&model.model.scores(&[4.1, 7.0])), Predicted::Value(4.0));
        for neighbors in [0, 11] {
            let error = nearest_neighbors(&data, &KnnParams { neighbors, ..params }).unwrap_err();
            assert_eq!(error.code, ErrorCode::KnnParams);
        }
    }
}
