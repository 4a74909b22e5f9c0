//! How large the plaintext modulus of a layer must be.

use fhectl_core::error::{Error, ErrorCode, Result};

/// Room for rows that were not seen: the modulus holds sums this many times as far out as those of training.
const SLACK: f64 = 1.1;
/// Standard deviations of the noise that must fit beside the farthest sum.
const SIGMAS: f64 = 5.0;
/// The most noise a layer can be trained with, in turns: beyond it the modulus would be mostly noise.
const MOST_NOISE: f64 = 0.05;

/// The even number of steps whose half holds a reach of so many steps, with slack and with `noise` (turns).
pub(super) fn modulus_for(reach: f64, noise: f64) -> u64 {
    modulus_holding(SLACK * reach.max(1.0), noise)
}

/// The even number of steps whose half holds a reach of so many steps with `noise` (turns).
pub fn modulus_holding(reach: f64, noise: f64) -> u64 {
    let half = reach.max(1.0) / (1.0 - 2.0 * SIGMAS * noise);
    2 * (half.ceil() as u64 + 1)
}

/// # Errors
/// `noise_range`.
pub(super) fn check_noise(noise: f64) -> Result<()> {
    if noise > 0.0 && noise <= MOST_NOISE {
        return Ok(());
    }
    Err(Error::new(ErrorCode::NoiseRange, format!("noise of {noise} turns, want more than 0 and at most {MOST_NOISE}"))
        .hint("0.006 suits bootstraps of a few milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_modulus_holds_reach_slack_and_noise() {
        for (reach, noise) in [(1.0, 0.001), (100.0, 0.006), (5000.0, 0.05)] {
            let modulus = modulus_for(reach, noise) as f64;
            assert!(modulus / 2.0 >= reach * SLACK + SIGMAS * noise * modulus, "{reach} {noise}");
            assert!(modulus <= 2.0 * reach * SLACK / (1.0 - 10.0 * noise) + 4.0, "{reach} {noise}: a wasted modulus");
            assert!(modulus % 2.0 == 0.0);
        }
        assert_eq!(check_noise(0.2).unwrap_err().code, ErrorCode::NoiseRange);
        assert_eq!(check_noise(f64::NAN).unwrap_err().code, ErrorCode::NoiseRange);
    }
}
