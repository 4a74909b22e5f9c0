//! Adam (Kingma, Ba 2015, algorithm 1).

use candle_core::{Result, Tensor, Var};

/// How much of the mean slope, and of the mean squared slope, a step keeps: those of the paper.
const KEPT_SLOPE: f64 = 0.9;
const KEPT_SQUARE: f64 = 0.999;
/// Keeps the division sound where slopes vanish.
const EPSILON: f64 = 1e-8;

/// A parameter with the running means of its slope and squared slope.
struct Parameter {
    value: Var,
    slope: Var,
    square: Var,
}

/// The optimizer of some parameters.
pub(super) struct Adam {
    parameters: Vec<Parameter>,
    /// The steps taken.
    steps: i32,
    pub(super) learning_rate: f64,
}

impl Adam {
    /// # Errors
    /// Those of candle where the means cannot be made.
    pub(super) fn new(values: Vec<Var>, learning_rate: f64) -> Result<Self> {
        let parameter = |value: Var| {
            let means = || Var::zeros(value.shape(), value.dtype(), value.device());
            Ok(Parameter { slope: means()?, square: means()?, value })
        };
        let parameters = values.into_iter().map(parameter).collect::<Result<_>>()?;
        Ok(Self { parameters, steps: 0, learning_rate })
    }

    /// Takes a step down the slope of `loss`. Parameters that the loss does not depend on stay.
    ///
    /// # Errors
    /// Those of candle.
    pub(super) fn step(&mut self, loss: &Tensor) -> Result<()> {
        let slopes = loss.backward()?;
        self.steps += 1;
        let unbiased_slope = 1.0 / (1.0 - KEPT_SLOPE.powi(self.steps));
        let unbiased_square = 1.0 / (1.0 - KEPT_SQUARE.powi(self.steps));
        for Parameter { value, slope, square } in &self.parameters {
            let Some(new) = slopes.get(value) else { continue };
            let mean_slope = ((slope.as_tensor() * KEPT_SLOPE)? + (new * (1.0 - KEPT_SLOPE))?)?;
            let mean_square = ((square.as_tensor() * KEPT_SQUARE)? + (new.sqr()? * (1.0 - KEPT_SQUARE))?)?;
            let spread = ((&mean_square * unbiased_square)?.sqrt()? + EPSILON)?;
            let direction = ((&mean_slope * unbiased_slope)? / spread)?;
            value.set(&(value.as_tensor() - (direction * self.learning_rate)?)?)?;
            slope.set(&mean_slope)?;
            square.set(&mean_square)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// On `(x - 3)^2` from 0: the first step is the learning rate, whatever the slope, and the end is the minimum.
    #[test]
    fn steps_are_the_papers() {
        let x = Var::new(&[0.0f32], &Device::Cpu).unwrap();
        let mut adam = Adam::new(vec![x.clone()], 0.1).unwrap();
        let loss = || (x.as_tensor() - 3.0).unwrap().sqr().unwrap().sum_all().unwrap();
        let value = || x.to_vec1::<f32>().unwrap()[0];
        adam.step(&loss()).unwrap();
        assert!((value() - 0.1).abs() < 1e-6, "{}", value());
        for step in 0..600 {
            adam.learning_rate = 0.1 * 0.99f64.powi(step);
            adam.step(&loss()).unwrap();
        }
        assert!((value() - 3.0).abs() < 1e-2, "{}", value());
    }

    #[test]
    fn what_the_loss_does_not_depend_on_stays() {
        let (x, y) = (Var::new(&[1.0f32], &Device::Cpu).unwrap(), Var::new(&[2.0f32], &Device::Cpu).unwrap());
        let mut adam = Adam::new(vec![x.clone(), y.clone()], 0.1).unwrap();
        adam.step(&x.as_tensor().sqr().unwrap().sum_all().unwrap()).unwrap();
        assert_eq!(y.to_vec1::<f32>().unwrap(), [2.0]);
    }
}
