//! Newton's method with Fisher's information in place of the curvature: iteratively reweighted least squares, each
//! solved by conjugate gradients, so that no matrix of all pairs of features is made.

use super::family::{Family, Link};
use crate::train::linear_classifier::largest_magnitude;
use fhectl_core::error::{Error, ErrorCode, Result};
use ndarray::{Array1, Array2, s};

/// The largest slope of the loss, in units of standardized features and of a target of mean 1, at which a solution counts
/// as found.
const CONVERGED: f64 = 1e-8;
/// The same, where no step lowers the loss any more for lack of digits.
const NEARLY: f64 = 1e-5;
/// A step that changes nothing in a float of the size of a weight that says something.
const NO_STEP: f64 = 1e-15;
const MAX_STEPS: usize = 100;
const MAX_HALVINGS: usize = 40;
/// The least penalty: too little to be seen, but where features depend on each other the smallest weights win.
const MIN_L2: f64 = 1e-12;

/// What is minimized: half the mean deviance, and `alpha / 2 * |w|^2`; the intercept, which is last, is free.
pub(super) struct Problem<'a> {
    /// Standardized features, row by row.
    pub(super) matrix: &'a Array2<f64>,
    pub(super) values: &'a [f64],
    pub(super) family: Family,
    pub(super) link: Link,
    pub(super) alpha: f64,
    /// The intercept that is best without features.
    pub(super) start: f64,
}

/// Where a search stands.
struct Point {
    unknowns: Array1<f64>,
    means: Array1<f64>,
    loss: f64,
}

impl Point {
    /// Weights and intercept.
    fn solution(&self) -> (Vec<f64>, f64) {
        let features = self.unknowns.len() - 1;
        (self.unknowns.slice(s![..features]).to_vec(), self.unknowns[features])
    }
}

impl Problem<'_> {
    /// Weights and intercept.
    ///
    /// # Errors
    /// `glm_diverged`.
    pub(super) fn solve(&self) -> Result<(Vec<f64>, f64)> {
        let features = self.matrix.ncols();
        let mut unknowns = Array1::zeros(features + 1);
        unknowns[features] = self.start;
        let mut here = self.at(unknowns);
        let mut slopes = self.slopes(&here);
        for _ in 0..MAX_STEPS {
            if largest_magnitude(&slopes) <= CONVERGED {
                break;
            }
            let step = self.newton_step(&here, &slopes);
            if largest_magnitude(&step) <= NO_STEP {
                return Ok(here.solution());
            }
            let Some(next) = self.lower(&here, &step) else { break };
            here = next;
            slopes = self.slopes(&here);
        }
        let slope = largest_magnitude(&slopes);
        if slope.is_nan() || slope > NEARLY {
            return Err(Error::new(
                ErrorCode::GlmDiverged,
                format!("no solution was found: the loss still falls ({slope:.1e})"),
            )
            .hint("raise `--alpha`, leave out features that repeat others, or choose --link log"));
        }
        Ok(here.solution())
    }

    fn l2(&self) -> f64 {
        self.alpha.max(MIN_L2)
    }

    fn at(&self, unknowns: Array1<f64>) -> Point {
        let (rows, features) = self.matrix.dim();
        let weights = unknowns.slice(s![..features]);
        let means = (self.matrix.dot(&weights) + unknowns[features]).mapv_into(|sum| self.link.mean(sum));
        let deviance: f64 = means.iter().zip(self.values).map(|(mean, y)| self.family.deviance(*y, *mean)).sum();
        let loss = deviance / (2.0 * rows as f64) + self.l2() / 2.0 * weights.dot(&weights);
        Point { unknowns, means, loss }
    }

    /// Sums over rows of these numbers times each feature, and of the numbers, over the number of rows; with the penalty.
    fn gathered(&self, rows: &Array1<f64>, penalized: &Array1<f64>) -> Array1<f64> {
        let (count, features) = self.matrix.dim();
        let mut sums = Array1::zeros(features + 1);
        sums.slice_mut(s![..features])
            .assign(&(self.matrix.t().dot(rows) / count as f64 + &penalized.slice(s![..features]) * self.l2()));
        sums[features] = rows.sum() / count as f64;
        sums
    }

    fn slopes(&self, point: &Point) -> Array1<f64> {
        let of = |(mean, value): (&f64, &f64)| (mean - value) * self.link.slope(*mean) / self.family.variance(*mean);
        let errors: Array1<f64> = point.means.iter().zip(self.values).map(of).collect();
        self.gathered(&errors, &point.unknowns)
    }

    /// The step at which the slopes of the loss's quadratic model are nought.
    fn newton_step(&self, point: &Point, slopes: &Array1<f64>) -> Array1<f64> {
        let features = self.matrix.ncols();
        let information = point.means.mapv(|mean| self.link.slope(mean).powi(2) / self.family.variance(mean));
        let curved = |direction: &Array1<f64>| {
            let along = self.matrix.dot(&direction.slice(s![..features])) + direction[features];
            self.gathered(&(along * &information), direction)
        };
        let mut step = Array1::zeros(features + 1);
        let mut rest = -slopes;
        let mut direction = rest.clone();
        let mut size = rest.dot(&rest);
        // The nearer the solution, the more exactly.
        let enough = size * (1e-6f64).min(size).max(1e-20);
        for _ in 0..2 * (features + 1) + 20 {
            let bent = curved(&direction);
            let curvature = direction.dot(&bent);
            if curvature.is_nan() || curvature <= 0.0 || size <= enough {
                break;
            }
            let length = size / curvature;
            step.scaled_add(length, &direction);
            rest.scaled_add(-length, &bent);
            let next = rest.dot(&rest);
            direction = &rest + &direction * (next / size);
            size = next;
        }
        step
    }

    /// A point on the way of the step where the loss is lower; `None` where there is none.
    fn lower(&self, from: &Point, step: &Array1<f64>) -> Option<Point> {
        let mut share = 1.0;
        for _ in 0..MAX_HALVINGS {
            let next = self.at(&from.unknowns + &(step * share));
            // Infinite where a mean is none of the family.
            if next.loss < from.loss {
                return Some(next);
            }
            share /= 2.0;
        }
        None
    }
}
