//! Tensors that are stretched to each other's shapes.

use crate::import::model::large;
use crate::import::onnx::{Node, invalid};
use fhectl_core::error::Result;

/// The most elements of a tensor.
pub(super) const MAX_ELEMENTS: usize = 1 << 22;

/// A shape, and for each of its elements those of two tensors that meet in it.
pub(super) type Broadcast = (Vec<usize>, Vec<(usize, usize)>);

/// The shape of two tensors that are stretched to each other's, and the elements that meet in it.
///
/// # Errors
/// `onnx_invalid` for shapes that do not go together, `import_large`.
pub(super) fn broadcast(node: &Node, a: &[usize], b: &[usize]) -> Result<Broadcast> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let mut shape = Vec::with_capacity(rank);
    for axis in 0..rank {
        shape.push(match (size(a, axis), size(b, axis)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return Err(invalid(format!("{}: shapes {a:?} and {b:?}", node.label()))),
        });
    }
    let count = shape.iter().fold(1usize, |count, size| count.saturating_mul(*size));
    if count > MAX_ELEMENTS {
        return Err(large(format!("{}: {count} numbers", node.label())));
    }
    let step = |of: &[usize]| -> Vec<usize> {
        let mut steps = vec![0; rank];
        let mut stride = 1;
        for axis in (0..rank).rev() {
            steps[axis] = if size(of, axis) == 1 { 0 } else { stride };
            stride *= size(of, axis);
        }
        steps
    };
    let (first, second) = (step(a), step(b));
    let place = |mut at: usize| {
        let mut pair = (0, 0);
        for axis in (0..rank).rev() {
            let index = at % shape[axis];
            at /= shape[axis];
            pair = (pair.0 + index * first[axis], pair.1 + index * second[axis]);
        }
        pair
    };
    let places = (0..count).map(place).collect();
    Ok((shape, places))
}
