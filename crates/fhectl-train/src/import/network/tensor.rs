//! Tensors while a graph is lowered: constants, and elements that are sums over atoms. The batch has one row.

use super::float_graph::Affine;
use crate::import::onnx::{invalid, unsupported};
use fhectl_core::error::{Error, Result};

/// The most elements of a tensor.
pub(super) const MAX_ELEMENTS: usize = 1 << 22;
const MAX_RANK: usize = 8;

/// Elements in row-major order; a scalar has no dimensions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SymbolicTensor {
    pub(super) shape: Vec<usize>,
    pub(super) elements: Elements,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Elements {
    Constant(Vec<f64>),
    Computed(Vec<Affine>),
}

/// The number of elements of a shape.
///
/// # Errors
/// `onnx_unsupported` beyond the limit; `onnx_invalid` without elements.
pub(super) fn count(shape: &[usize]) -> Result<usize> {
    if shape.len() > MAX_RANK {
        return Err(unsupported(format!("{} dimensions, at most {MAX_RANK}", shape.len())).hint("flatten some of them"));
    }
    match shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size)) {
        Some(0) => Err(invalid(format!("the shape {shape:?} has no elements"))),
        Some(count) if count <= MAX_ELEMENTS => Ok(count),
        _ => Err(unsupported(format!("a tensor of the shape {shape:?}, at most {MAX_ELEMENTS} elements"))
            .hint("use smaller inputs and layers: encrypted inference takes a bootstrap an activation")),
    }
}

impl SymbolicTensor {
    pub(super) fn constant(shape: Vec<usize>, values: Vec<f64>) -> Self {
        Self { shape, elements: Elements::Constant(values) }
    }

    pub(super) fn computed(shape: Vec<usize>, rows: Vec<Affine>) -> Self {
        Self { shape, elements: Elements::Computed(rows) }
    }

    pub(super) fn len(&self) -> usize {
        match &self.elements {
            Elements::Constant(values) => values.len(),
            Elements::Computed(rows) => rows.len(),
        }
    }

    /// The values of a constant.
    pub(super) fn values(&self) -> Option<&[f64]> {
        match &self.elements {
            Elements::Constant(values) => Some(values),
            Elements::Computed(_) => None,
        }
    }

    /// The values of a constant of integers. Those beyond 2^53 are no sizes, only "to the end": rounding does not matter.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let whole = |value: &f64| (value.fract() == 0.0).then_some(*value as i64);
        self.values()?.iter().map(whole).collect()
    }

    /// An element as a sum.
    pub(super) fn row(&self, index: usize) -> Affine {
        match &self.elements {
            Elements::Constant(values) => Affine { bias: values[index], terms: Vec::new() },
            Elements::Computed(rows) => rows[index].clone(),
        }
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// `onnx_invalid` where it has another number of them.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Result<Self> {
        if count(&shape)? != self.len() {
            return Err(invalid(format!("{} elements of {:?} do not fit {shape:?}", self.len(), self.shape)));
        }
        Ok(Self { shape, elements: self.elements.clone() })
    }

    /// A tensor of some of the elements, `sources` one an element; `None` is `filler`.
    pub(super) fn picked(&self, shape: Vec<usize>, sources: &[Option<usize>], filler: f64) -> Self {
        let elements = match &self.elements {
            Elements::Constant(values) => {
                Elements::Constant(sources.iter().map(|source| source.map_or(filler, |at| values[at])).collect())
            }
            Elements::Computed(rows) => {
                let empty = Affine { bias: filler, terms: Vec::new() };
                Elements::Computed(
                    sources.iter().map(|source| source.map_or_else(|| empty.clone(), |at| rows[at].clone())).collect(),
                )
            }
        };
        Self { shape, elements }
    }

    /// Terms of all elements.
    pub(super) fn terms(&self) -> usize {
        match &self.elements {
            Elements::Constant(_) => 0,
            Elements::Computed(rows) => rows.iter().map(|row| row.terms.len()).sum(),
        }
    }
}

/// The distance between neighbors along each axis.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// All places of a shape, in row-major order.
pub(super) fn for_each_place(shape: &[usize], mut visit: impl FnMut(&[usize])) {
    let mut place = vec![0; shape.len()];
    let total: usize = shape.iter().product();
    for _ in 0..total {
        visit(&place);
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            if place[axis] < shape[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
}

/// The shape that two broadcast to.
///
/// # Errors
/// `onnx_invalid` where they do not; that of [`count`].
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let shape: Option<Vec<usize>> = (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect();
    let shape = shape.ok_or_else(|| invalid(format!("the shapes {a:?} and {b:?} do not go together")))?;
    count(&shape)?;
    Ok(shape)
}

/// For each place of `to` the element of a tensor of shape `from` that stands there.
pub(super) fn broadcast_sources(from: &[usize], to: &[usize]) -> Vec<usize> {
    let own = strides(from);
    let skipped = to.len() - from.len();
    let mut sources = Vec::with_capacity(to.iter().product());
    for_each_place(to, |place| {
        let index =
            from.iter().enumerate().map(|(axis, size)| if *size == 1 { 0 } else { place[axis + skipped] * own[axis] });
        sources.push(index.sum());
    });
    sources
}

/// An axis counted from the front.
///
/// # Errors
/// `onnx_invalid` where there is no such axis.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize> {
    let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    match usize::try_from(from_front) {
        Ok(axis) if axis < rank => Ok(axis),
        _ => Err(no_axis(axis, rank)),
    }
}

fn no_axis(axis: i64, rank: usize) -> Error {
    invalid(format!("axis {axis} of a tensor of {rank} dimensions"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::ErrorCode;

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(broadcast(&[1, 3, 2], &[3, 1]).unwrap(), [1, 3, 2]);
        assert_eq!(broadcast_sources(&[3, 1], &[1, 3, 2]), [0, 0, 1, 1, 2, 2]);
        assert_eq!(broadcast(&[2], &[3]).unwrap_err().code, ErrorCode::OnnxInvalid);
        assert_eq!(broadcast(&[], &[4]).unwrap(), [4]);
        assert_eq!(broadcast(&[1 << 20, 1], &[1 << 20]).unwrap_err().code, ErrorCode::OnnxUnsupported);
    }

    #[test]
    fn sizes_do_not_overflow() {
        assert_eq!(count(&[usize::MAX, usize::MAX]).unwrap_err().code, ErrorCode::OnnxUnsupported);
        assert_eq!(count(&[3, 0]).unwrap_err().code, ErrorCode::OnnxInvalid);
        assert_eq!(count(&[1; 9]).unwrap_err().code, ErrorCode::OnnxUnsupported);
        assert_eq!(count(&[]).unwrap(), 1);
        assert_eq!(axis(-1, 3).unwrap(), 2);
        assert!(axis(3, 3).is_err() && axis(i64::MIN, 3).is_err());
    }
}
