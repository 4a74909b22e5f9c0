//! What a client does to a row of numbers before it is quantized.

use super::invalid;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// One step, in clear on the client. Its parameters are public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum RowStep {
    /// `(x - offset) * scale`, feature by feature.
    Scale { offsets: Vec<f64>, scales: Vec<f64> },
    /// The row divided by its norm; a row of norm zero stays as it is.
    Normalize { norm: Norm },
}

/// The norm of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    L1,
    L2,
    Max,
}

impl RowStep {
    /// Takes the step, in place.
    pub fn apply(&self, row: &mut [f64]) {
        match self {
            Self::Scale { offsets, scales } => {
                for ((x, offset), scale) in row.iter_mut().zip(offsets).zip(scales) {
                    *x = (*x - offset) * scale;
                }
            }
            Self::Normalize { norm } => {
                let size = match norm {
                    Norm::L1 => row.iter().map(|x| x.abs()).sum(),
                    Norm::L2 => libm::sqrt(row.iter().map(|x| x * x).sum()),
                    Norm::Max => row.iter().fold(0.0, |most: f64, x| most.max(x.abs())),
                };
                if size != 0.0 {
                    row.iter_mut().for_each(|x| *x /= size);
                }
            }
        }
    }

    /// # Errors
    /// `model_invalid` where the step does not fit rows of so many features.
    pub fn check(&self, features: usize) -> Result<()> {
        match self {
            Self::Scale { offsets, scales } => {
                if offsets.len() != features || scales.len() != features {
                    return Err(invalid(format!("a scaler of {} values for {features} features", scales.len())));
                }
                if offsets.iter().chain(scales).any(|x| !x.is_finite()) {
                    return Err(invalid("a scaler's value is not a finite number"));
                }
                Ok(())
            }
            Self::Normalize { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_do_what_they_say() {
        let after = |step: RowStep, mut row: Vec<f64>| {
            step.check(row.len()).unwrap();
            step.apply(&mut row);
            row
        };
        let scale = RowStep::Scale { offsets: vec![1.0, 0.0], scales: vec![2.0, -1.0] };
        assert_eq!(after(scale.clone(), vec![3.0, 4.0]), [4.0, -4.0]);
        assert!(scale.check(3).is_err());
        let norm = |norm| RowStep::Normalize { norm };
        assert_eq!(after(norm(Norm::L2), vec![3.0, -4.0]), [0.6, -0.8]);
        assert_eq!(after(norm(Norm::L1), vec![1.0, -3.0]), [0.25, -0.75]);
        assert_eq!(after(norm(Norm::Max), vec![1.0, -4.0]), [0.25, -1.0]);
        assert_eq!(after(norm(Norm::L2), vec![0.0, 0.0]), [0.0, 0.0]);
    }
}
