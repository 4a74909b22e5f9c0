//! The logistic loss where rows do not all count alike, which linfa-logistic has no room for.

use super::lbfgs::Loss;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Zip, s};

/// The mean over rows of what each counts times its cross-entropy, and the penalty; intercepts are free.
///
/// Unknowns are a row a score, the intercept last: one score, the logit of the second, for two classes, else one a class.
pub(super) struct WeightedLogistic<'a> {
    pub(super) matrix: &'a Array2<f64>,
    pub(super) labels: &'a [u32],
    /// What each row counts.
    pub(super) counts: Array1<f64>,
    pub(super) scores: usize,
    /// As in [`super::LinearClassifierParams`].
    pub(super) alpha: f64,
}

impl WeightedLogistic<'_> {
    pub(super) fn unknowns(&self) -> usize {
        self.scores * (self.matrix.ncols() + 1)
    }

    fn table<'b>(&self, unknowns: ArrayView1<'b, f64>) -> ArrayView2<'b, f64> {
        unknowns.into_shape_with_order((self.scores, self.matrix.ncols() + 1)).expect("a row a score")
    }

    /// A row a training row.
    fn logits(&self, table: ArrayView2<f64>) -> Array2<f64> {
        self.matrix.dot(&table.slice(s![.., ..-1]).t()) + table.column(self.matrix.ncols())
    }

    /// A row's cross-entropy; its slopes by the logits take their place.
    fn row(label: u32, mut logits: ndarray::ArrayViewMut1<f64>) -> f64 {
        if logits.len() == 1 {
            let margin = logits[0];
            let wanted = f64::from(label);
            logits[0] = 1.0 / (1.0 + (-margin).exp()) - wanted;
            // log(1 + exp(margin)) - wanted * margin, without overflow.
            return margin.max(0.0) + (-margin.abs()).exp().ln_1p() - wanted * margin;
        }
        let top = logits.fold(f64::NEG_INFINITY, |top, logit| top.max(*logit));
        let own = logits[label as usize] - top;
        logits.mapv_inplace(|logit| (logit - top).exp());
        let sum = logits.sum();
        logits.mapv_inplace(|power| power / sum);
        logits[label as usize] -= 1.0;
        sum.ln() - own
    }
}

impl Loss for WeightedLogistic<'_> {
    fn value(&self, unknowns: ArrayView1<f64>) -> f64 {
        let table = self.table(unknowns);
        let mut logits = self.logits(table);
        let rows = logits.axis_iter_mut(Axis(0)).zip(self.labels).zip(&self.counts);
        let loss: f64 = rows.map(|((logits, label), count)| count * Self::row(*label, logits)).sum();
        let penalty = table.slice(s![.., ..-1]).mapv(|weight| weight * weight).sum() * self.alpha / 2.0;
        (loss + penalty) / self.matrix.nrows() as f64
    }

    fn slopes(&self, unknowns: ArrayView1<f64>) -> Array1<f64> {
        let table = self.table(unknowns);
        let mut errors = self.logits(table);
        for ((mut logits, label), count) in errors.axis_iter_mut(Axis(0)).zip(self.labels).zip(&self.counts) {
            Self::row(*label, logits.view_mut());
            logits.mapv_inplace(|error| error * count);
        }
        let mut slopes = Array2::zeros(table.raw_dim());
        slopes.slice_mut(s![.., ..-1]).assign(&errors.t().dot(self.matrix));
        Zip::from(slopes.slice_mut(s![.., ..-1])).and(table.slice(s![.., ..-1])).for_each(|slope, weight| {
            *slope += weight * self.alpha;
        });
        slopes.column_mut(self.matrix.ncols()).assign(&errors.sum_axis(Axis(0)));
        slopes /= self.matrix.nrows() as f64;
        slopes.into_iter().collect()
    }
}
