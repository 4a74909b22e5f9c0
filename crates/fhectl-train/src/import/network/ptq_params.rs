//! What controls quantization after training.

use fhectl_core::error::{Error, ErrorCode, Result};

/// What controls quantization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PtqParams {
    /// Bits of a feature, 1 to 16.
    pub bits: u32,
    /// Bits of an activation, 1 to 8.
    pub activation_bits: u32,
    /// Bits of a signed weight, 2 to 12: those of the largest weight of a channel like most in its layer.
    pub weight_bits: u32,
    /// Bits of a score's weights beyond those, 0 to 2: nothing after them evens rounding out, but a student learns to do
    /// with fewer.
    pub score_bits: u32,
    /// The share of an activation's values that its range holds, in percent: what lies beyond the rest at either end is
    /// cut off.
    pub percentile: f64,
    /// The share of a feature's values that its range holds, in percent; 100 for all but one in a thousand at either end,
    /// where there are a thousand. Pixels and integers keep their range.
    pub feature_percentile: f64,
    /// The noise that encryption may put on a sum before an activation, a standard deviation in turns (fractions of the plaintext modulus).
    pub noise: f64,
    /// The same on scores.
    pub score_noise: f64,
    /// The significant decimal digits of features' ranges; all where there are none.
    pub coarse_edges: Option<u32>,
}

impl Default for PtqParams {
    fn default() -> Self {
        Self {
            bits: 8,
            activation_bits: 6,
            weight_bits: 6,
            score_bits: 2,
            percentile: 99.9,
            feature_percentile: 100.0,
            noise: 0.002,
            score_noise: 0.0005,
            coarse_edges: None,
        }
    }
}

impl PtqParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `activation_bits`, `weight_bits`, `percentile_range` or `noise_range` naming the one that is out of range.
    pub(in crate::import::network) fn check(&self) -> Result<()> {
        let wrong = |code, what: String, hint: &str| Err(Error::new(code, what).hint(hint));
        if !(1..=8).contains(&self.activation_bits) {
            return wrong(
                ErrorCode::ActivationBits,
                format!("activations of {} bits, want 1 to 8", self.activation_bits),
                "try `--activation-bits 6`",
            );
        }
        if !(2..=12).contains(&self.weight_bits) {
            let what = format!("weights of {} bits, want 2 to 12", self.weight_bits);
            return wrong(ErrorCode::WeightBits, what, "try `--weight-bits 6`");
        }
        for percentile in [self.percentile, self.feature_percentile] {
            if !(50.0..=100.0).contains(&percentile) {
                let what = format!("a percentile of {percentile}, want 50 to 100");
                return wrong(ErrorCode::PercentileRange, what, "try `--percentile 99.9`");
            }
        }
        for noise in [self.noise, self.score_noise] {
            if !(noise > 0.0 && noise <= 0.05) {
                let what = format!("noise of {noise} turns, want more than 0 and at most 0.05");
                return wrong(
                    ErrorCode::NoiseRange,
                    what,
                    "training did not see the noise: 0.002 hardly changes an answer",
                );
            }
        }
        Ok(())
    }
}
