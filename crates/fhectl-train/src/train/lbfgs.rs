//! The minimum of a smooth loss, by argmin's L-BFGS.

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use ndarray::{Array1, ArrayView1};

/// Past steps that are remembered.
const MEMORY: usize = 10;

/// A loss and its slopes.
pub(super) trait Loss {
    fn value(&self, unknowns: ArrayView1<f64>) -> f64;

    fn slopes(&self, unknowns: ArrayView1<f64>) -> Array1<f64>;
}

/// Where the loss is least, and its slopes there: the caller judges whether they are as good as none.
///
/// # Errors
/// What argmin says, in words.
pub(super) fn minimum(
    loss: impl Loss,
    start: Array1<f64>,
    tolerance: f64,
    max_iterations: u64,
) -> Result<(Array1<f64>, Array1<f64>), String> {
    let failed = |error: argmin::core::Error| error.to_string();
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_grad(tolerance).map_err(failed)?;
    let run = Executor::new(Problem(loss), solver)
        .configure(|state| state.param(start).max_iters(max_iterations))
        .timer(false)
        .run()
        .map_err(failed)?;
    let best = run.state.get_best_param().ok_or_else(|| "no step lowered the loss".to_owned())?;
    let problem = run.problem.problem.as_ref().ok_or_else(|| "the loss was lost".to_owned())?;
    Ok((best.clone(), problem.0.slopes(best.view())))
}

struct Problem<L>(L);

impl<L: Loss> CostFunction for Problem<L> {
    type Param = Array1<f64>;
    type Output = f64;

    fn cost(&self, unknowns: &Array1<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.0.value(unknowns.view()))
    }
}

impl<L: Loss> Gradient for Problem<L> {
    type Param = Array1<f64>;
    type Gradient = Array1<f64>;

    fn gradient(&self, unknowns: &Array1<f64>) -> Result<Array1<f64>, argmin::core::Error> {
        Ok(self.0.slopes(unknowns.view()))
    }
}
