//! Scalar functions that a staircase can stand for: those that never decrease.

/// A function that never decreases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    Identity,
    /// `max(x, 0) + slope * min(x, 0)`, `slope >= 0`.
    Leaky {
        slope: f64,
    },
    /// `low <= high`, either may be infinite.
    Clip {
        low: f64,
        high: f64,
    },
    Sigmoid,
    Tanh,
    Erf,
    /// `max(0, min(1, slope * x + shift))`, `slope >= 0`.
    HardSigmoid {
        slope: f64,
        shift: f64,
    },
    /// `gain * x` above 0, `gain * alpha * (exp(x / scale) - 1)` below; all at least 0.
    Elu {
        alpha: f64,
        gain: f64,
        scale: f64,
    },
    Softplus,
    Softsign,
    Exp,
    /// The nearest of `steps` values from `low` on, `step` apart: `step > 0`, `steps >= 1`.
    Stepped {
        low: f64,
        step: f64,
        steps: u32,
    },
    /// `x` above `alpha >= 0`, else 0.
    Thresholded {
        alpha: f64,
    },
    Sign,
    /// One side of a function that falls, then rises: see [`Curve`].
    Side {
        curve: Curve,
        side: Side,
    },
}

/// Functions with one valley. `f(x) = Rising(x) - Falling(x) - f(lowest)` of two functions that never decrease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `x * sigmoid(x)`.
    Silu,
    /// `x * clip(x / 6 + 1/2, 0, 1)`.
    HardSwish,
    /// `x * (1 + erf(x / sqrt(2))) / 2`.
    Gelu,
    /// `x * tanh(ln(1 + exp(x)))`.
    Mish,
}

/// A side of a valley.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `f(max(x, lowest))`.
    Rising,
    /// `-f(min(x, lowest))`.
    Falling,
}

impl Function {
    /// `max(x, 0)`.
    pub const RELU: Self = Self::Clip { low: 0.0, high: f64::INFINITY };

    /// The function's value.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Leaky { slope } => x.max(0.0) + slope * x.min(0.0),
            Self::Clip { low, high } => x.max(low).min(high),
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Erf => libm::erf(x),
            Self::HardSigmoid { slope, shift } => (slope * x + shift).clamp(0.0, 1.0),
            Self::Elu { gain, .. } if x >= 0.0 => gain * x,
            Self::Elu { alpha, gain, scale } => gain * alpha * (x / scale).exp_m1(),
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Exp => x.exp(),
            Self::Stepped { low, step, steps } => {
                low + step * ((x - low) / step).round().clamp(0.0, f64::from(steps.max(1) - 1))
            }
            Self::Thresholded { alpha } => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            Self::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
            Self::Side { curve, side: Side::Rising } => curve.apply(x.max(curve.lowest())),
            Self::Side { curve, side: Side::Falling } => -curve.apply(x.min(curve.lowest())),
        }
    }
}

impl Curve {
    /// The function's value.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Silu => x * sigmoid(x),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Gelu => x * 0.5 * (1.0 + libm::erf(x / std::f64::consts::SQRT_2)),
            Self::Mish => x * softplus(x).tanh(),
        }
    }

    /// Where the valley is deepest.
    pub fn lowest(self) -> f64 {
        match self {
            Self::Silu => -1.278_464_542_761_073_6,
            Self::HardSwish => -1.5,
            Self::Gelu => -0.751_791_524_693_564_5,
            Self::Mish => -1.192_431_215_084_215_7,
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_decreases() {
        let sides = [Curve::Silu, Curve::HardSwish, Curve::Gelu, Curve::Mish]
            .into_iter()
            .flat_map(|curve| [Side::Rising, Side::Falling].map(|side| Function::Side { curve, side }));
        let others = [
            Function::Identity,
            Function::RELU,
            Function::Leaky { slope: 0.1 },
            Function::Sigmoid,
            Function::Tanh,
            Function::Erf,
            Function::HardSigmoid { slope: 0.2, shift: 0.5 },
            Function::Elu { alpha: 1.7, gain: 1.05, scale: 1.0 },
            Function::Softplus,
            Function::Softsign,
            Function::Exp,
            Function::Stepped { low: -0.7, step: 0.3, steps: 6 },
            Function::Thresholded { alpha: 1.0 },
            Function::Sign,
        ];
        for function in sides.chain(others) {
            let values: Vec<f64> = (-4000..4000).map(|i| function.apply(f64::from(i) / 300.0)).collect();
            assert!(values.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{function:?}");
        }
    }

    #[test]
    fn two_sides_make_the_curve() {
        for curve in [Curve::Silu, Curve::HardSwish, Curve::Gelu, Curve::Mish] {
            for x in [-9.0, -2.0, curve.lowest(), -0.4, 0.0, 3.0] {
                let part = |side| Function::Side { curve, side }.apply(x);
                let sum = part(Side::Rising) - part(Side::Falling) - curve.apply(curve.lowest());
                assert!((sum - curve.apply(x)).abs() < 1e-12, "{curve:?} {x}");
            }
        }
    }
}
