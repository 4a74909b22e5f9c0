//! Quantization of rows of numbers to small integers, one rule per feature.

use super::invalid;
use crate::error::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

/// The most levels that a feature may have (16 bits).
pub const MAX_LEVELS: u32 = 1 << 16;

/// The rule that maps a feature to an integer in `0..levels()`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum FeatureQuantizer {
    /// `q` is the number of edges at or below the value: `q = #{e : e <= x}`. Edges are strictly increasing.
    Edges { edges: Vec<f64> },
    /// `q = round((x - low) / step)`, clipped to `0..levels`. A constant feature has 1 level.
    Affine { low: f64, step: f64, levels: u32 },
}

impl FeatureQuantizer {
    /// The number of values that `quantize` can return, at least 1.
    pub fn levels(&self) -> u32 {
        match self {
            Self::Edges { edges } => edges.len() as u32 + 1,
            Self::Affine { levels, .. } => *levels,
        }
    }

    /// The integer for a finite `value`.
    pub fn quantize(&self, value: f64) -> u32 {
        match self {
            Self::Edges { edges } => edges.partition_point(|edge| *edge <= value) as u32,
            Self::Affine { low, step, levels } => {
                let top = f64::from(levels - 1);
                ((value - low) / step).round().clamp(0.0, top) as u32
            }
        }
    }

    /// Whether a finite value lies beyond the ends of a grid, by more than rounding. Bins have no ends.
    pub fn is_outside(&self, value: f64) -> bool {
        match self {
            Self::Edges { .. } => false,
            Self::Affine { low, step, levels } => {
                let place = (value - low) / step;
                place < -0.5 || place > f64::from(levels - 1) + 0.5
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Edges { edges } => {
                if edges.len() >= MAX_LEVELS as usize {
                    return Err(format!("{} edges, at most {}", edges.len(), MAX_LEVELS - 1));
                }
                if edges.iter().any(|edge| !edge.is_finite()) {
                    return Err("an edge is not a finite number".into());
                }
                if edges.windows(2).any(|pair| pair[0] >= pair[1]) {
                    return Err("edges are not strictly increasing".into());
                }
            }
            Self::Affine { low, step, levels } => {
                if !low.is_finite() || !step.is_finite() || *step <= 0.0 {
                    return Err(format!("low {low}, step {step}: not a usable grid"));
                }
                if *levels == 0 || *levels > MAX_LEVELS {
                    return Err(format!("{levels} levels, want 1 to {MAX_LEVELS}"));
                }
            }
        }
        Ok(())
    }
}

/// The rules of all features, in the order of the model's columns.
///
/// ```
/// use fhectl_core::error::ErrorCode;
/// use fhectl_core::model::{FeatureQuantizer, Quantizer};
/// let quantizer = Quantizer {
///     features: vec![
///         FeatureQuantizer::Edges { edges: vec![0.5, 1.5] },
///         FeatureQuantizer::Affine { low: -1.0, step: 0.25, levels: 9 },
///     ],
/// };
/// quantizer.check()?;
/// assert_eq!(quantizer.quantize(&[1.5, 0.1])?, [2, 4]);
/// assert_eq!(quantizer.quantize(&[1.5]).unwrap_err().code, ErrorCode::RowShape);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantizer {
    pub features: Vec<FeatureQuantizer>,
}

impl Quantizer {
    /// Quantizes a row of `features.len()` finite values.
    ///
    /// # Errors
    /// `row_shape` for a row of another length, `row_value` where a value is not finite.
    pub fn quantize(&self, row: &[f64]) -> Result<Vec<u32>> {
        if row.len() != self.features.len() {
            return Err(Error::new(
                ErrorCode::RowShape,
                format!("the row has {} values, the model takes {}", row.len(), self.features.len()),
            )
            .hint("`fhectl inspect` lists the features in their order"));
        }
        row.iter()
            .zip(&self.features)
            .enumerate()
            .map(|(index, (value, feature))| {
                if value.is_finite() {
                    Ok(feature.quantize(*value))
                } else {
                    Err(Error::new(ErrorCode::RowValue, format!("feature {index} is {value}, not a finite number"))
                        .hint("fill missing values before predicting"))
                }
            })
            .collect()
    }

    /// Checks that there are features and that their rules are well-formed.
    ///
    /// # Errors
    /// `model_invalid`, which names the feature.
    pub fn check(&self) -> Result<()> {
        if self.features.is_empty() {
            return Err(invalid("the quantizer has no features"));
        }
        for (index, feature) in self.features.iter().enumerate() {
            feature.check().map_err(|what| invalid(format!("quantizer of feature {index}: {what}")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_count_those_at_or_below_the_value() {
        let feature = FeatureQuantizer::Edges { edges: vec![0.5, 1.5, 4.0] };
        let got: Vec<u32> = [-9.0, 0.5, 0.6, 1.5, 3.9, 4.0, 99.0].iter().map(|x| feature.quantize(*x)).collect();
        assert_eq!(got, [0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(feature.levels(), 4);
    }

    #[test]
    fn affine_rounds_and_clips() {
        let feature = FeatureQuantizer::Affine { low: -1.0, step: 0.5, levels: 5 };
        let got: Vec<u32> = [-9.0, -1.0, -0.7, -0.8, 0.0, 1.0, 9.0].iter().map(|x| feature.quantize(*x)).collect();
        assert_eq!(got, [0, 0, 1, 0, 2, 4, 4]);
    }

    #[test]
    fn bad_rules_and_rows_are_named() {
        let bad = Quantizer { features: vec![FeatureQuantizer::Edges { edges: vec![1.0, 1.0] }] };
        assert_eq!(bad.check().unwrap_err().code, ErrorCode::ModelInvalid);
        let good = Quantizer { features: vec![FeatureQuantizer::Edges { edges: vec![1.0] }] };
        assert_eq!(good.quantize(&[1.0, 2.0]).unwrap_err().code, ErrorCode::RowShape);
        assert_eq!(good.quantize(&[f64::NAN]).unwrap_err().code, ErrorCode::RowValue);
    }
}
