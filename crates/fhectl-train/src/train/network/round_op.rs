//! Integer weights with a gradient: candle operations of our own.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// Weights scaled to a Euclidean norm and rounded to signed integers of at most `top`.
///
/// The norm is a channel's (a row's), or, with `shared`, that of all rows together, for rows that are compared. A fixed
/// norm rather than a fixed grid: it is the norm by which encrypted inference pays. Rounding passes the gradient straight
/// through (Bengio et al., arXiv:1308.3432), the norm as weight normalization does (Salimans, Kingma, arXiv:1602.07868).
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundedWeights {
    pub(super) norm: f32,
    pub(super) top: f32,
    pub(super) shared: bool,
    /// Whether to round at all: the float network is the same without.
    pub(super) round: bool,
}

impl RoundedWeights {
    /// `(channels, taps)` in, the same shape out.
    pub(super) fn apply(self, weights: &Tensor) -> Result<Tensor> {
        weights.apply_op1(self)
    }

    fn group(&self, layout: &Layout) -> usize {
        if self.shared { layout.shape().elem_count() } else { layout.dims()[1] }
    }
}

/// `norm / |v|`, for a vector that is not all zero.
fn factor(values: &[f32], norm: f32) -> f32 {
    let squares: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
    (f64::from(norm) / squares.sqrt().max(1e-12)) as f32
}

pub(super) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (from, to) = layout
        .contiguous_offsets()
        .ok_or_else(|| candle_core::Error::RequiresContiguous { op: "network training" }.bt())?;
    Ok(&storage.as_slice::<f32>()?[from..to])
}

impl CustomOp1 for RoundedWeights {
    fn name(&self) -> &'static str {
        "rounded weights"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = floats(storage, layout)?;
        let mut out = Vec::with_capacity(values.len());
        for group in values.chunks_exact(self.group(layout)) {
            let factor = factor(group, self.norm);
            let scaled = group.iter().map(|v| v * factor);
            if self.round {
                out.extend(scaled.map(|v| v.round().clamp(-self.top, self.top)));
            } else {
                out.extend(scaled);
            }
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, arg: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let group = if self.shared { arg.elem_count() } else { arg.dims()[1] };
        let values = arg.flatten_all()?.to_vec1::<f32>()?;
        let grads = grad.flatten_all()?.to_vec1::<f32>()?;
        let mut out = Vec::with_capacity(values.len());
        for (values, grads) in values.chunks_exact(group).zip(grads.chunks_exact(group)) {
            let factor = factor(values, self.norm);
            // A weight that is cut off may come back, not go further.
            let pass = |v: f32, g: f32| {
                let beyond = self.round && (v * factor).abs() > self.top + 0.5;
                if beyond && v * g < 0.0 { 0.0 } else { g }
            };
            let along: f64 = values.iter().zip(grads).map(|(v, g)| f64::from(v * pass(*v, *g))).sum();
            let squares: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
            let along = (along / squares.max(1e-24)) as f32;
            out.extend(values.iter().zip(grads).map(|(v, g)| factor * (pass(*v, *g) - v * along)));
        }
        Ok(Some(Tensor::from_vec(out, arg.shape(), arg.device())?))
    }
}
