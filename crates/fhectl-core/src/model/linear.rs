//! Linear models over quantized features.

use super::{Output, Quantizer, invalid};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A linear model: score `c` is `biases[c] + sum_f weights[c][f] * q[f]`.
///
/// A binary classifier and a regression have one row of weights, whose score is the margin of class 1, or the value. A
/// multinomial classifier has a row per class. `score * scale` is the logit of the float model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegerLinear {
    /// Indexed by score and feature.
    pub weights: Vec<Vec<i32>>,
    pub biases: Vec<i64>,
    pub scale: f64,
}

impl IntegerLinear {
    /// The integer scores of one quantized row.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        self.weights
            .iter()
            .zip(&self.biases)
            .map(|(row, bias)| {
                bias + row.iter().zip(quantized).map(|(w, q)| i64::from(*w) * i64::from(*q)).sum::<i64>()
            })
            .collect()
    }

    /// The smallest and the largest score that any quantized row can have, over all rows of weights.
    pub fn score_range(&self, quantizer: &Quantizer) -> (i64, i64) {
        let tops: Vec<i64> = quantizer.features.iter().map(|f| i64::from(f.levels()) - 1).collect();
        let mut range = (i64::MAX, i64::MIN);
        for (row, bias) in self.weights.iter().zip(&self.biases) {
            let (mut low, mut high) = (*bias, *bias);
            for (weight, top) in row.iter().zip(&tops) {
                let reach = i64::from(*weight) * top;
                low += reach.min(0);
                high += reach.max(0);
            }
            range = (range.0.min(low), range.1.max(high));
        }
        range
    }

    /// Checks the shape against the quantizer and the output, and that no score can reach 2^62.
    ///
    /// # Errors
    /// `model_invalid`, which says what is wrong.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let rows = self.weights.len();
        if rows == 0 || rows != output.margins() || self.biases.len() != rows {
            return Err(invalid(format!("{rows} rows of weights and {} biases for {output:?}", self.biases.len())));
        }
        let features = quantizer.features.len();
        if let Some(row) = self.weights.iter().position(|row| row.len() != features) {
            return Err(invalid(format!("row {row} has {} weights for {features} features", self.weights[row].len())));
        }
        let tops: Vec<i128> = quantizer.features.iter().map(|f| i128::from(f.levels()) - 1).collect();
        for (row, bias) in self.weights.iter().zip(&self.biases) {
            let reach: i128 = row.iter().zip(&tops).map(|(weight, top)| i128::from(weight.unsigned_abs()) * top).sum();
            if reach + i128::from(bias.unsigned_abs()) >= 1 << 62 {
                return Err(invalid("a score can go beyond 2^62"));
            }
        }
        if !self.scale.is_finite() || self.scale <= 0.0 {
            return Err(invalid(format!("scale {} is not positive", self.scale)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::model::FeatureQuantizer;

    #[test]
    fn scores_stay_in_their_range() {
        let feature = FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 8 };
        let quantizer = Quantizer { features: vec![feature.clone(), feature] };
        let model = IntegerLinear { weights: vec![vec![3, -2]], biases: vec![5], scale: 0.1 };
        model.check(&quantizer, Output::Classes(2)).unwrap();
        assert_eq!(model.scores(&[7, 0]), [26]);
        assert_eq!(model.scores(&[0, 7]), [-9]);
        assert_eq!(model.score_range(&quantizer), (-9, 26));
        assert_eq!(model.check(&quantizer, Output::Classes(3)).unwrap_err().code, ErrorCode::ModelInvalid);
    }
}
