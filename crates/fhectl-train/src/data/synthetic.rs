//! The generated data set for logistic regression, after scikit-learn's `make_classification`.

use super::Dataset;
use super::random::Random;

const ROWS: usize = 1000;
const FEATURES: usize = 30;
const INFORMATIVE: usize = 5;
const REDUNDANT: usize = 5;
const CLUSTERS: usize = 4;
const SEPARATION: f64 = 2.0;
/// The data set is one fixed thing: a command's `--seed` splits it, it does not draw it.
const SEED: u64 = 2;

/// 1,000 rows of 30 features in two classes.
///
/// Each class is two Gaussian clusters about vertices `(±2, ..)` of a hypercube in 5 informative
/// dimensions, each cluster with a linear map of its own; 5 further features are linear combinations
/// of those and 20 are noise, in shuffled columns. One label in a hundred is flipped. Values are
/// rounded to 6 decimals, so that the last digit of a platform's logarithm does not show.
pub fn synthetic() -> Dataset {
    let mut random = Random::new(SEED);
    let mut vertices: Vec<usize> = (0..1 << INFORMATIVE).collect();
    random.shuffle(&mut vertices);
    let mut matrix = |rows: usize, columns: usize| -> Vec<Vec<f64>> {
        (0..rows).map(|_| (0..columns).map(|_| 2.0 * random.uniform() - 1.0).collect()).collect()
    };
    let maps: Vec<Vec<Vec<f64>>> = (0..CLUSTERS).map(|_| matrix(INFORMATIVE, INFORMATIVE)).collect();
    let combinations = matrix(REDUNDANT, INFORMATIVE);
    let mut columns: Vec<usize> = (0..FEATURES).collect();
    random.shuffle(&mut columns);
    let mut samples: Vec<(Vec<f64>, u32)> = (0..ROWS)
        .map(|index| {
            let cluster = index % CLUSTERS;
            let draws: Vec<f64> = (0..INFORMATIVE).map(|_| random.normal()).collect();
            let mut values: Vec<f64> = (0..INFORMATIVE)
                .map(|axis| {
                    let sign = if vertices[cluster] >> axis & 1 == 1 { 1.0 } else { -1.0 };
                    sign * SEPARATION + dot(&maps[cluster][axis], &draws)
                })
                .collect();
            let redundant: Vec<f64> = combinations.iter().map(|row| dot(row, &values)).collect();
            values.extend(redundant);
            values.resize_with(FEATURES, || random.normal());
            let flip = u32::from(random.below(100) == 0);
            let row = columns.iter().map(|column| (values[*column] * 1e6).round() / 1e6).collect();
            (row, (cluster as u32 % 2) ^ flip)
        })
        .collect();
    random.shuffle(&mut samples);
    let (rows, labels) = samples.into_iter().unzip();
    Dataset {
        name: "synthetic".into(),
        target: "label".into(),
        features: (0..FEATURES).map(|feature| format!("x{feature:02}")).collect(),
        classes: vec!["0".into(), "1".into()],
        rows,
        labels,
        values: Vec::new(),
        input: None,
        image: None,
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_everywhere() {
        let data = synthetic();
        assert_eq!((data.len(), data.features.len()), (1000, 30));
        assert!(data.class_counts().iter().all(|count| (480..=520).contains(count)));
        let hex = fhectl_core::digest::to_hex(&data.digest());
        assert_eq!(hex, "7aaa728f164080cebf5fab68447eb8fefbcb5482d0cd523e2e00373995e1bb39");
    }
}
