//! Nearest neighbors as a linear model: a score a training row, which is larger the nearer it is.
//!
//! Minus half the squared distance of `x` from a training row `t` is `x . t - |t|^2 / 2`, but for what all training rows
//! share. So it may be taken about the rows' mean, where weights are smallest.

use super::model::{FloatModel, Imported, Linear};
use crate::data::Dataset;

use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, Function, Neighbors, Output, Part, Vote, VoteWeights};

/// The most training rows: an answer holds a score for each, of some 7 kB.
const MAX_ROWS: usize = 1 << 12;

/// How neighbors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnnParams {
    /// How many of the nearest rows vote.
    pub neighbors: usize,
    /// Whether distances are of features divided by their deviation, so that no unit outweighs another.
    pub standardize: bool,
    /// How much each vote counts. By [`VoteWeights::Distance`] rows have a last feature, which [`squared_length`] makes.
    pub weights: VoteWeights,
}

/// The step that puts the squared length of a row, about the training rows' mean and as distances are taken, behind its
/// features: with it, scores are distances and no mere order of them.
pub fn squared_length(train: &Dataset, standardize: bool) -> ClearStep {
    let sources: Vec<u32> = (0..train.features.len() as u32).collect();
    let (offsets, scales): (Vec<f64>, Vec<f64>) = scales(train, standardize).into_iter().unzip();
    let length = vec![
        ClearStep::Scale { offsets, scales },
        ClearStep::Function { function: Function::Square },
        ClearStep::Linear { weights: vec![vec![1.0; sources.len()]], biases: vec![0.0] },
    ];
    let kept = Part { sources: sources.clone(), steps: Vec::new() };
    ClearStep::Parts { parts: vec![kept, Part { sources, steps: length }] }
}

/// The training rows as a model whose scores are linear and whose prediction is the client's.
///
/// # Errors
/// `knn_params` for too many neighbors or rows; those of [`Dataset::check_trainable`].
pub fn nearest_neighbors(train: &Dataset, params: &KnnParams) -> Result<Imported> {
    train.check_trainable()?;
    let KnnParams { neighbors, standardize, weights: vote_weights } = *params;
    let squared = vote_weights == VoteWeights::Distance;
    if !(1..=train.len()).contains(&neighbors) {
        return Err(Error::new(
            ErrorCode::KnnParams,
            format!("{neighbors} neighbors of {} training rows", train.len()),
        )
        .hint("give --neighbors from 1 to the number of training rows"));
    }
    if train.len() > MAX_ROWS {
        return Err(Error::new(ErrorCode::KnnParams, format!("{} training rows, at most {MAX_ROWS}", train.len()))
            .hint("an answer holds a score for each training row: give fewer, or train `forest` or `boost`"));
    }
    let mut scales = scales(train, standardize);
    if squared {
        scales.pop();
    }
    let scaled = |row: &[f64], feature: usize| (row[feature] - scales[feature].0) * scales[feature].1;
    let weights: Vec<Vec<f64>> = (train.rows.iter())
        .map(|row| {
            let own = (0..scales.len()).map(|feature| scaled(row, feature) * scales[feature].1);
            own.chain(squared.then_some(-0.5)).collect()
        })
        .collect();
    let biases = (train.rows.iter().zip(&weights))
        .map(|(row, weights)| {
            let square: f64 = (0..scales.len()).map(|feature| scaled(row, feature).powi(2)).sum();
            -square / 2.0 - weights.iter().zip(&scales).map(|(weight, (mean, _))| weight * mean).sum::<f64>()
        })
        .collect();
    let vote = match train.output() {
        Output::Classes(classes) => Vote::Class { labels: train.labels.clone(), classes: classes as u32 },
        Output::Value | Output::Scores(_) => Vote::Mean { values: train.values.clone() },
    };
    let steps = vec![ClearStep::Neighbors(Neighbors { neighbors: neighbors as u32, vote, weights: vote_weights })];
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
        (
            mean,
            if !known {
                0.0
            } else if standardize {
                deviation.recip()
            } else {
                1.0
            },
        )
    };
    (0..train.features.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Holdout, load_split};
    use fhectl_core::bundle::Predicted;
    use std::path::Path;

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
        let holdout = Holdout::Share { test_size: 0.15, seed: 42 };
        let (train, test) = load_split("iris", Path::new("/nowhere"), None, None, holdout).unwrap();
        for standardize in [true, false] {
            let params = KnnParams { neighbors: 5, standardize, weights: VoteWeights::Uniform };
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
        let data = Dataset {
            name: "d".into(),
            target: "y".into(),
            features: vec!["a".into(), "b".into()],
            input: None,
            classes: Vec::new(),
            rows,
            labels: Vec::new(),
            values: (0..10).map(f64::from).collect(),
            image: None,
        };
        let params = KnnParams { neighbors: 3, standardize: true, weights: VoteWeights::Uniform };
        let model = nearest_neighbors(&data, &params).unwrap();
        assert_eq!(model.decoder().predict_real(&model.model.scores(&[4.1, 7.0])), Predicted::Value(4.0));
        for neighbors in [0, 11] {
            let error = nearest_neighbors(&data, &KnnParams { neighbors, ..params }).unwrap_err();
            assert_eq!(error.code, ErrorCode::KnnParams);
        }
    }
    #[test]
    fn with_the_length_of_a_row_scores_are_distances() {
        let holdout = Holdout::Share { test_size: 0.15, seed: 42 };
        let (train, test) = load_split("iris", Path::new("/nowhere"), None, None, holdout).unwrap();
        for standardize in [true, false] {
            let step = squared_length(&train, standardize);
            let scales = scales(&train, standardize);
            let longer = |data: &Dataset| Dataset {
                rows: data.rows.iter().map(|row| step.apply(row.clone())).collect(),
                features: [&data.features[..], &["length".to_owned()]].concat(),
                ..data.clone()
            };
            let params = KnnParams { neighbors: 5, standardize, weights: VoteWeights::Distance };
            let model = nearest_neighbors(&longer(&train), &params).unwrap();
            for (row, long) in test.rows.iter().zip(&longer(&test).rows) {
                for (other, score) in train.rows.iter().zip(model.model.scores(long)) {
                    let pairs = other.iter().zip(row).zip(&scales);
                    let squared: f64 = pairs.map(|((a, b), (_, scale))| ((a - b) * scale).powi(2)).sum();
                    assert!((score + squared / 2.0).abs() < 1e-9, "{score} for {squared}");
                }
            }
        }
    }
}
