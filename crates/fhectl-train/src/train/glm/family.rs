//! Distributions of numbers about their mean, and what a mean costs that is not it.

use fhectl_core::error::{Error, ErrorCode, Result};

/// How the variance of a number grows with its mean: as this power of it (Tweedie; Jorgensen 1987).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    power: f64,
}

/// How the mean follows from the sum of weighted features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The mean is the sum.
    Identity,
    /// The mean is the exponential of the sum.
    Log,
}

impl Family {
    /// Any number: least squares.
    pub const GAUSSIAN: Self = Self { power: 0.0 };
    /// Counts.
    pub const POISSON: Self = Self { power: 1.0 };
    /// Positive numbers whose spread grows with them.
    pub const GAMMA: Self = Self { power: 2.0 };

    /// The family of this power: 0, or 1 and more. Between 1 and 2 are numbers from 0 on of which many are 0, such as the
    /// costs of claims.
    ///
    /// # Errors
    /// `glm_params` for another power.
    pub fn tweedie(power: f64) -> Result<Self> {
        if power == 0.0 || (1.0..=10.0).contains(&power) {
            return Ok(Self { power });
        }
        Err(Error::new(ErrorCode::GlmParams, format!("a power of {power}")).hint(
            "--power is 0 (gaussian), 1 (poisson), between 1 and 2 (costs, of which many are 0), 2 (gamma) or more",
        ))
    }

    /// Its name.
    pub fn name(self) -> String {
        match self.power {
            0.0 => "gaussian".to_owned(),
            1.0 => "poisson".to_owned(),
            2.0 => "gamma".to_owned(),
            power => format!("tweedie of power {power}"),
        }
    }

    /// The link that means of this family are usually given by.
    pub fn usual_link(self) -> Link {
        if self.power == 0.0 { Link::Identity } else { Link::Log }
    }

    /// The variance that goes with a mean, but for a factor.
    pub(super) fn variance(self, mean: f64) -> f64 {
        mean.powf(self.power)
    }

    pub(super) fn power(self) -> f64 {
        self.power
    }

    /// Whether numbers of this family can be such.
    pub(super) fn allows(self, value: f64) -> bool {
        match self.power {
            0.0 => true,
            power if power < 2.0 => value >= 0.0,
            _ => value > 0.0,
        }
    }

    /// What a mean costs where the number is another one: 0 where it is the same, the square for [`Family::GAUSSIAN`].
    /// Infinite for a mean that the family does not have.
    pub fn deviance(self, value: f64, mean: f64) -> f64 {
        let power = self.power;
        if power == 0.0 {
            return (value - mean).powi(2);
        }
        if mean.is_nan() || mean <= 0.0 {
            return f64::INFINITY;
        }
        let half = if power == 1.0 {
            if value > 0.0 { value * (value / mean).ln() - value + mean } else { mean }
        } else if power == 2.0 {
            (mean / value).ln() + value / mean - 1.0
        } else {
            let (one, two) = (1.0 - power, 2.0 - power);
            value.max(0.0).powf(two) / (one * two) - value * mean.powf(one) / one + mean.powf(two) / two
        };
        2.0 * half
    }

    /// The share of the deviance that predictions explain, 1 for perfect ones and 0 for the mean of all numbers: R2 for
    /// [`Family::GAUSSIAN`].
    pub fn d2(self, predicted: &[f64], wanted: &[f64]) -> f64 {
        let mean = wanted.iter().sum::<f64>() / wanted.len().max(1) as f64;
        let left: f64 = predicted.iter().zip(wanted).map(|(mean, value)| self.deviance(*value, *mean)).sum();
        let all: f64 = wanted.iter().map(|value| self.deviance(*value, mean)).sum();
        1.0 - left / all
    }
}

impl Link {
    /// The mean at a sum.
    pub fn mean(self, sum: f64) -> f64 {
        match self {
            Self::Identity => sum,
            Self::Log => sum.exp(),
        }
    }

    /// The sum at a mean.
    pub(super) fn sum(self, mean: f64) -> f64 {
        match self {
            Self::Identity => mean,
            Self::Log => mean.ln(),
        }
    }

    /// How fast the mean grows with the sum, at a mean.
    pub(super) fn slope(self, mean: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Log => mean,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Log => "log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_costs_nothing_where_it_is_right_and_more_the_farther_it_is() {
        for power in [0.0, 1.0, 1.5, 1.9, 2.0, 3.0] {
            let family = Family::tweedie(power).unwrap();
            for value in [0.5, 1.0, 7.0] {
                assert!(family.deviance(value, value).abs() < 1e-12, "{power}");
                let of = |mean: f64| family.deviance(value, mean);
                assert!(of(value * 1.1) > 0.0 && of(value * 1.3) > of(value * 1.1) && of(value / 2.0) > 0.0, "{power}");
                // The slope by the mean is -2 (value - mean) / variance.
                let (mean, by) = (value * 1.2, 1e-6);
                let slope = (of(mean + by) - of(mean - by)) / (2.0 * by);
                assert!((slope + 2.0 * (value - mean) / family.variance(mean)).abs() < 1e-6, "{power}: {slope}");
            }
        }
        assert_eq!(Family::POISSON.deviance(0.0, 2.0), 4.0);
        assert_eq!(Family::GAMMA.deviance(1.0, -1.0), f64::INFINITY);
        for bad in [-1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(Family::tweedie(bad).unwrap_err().code, ErrorCode::GlmParams);
        }
    }

    #[test]
    fn explained_deviance_is_r2_of_squares() {
        let (predicted, wanted) = ([1.5, 2.0, 5.0], [1.0, 2.0, 6.0]);
        let r2 = super::super::super::quality::Fit::of(&predicted, &wanted).r2;
        assert!((Family::GAUSSIAN.d2(&predicted, &wanted) - r2).abs() < 1e-12);
        assert!(Family::POISSON.d2(&[3.0; 3], &wanted).abs() < 1e-12);
        assert_eq!(Family::GAMMA.d2(&wanted, &wanted), 1.0);
    }
}
