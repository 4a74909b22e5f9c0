//! How much rows of each class count in training, so that a rare class is not lost beside a frequent one.

use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};

/// The largest weight beside the smallest: beyond it, one row speaks for all others.
const MOST: f64 = 1e6;

/// A weight a class; all alike by default.
///
/// Weights are scaled so that rows weigh 1 on average: penalties and the fewest of a leaf mean what they mean without.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClassWeights(Option<Vec<f64>>);

impl ClassWeights {
    /// Weights with which every class of `train` counts as much as any other, as scikit-learn's `"balanced"`: one over
    /// the class's share of the rows and the number of classes.
    ///
    /// # Errors
    /// As [`ClassWeights::named`].
    pub fn balanced(train: &Dataset) -> Result<Self> {
        let share = |count: usize| train.len() as f64 / (count.max(1) * train.classes.len()) as f64;
        Self::scaled(train, train.class_counts().into_iter().map(share).collect())
    }

    /// The weights of classes by their names; those that are not named have 1.
    ///
    /// # Errors
    /// `class_weights` for a name that is no class's or stands twice, for numbers that are no weights, and where a number
    /// is to be predicted.
    pub fn named(train: &Dataset, weights: &[(String, f64)]) -> Result<Self> {
        let mut found = vec![None; train.classes.len()];
        for (name, weight) in weights {
            let at = train.classes.iter().position(|class| class == name);
            let Some(place) = at.and_then(|at| found.get_mut(at)).filter(|place| place.is_none()) else {
                return Err(refused(format!("`{}` is no class, or stands twice", name.escape_debug()))
                    .hint(format!("the classes are {}", train.classes.join(", "))));
            };
            *place = Some(*weight);
        }
        Self::scaled(train, found.into_iter().map(|weight| weight.unwrap_or(1.0)).collect())
    }

    fn scaled(train: &Dataset, mut weights: Vec<f64>) -> Result<Self> {
        if weights.is_empty() {
            return Err(refused("a number is predicted: there are no classes".to_owned())
                .hint("leave out --class-weight, or say --task classify"));
        }
        let (low, high) = weights.iter().fold((f64::INFINITY, 0.0f64), |(low, high), w| (low.min(*w), high.max(*w)));
        if weights.iter().any(|weight| weight.is_nan()) || !(low > 0.0 && high.is_finite() && high / low <= MOST) {
            return Err(refused(format!("class weights from {low} to {high}"))
                .hint(format!("weights are numbers above 0, the largest at most {MOST} times the smallest")));
        }
        let total: f64 = train.class_counts().iter().zip(&weights).map(|(count, weight)| *count as f64 * weight).sum();
        let mean = total / train.len().max(1) as f64;
        if mean > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= mean);
        }
        Ok(Self(Some(weights)))
    }

    /// Whether all rows count alike.
    pub fn is_even(&self) -> bool {
        self.0.is_none()
    }

    /// What a row of this class counts.
    pub fn of(&self, class: u32) -> f64 {
        self.0.as_ref().map_or(1.0, |weights| weights[class as usize])
    }

    /// What each of these rows counts.
    pub(super) fn rows(&self, labels: &[u32]) -> Vec<f64> {
        labels.iter().map(|label| self.of(*label)).collect()
    }

    /// Weights for a person, beside the classes' names.
    pub fn describe(&self, classes: &[String]) -> Option<String> {
        /// So many are listed.
        const LISTED: usize = 6;
        let weights = self.0.as_ref()?;
        let named = classes.iter().zip(weights).take(LISTED).map(|(class, weight)| format!("{class} {weight:.3}"));
        let more = if weights.len() > LISTED { ", ..." } else { "" };
        Some(format!("classes weigh {}{more}", named.collect::<Vec<_>>().join(", ")))
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorCode::ClassWeights, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::dataset;

    #[test]
    fn balanced_classes_count_alike_and_rows_one_on_average() {
        let rows = (0..10).map(|row| vec![f64::from(row)]).collect();
        let data = dataset(rows, vec![0, 0, 0, 0, 0, 0, 0, 0, 1, 1], 2);
        let weights = ClassWeights::balanced(&data).unwrap();
        assert_eq!((weights.of(0), weights.of(1)), (0.625, 2.5));
        assert!((weights.rows(&data.labels).iter().sum::<f64>() - 10.0).abs() < 1e-9);
        let named = ClassWeights::named(&data, &[("1".to_owned(), 6.0)]).unwrap();
        assert_eq!((named.of(0), named.of(1)), (0.5, 3.0));
        assert_eq!(named.describe(&data.classes).unwrap(), "classes weigh 0 0.500, 1 3.000");
        assert!(ClassWeights::default().is_even() && ClassWeights::default().describe(&data.classes).is_none());
        for bad in [vec![("2", 1.0)], vec![("0", 0.0)], vec![("0", f64::NAN)], vec![("0", 1.0), ("0", 2.0)]] {
            let bad: Vec<(String, f64)> = bad.into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect();
            assert_eq!(ClassWeights::named(&data, &bad).unwrap_err().code, ErrorCode::ClassWeights, "{bad:?}");
        }
        let numbers = Dataset { classes: Vec::new(), labels: Vec::new(), values: vec![0.5; 10], ..data };
        assert_eq!(ClassWeights::balanced(&numbers).unwrap_err().code, ErrorCode::ClassWeights);
    }
}
