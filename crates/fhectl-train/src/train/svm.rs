//! Linear support vector machines: the squared hinge loss with an L2 penalty, by argmin's L-BFGS.
//!
//! The primal problem of a linear machine is smooth and has as many unknowns as features; a kernel solver, such as
//! linfa-svm's, holds a number for every pair of rows.

use super::float_linear::FloatLinear;
use super::lbfgs::{Loss, minimum};
use super::linear_classifier::{CONVERGED, LinearClassifier, LinearClassifierParams, Solution, largest_magnitude};
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use ndarray::{Array1, Array2, ArrayView1, s};
use rayon::prelude::*;

const SVM: LinearClassifier = LinearClassifier {
    params_code: ErrorCode::SvmParams,
    trivial_code: ErrorCode::SvmTrivial,
    diverged,
    penalized: true,
    solve,
};

/// Fits a machine on the *quantized* values of `train`, each taken as a number; with more than two classes one a class,
/// against the rest.
///
/// # Errors
/// `svm_params`, `row_shape`, those of [`Dataset::check_trainable`], `svm_diverged` where the solver fails and
/// `svm_trivial` where all weights vanish.
pub fn train_svm(train: &Dataset, quantizer: &Quantizer, params: &LinearClassifierParams) -> Result<FloatLinear> {
    SVM.quantized(train, quantizer, params)
}

/// Fits the same machine on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_svm`].
pub fn float_svm(train: &Dataset, params: &LinearClassifierParams) -> Result<FloatLinear> {
    SVM.plain(train, params)
}

fn solve(train: &Dataset, matrix: &Array2<f64>, params: &LinearClassifierParams) -> Result<Solution> {
    let positives: Vec<u32> = match train.classes.len() {
        2 => vec![1],
        classes => (0..classes as u32).collect(),
    };
    let solved = positives.par_iter().map(|class| machine(matrix, &train.labels, *class, params));
    Ok(solved.collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

/// Weights and intercept of the machine that tells `class` from the rest.
fn machine(
    matrix: &Array2<f64>,
    labels: &[u32],
    class: u32,
    params: &LinearClassifierParams,
) -> Result<(Vec<f64>, f64)> {
    let signs = labels.iter().map(|label| if *label == class { 1.0 } else { -1.0 }).collect();
    let counts = (!params.class_weights.is_even()).then(|| Array1::from(params.class_weights.rows(labels)));
    let loss = Hinge { matrix, signs, counts, alpha: params.alpha };
    let start = Array1::zeros(matrix.ncols() + 1);
    let (best, slopes) =
        minimum(loss, start, CONVERGED / 10.0, params.max_iterations).map_err(|what| diverged(&what))?;
    SVM.check_converged(largest_magnitude(&slopes), params)?;
    Ok((best.slice(s![..-1]).to_vec(), best[matrix.ncols()]))
}

/// The mean over rows of `max(0, 1 - sign * score)^2`, and the penalty; the intercept, which is last, is free.
struct Hinge<'a> {
    matrix: &'a Array2<f64>,
    signs: Array1<f64>,
    /// What each row counts; `None` where all count alike.
    counts: Option<Array1<f64>>,
    alpha: f64,
}

impl Hinge<'_> {
    /// How much each row's score falls short of its margin, at least 0.
    fn shortfalls(&self, unknowns: ArrayView1<f64>) -> Array1<f64> {
        let scores = self.matrix.dot(&unknowns.slice(s![..-1])) + unknowns[self.matrix.ncols()];
        (1.0 - scores * &self.signs).mapv_into(|short| short.max(0.0))
    }

    /// The numbers of rows, each times what the row counts.
    fn counted(&self, rows: Array1<f64>) -> Array1<f64> {
        match &self.counts {
            Some(counts) => rows * counts,
            None => rows,
        }
    }
}

impl Loss for Hinge<'_> {
    fn value(&self, unknowns: ArrayView1<f64>) -> f64 {
        let weights = unknowns.slice(s![..-1]);
        let loss = self.counted(self.shortfalls(unknowns).mapv_into(|short| short * short)).sum();
        (loss + self.alpha / 2.0 * weights.dot(&weights)) / self.matrix.nrows() as f64
    }

    fn slopes(&self, unknowns: ArrayView1<f64>) -> Array1<f64> {
        let rows = self.matrix.nrows() as f64;
        let errors = self.counted(self.shortfalls(unknowns)) * &self.signs * (-2.0 / rows);
        let mut slopes = Array1::zeros(unknowns.len());
        slopes
            .slice_mut(s![..-1])
            .assign(&(self.matrix.t().dot(&errors) + &unknowns.slice(s![..-1]) * (self.alpha / rows)));
        slopes[unknowns.len() - 1] = errors.sum();
        slopes
    }
}

fn diverged(what: &str) -> Error {
    Error::new(ErrorCode::SvmDiverged, format!("the support vector machine found no solution: {what}"))
        .hint("raise `--alpha` or `--max-iterations`, and look for features of extreme values")
}
