//! Numbers to predict in a unit of their own, so that no trainer depends on the target's.

use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};

/// Numbers as `mean + deviation * standard`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StandardTarget {
    pub(super) mean: f64,
    /// The standard deviation, positive.
    pub(super) deviation: f64,
    /// One a row, of mean 0 and deviation 1.
    pub(super) values: Vec<f64>,
}

impl StandardTarget {
    /// Of the rows of a regression.
    ///
    /// # Errors
    /// Those of [`Dataset::check_trainable`]; `target_range` where the numbers span more than an `f64` can tell apart.
    pub(super) fn of(train: &Dataset) -> Result<Self> {
        train.check_trainable()?;
        let count = train.len() as f64;
        let mean = train.values.iter().map(|value| value / count).sum::<f64>();
        // Squares of what is at most 1 do not overflow, whatever the unit.
        let reach = train.values.iter().fold(0.0f64, |reach, value| reach.max((value - mean).abs()));
        let variance = train.values.iter().map(|value| ((value - mean) / reach).powi(2)).sum::<f64>() / count;
        let deviation = reach * variance.sqrt();
        let values: Vec<f64> = train.values.iter().map(|value| (value - mean) / deviation).collect();
        if !(mean.is_finite() && deviation.is_normal() && values.iter().all(|value| value.is_finite())) {
            return Err(Error::new(
                ErrorCode::TargetRange,
                format!("the numbers of `{}` cannot be averaged", train.target),
            )
            .hint("scale the target to an ordinary range"));
        }
        Ok(Self { mean, deviation, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_unit_will_do_and_what_cannot_be_averaged_is_refused() {
        let target = |values: Vec<f64>| {
            let rows = (0..values.len()).map(|row| vec![row as f64]).collect();
            StandardTarget::of(&Dataset {
                name: "d".into(),
                target: "y".into(),
                features: vec!["a".into()],
                classes: Vec::new(),
                rows,
                labels: Vec::new(),
                values,
                input: None,
                image: None,
            })
        };
        for unit in [1e-200, 1.0, 1e200] {
            let standard = target(vec![unit, 2.0 * unit, 6.0 * unit]).unwrap();
            assert!((standard.mean / unit - 3.0).abs() < 1e-12);
            assert!((standard.deviation / unit - (14.0f64 / 3.0).sqrt()).abs() < 1e-12);
            assert!(standard.values.iter().sum::<f64>().abs() < 1e-12);
        }
        assert_eq!(target(vec![f64::MAX, -f64::MAX, f64::MAX]).unwrap_err().code, ErrorCode::TargetRange);
        assert_eq!(target(vec![1.0, 1.0]).unwrap_err().code, ErrorCode::OneValue);
    }
}
