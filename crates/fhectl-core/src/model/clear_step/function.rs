//! Functions of one number.

use super::super::invalid;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Exp,
    /// `exp(x) - 1`.
    Expm1,
    Log,
    /// `log(1 + x)`.
    Log1p,
    Sqrt,
    Square,
    Abs,
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `log(1 + exp(x))`.
    Softplus,
    /// The distribution function of the standard normal distribution.
    NormalCdf,
    /// Its inverse, of shares kept a ten-millionth away from 0 and 1, as scikit-learn's QuantileTransformer does.
    NormalQuantile,
    /// The power transform of Yeo and Johnson (Biometrika 87, 2000).
    YeoJohnson {
        lambda: f64,
    },
    /// That of Box and Cox (1964), for positive numbers.
    BoxCox {
        lambda: f64,
    },
    /// 1 for a positive number, else 0.
    Positive,
    /// `1 / x`.
    Inverse,
    /// `x` to this power; missing where that is no real number.
    Power {
        exponent: f64,
    },
    /// The number without its fraction.
    Truncate,
    /// The nearest number of 32 bits, as tools see it that compute in those.
    Single,
}

impl Function {
    /// The function's value.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Exp => libm::exp(x),
            Self::Expm1 => libm::expm1(x),
            Self::Log => libm::log(x),
            Self::Log1p => libm::log1p(x),
            Self::Sqrt => libm::sqrt(x),
            Self::Square => x * x,
            Self::Abs => x.abs(),
            Self::Tanh => libm::tanh(x),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Self::NormalCdf => 0.5 * libm::erfc(-x / core::f64::consts::SQRT_2),
            Self::NormalQuantile => normal_quantile(x.clamp(1e-7, 1.0 - 1e-7)),
            Self::YeoJohnson { lambda } => yeo_johnson(x, lambda),
            Self::BoxCox { lambda } if lambda.abs() < f64::EPSILON => libm::log(x),
            Self::BoxCox { lambda } => (libm::pow(x, lambda) - 1.0) / lambda,
            Self::Positive => f64::from(u8::from(x > 0.0)),
            Self::Inverse => 1.0 / x,
            Self::Power { exponent } => libm::pow(x, exponent),
            Self::Truncate => libm::trunc(x),
            Self::Single => f64::from(x as f32),
        }
    }

    /// # Errors
    /// `model_invalid` where its parameter is not finite.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::YeoJohnson { lambda } | Self::BoxCox { lambda } if !lambda.is_finite() => {
                Err(invalid("the power of a transform is not finite"))
            }
            Self::Power { exponent } if !exponent.is_finite() => Err(invalid("a power is not finite")),
            _ => Ok(()),
        }
    }
}

fn yeo_johnson(x: f64, lambda: f64) -> f64 {
    match (x >= 0.0, lambda) {
        (true, lambda) if lambda.abs() < f64::EPSILON => libm::log1p(x),
        (true, lambda) => (libm::pow(x + 1.0, lambda) - 1.0) / lambda,
        (false, lambda) if (lambda - 2.0).abs() < f64::EPSILON => -libm::log1p(-x),
        (false, lambda) => -(libm::pow(1.0 - x, 2.0 - lambda) - 1.0) / (2.0 - lambda),
    }
}

/// By bisection and Newton's method on the distribution function, which `libm` has to the last digits.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if Function::NormalCdf.apply(middle) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_known_values() {
        let near = |function: Function, x: f64, wanted: f64| {
            let got = function.apply(x);
            assert!((got - wanted).abs() < 1e-9, "{function:?} of {x} is {got}");
        };
        near(Function::Sigmoid, 0.0, 0.5);
        near(Function::Softplus, 0.0, core::f64::consts::LN_2);
        near(Function::Softplus, 800.0, 800.0);
        near(Function::NormalCdf, 1.959_963_984_540_054, 0.975);
        near(Function::NormalQuantile, 0.975, 1.959_963_984_540_054);
        near(Function::NormalQuantile, 0.0, -5.199_337_582_290_661);
        near(Function::YeoJohnson { lambda: 1.0 }, -3.0, -3.0);
        near(Function::YeoJohnson { lambda: 0.0 }, 1.0, core::f64::consts::LN_2);
        near(Function::YeoJohnson { lambda: 2.0 }, -1.0, -core::f64::consts::LN_2);
        near(Function::BoxCox { lambda: 2.0 }, 3.0, 4.0);
        near(Function::BoxCox { lambda: 0.0 }, 1.0, 0.0);
        near(Function::Positive, 0.0, 0.0);
        near(Function::Inverse, 4.0, 0.25);
        near(Function::Power { exponent: 1.5 }, 4.0, 8.0);
        near(Function::Truncate, -2.7, -2.0);
        near(Function::Single, 0.1, 0.100_000_001_490_116_12);
        assert!(Function::Power { exponent: 0.5 }.apply(-1.0).is_nan());
        assert!(Function::BoxCox { lambda: f64::NAN }.check().is_err());
    }
}
