//! Operators that are linear maps of their computed inputs.

use crate::import::network::builder::GraphBuilder;
use crate::import::network::call::{Call, refused};
use crate::import::network::float_graph::Affine;
use crate::import::network::tensor::{
    Elements, SymbolicTensor, broadcast, broadcast_sources, count, for_each_place, strides,
};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;

#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Element by element, with broadcasting. Products and quotients want a constant.
pub(in super::super) fn arithmetic(
    builder: &mut GraphBuilder,
    kind: Arithmetic,
    a: &SymbolicTensor,
    b: &SymbolicTensor,
) -> Result<SymbolicTensor> {
    let shape = broadcast(&a.shape, &b.shape)?;
    let (from_a, from_b) = (broadcast_sources(&a.shape, &shape), broadcast_sources(&b.shape, &shape));
    let pairs = || from_a.iter().copied().zip(from_b.iter().copied());
    if let (Some(a), Some(b)) = (a.values(), b.values()) {
        let values: Vec<f64> = pairs()
            .map(|(i, j)| match kind {
                Arithmetic::Add => a[i] + b[j],
                Arithmetic::Subtract => a[i] - b[j],
                Arithmetic::Multiply => a[i] * b[j],
                Arithmetic::Divide => a[i] / b[j],
            })
            .collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(invalid("a constant is not finite"));
        }
        return Ok(SymbolicTensor::constant(shape, values));
    }
    let rows = match kind {
        Arithmetic::Add | Arithmetic::Subtract => {
            let sign = if kind == Arithmetic::Add { 1.0 } else { -1.0 };
            pairs().map(|(i, j)| builder.sum([(1.0, &a.row(i)), (sign, &b.row(j))], 0.0)).collect::<Result<Vec<_>>>()?
        }
        Arithmetic::Multiply => {
            let (computed, factors, swapped) = match (a.values(), b.values()) {
                (_, Some(values)) => (a, values, false),
                (Some(values), _) => (b, values, true),
                _ => return Err(refused("a product of two values that depend on the row", INSTEAD)),
            };
            let places = pairs().map(|(i, j)| if swapped { (j, i) } else { (i, j) });
            places.map(|(row, at)| builder.sum([(factors[at], &computed.row(row))], 0.0)).collect::<Result<Vec<_>>>()?
        }
        Arithmetic::Divide => {
            let divisors =
                b.values().ok_or_else(|| refused("a division by a value that depends on the row", INSTEAD))?;
            if divisors.contains(&0.0) {
                return Err(invalid("a division by zero"));
            }
            pairs().map(|(i, j)| builder.sum([(1.0 / divisors[j], &a.row(i))], 0.0)).collect::<Result<Vec<_>>>()?
        }
    };
    Ok(SymbolicTensor::computed(shape, rows))
}

const INSTEAD: &str = "attention, gates and layer or instance normalization are not run; use dense layers, convolutions and \
                       batch normalization";

/// `Add`.
pub(in super::super) fn add(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    arithmetic(builder, Arithmetic::Add, call.tensor(0)?, call.tensor(1)?)
}

/// `Sub`.
pub(in super::super) fn subtract(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    arithmetic(builder, Arithmetic::Subtract, call.tensor(0)?, call.tensor(1)?)
}

/// `Div`.
pub(in super::super) fn divide(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    arithmetic(builder, Arithmetic::Divide, call.tensor(0)?, call.tensor(1)?)
}

/// `Neg`.
pub(in super::super) fn negate(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    arithmetic(builder, Arithmetic::Multiply, call.tensor(0)?, &SymbolicTensor::constant(vec![], vec![-1.0]))
}

/// `Sum`.
pub(in super::super) fn sum(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    total(builder, call, false)
}

/// `Mean`.
pub(in super::super) fn mean(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    total(builder, call, true)
}

/// The mean or sum of all inputs.
fn total(builder: &mut GraphBuilder, call: &Call<'_>, mean: bool) -> Result<SymbolicTensor> {
    let mut total = call.tensor(0)?.clone();
    for index in 1..call.inputs.len() {
        total = arithmetic(builder, Arithmetic::Add, &total, call.tensor(index)?)?;
    }
    if !mean {
        return Ok(total);
    }
    let share = SymbolicTensor::constant(vec![], vec![1.0 / call.inputs.len() as f64]);
    arithmetic(builder, Arithmetic::Multiply, &total, &share)
}

/// Two matrices whose product is wanted: `[outer, inner]` and `[inner, outer]`, each with the index of an entry.
struct Product<'a> {
    left: &'a SymbolicTensor,
    right: &'a SymbolicTensor,
    sizes: [usize; 3],
    left_at: &'a dyn Fn(usize, usize) -> usize,
    right_at: &'a dyn Fn(usize, usize) -> usize,
}

impl Product<'_> {
    /// The entries, row after row.
    fn entries(&self, builder: &mut GraphBuilder) -> Result<Elements> {
        let [outer, inner, columns] = self.sizes;
        builder.spend(outer.saturating_mul(inner).saturating_mul(columns))?;
        let places = || (0..outer).flat_map(|i| (0..columns).map(move |j| (i, j)));
        let indices = |i: usize, j: usize| (0..inner).map(move |k| ((self.left_at)(i, k), (self.right_at)(k, j)));
        Ok(match (&self.left.elements, &self.right.elements) {
            (Elements::Constant(a), Elements::Constant(b)) => {
                Elements::Constant(places().map(|(i, j)| indices(i, j).map(|(l, r)| a[l] * b[r]).sum()).collect())
            }
            (Elements::Computed(a), Elements::Constant(b)) => Elements::Computed(
                places()
                    .map(|(i, j)| builder.sum(indices(i, j).map(|(l, r)| (b[r], &a[l])), 0.0))
                    .collect::<Result<_>>()?,
            ),
            (Elements::Constant(a), Elements::Computed(b)) => Elements::Computed(
                places()
                    .map(|(i, j)| builder.sum(indices(i, j).map(|(l, r)| (a[l], &b[r])), 0.0))
                    .collect::<Result<_>>()?,
            ),
            (Elements::Computed(_), Elements::Computed(_)) => {
                return Err(refused("a matrix product of two values that depend on the row", INSTEAD));
            }
        })
    }
}

pub(in super::super) fn matmul(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let (a, b) = (call.tensor(0)?, call.tensor(1)?);
    let wrong = || invalid(format!("a matrix product of {:?} and {:?}", a.shape, b.shape));
    let (Some(inner), 1 | 2) = (a.shape.last().copied(), b.shape.len()) else {
        return Err(refused(
            format!("a matrix product of {:?} and {:?}", a.shape, b.shape),
            "use matrices of two dimensions",
        ));
    };
    let columns = if b.shape.len() == 2 { b.shape[1] } else { 1 };
    if b.shape[0] != inner {
        return Err(wrong());
    }
    let outer = a.len() / inner;
    let product = Product {
        left: a,
        right: b,
        sizes: [outer, inner, columns],
        left_at: &|i, k| i * inner + k,
        right_at: &|k, j| k * columns + j,
    };
    let mut shape = a.shape[..a.shape.len() - 1].to_vec();
    if b.shape.len() == 2 {
        shape.push(columns);
    }
    count(&shape)?;
    Ok(SymbolicTensor { shape, elements: product.entries(builder)? })
}

pub(in super::super) fn gemm(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let (a, b) = (call.tensor(0)?, call.tensor(1)?);
    let ([a0, a1], [b0, b1]) = (matrix(a)?, matrix(b)?);
    let transposed = |name: &str| Ok::<_, fhectl_core::error::Error>(call.node.int(name, 0)? != 0);
    let (turn_a, turn_b) = (transposed("transA")?, transposed("transB")?);
    let [outer, inner] = if turn_a { [a1, a0] } else { [a0, a1] };
    let [inner_b, columns] = if turn_b { [b1, b0] } else { [b0, b1] };
    if inner != inner_b {
        return Err(invalid(format!("a matrix product of {:?} and {:?}", a.shape, b.shape)));
    }
    let shape = vec![outer, columns];
    count(&shape)?;
    let product = Product {
        left: a,
        right: b,
        sizes: [outer, inner, columns],
        left_at: &|i, k| if turn_a { k * outer + i } else { i * inner + k },
        right_at: &|k, j| if turn_b { j * inner + k } else { k * columns + j },
    };
    let mut sums = SymbolicTensor { shape, elements: product.entries(builder)? };
    let scaled = |builder: &mut GraphBuilder, tensor: &SymbolicTensor, factor: f32| {
        arithmetic(builder, Arithmetic::Multiply, tensor, &SymbolicTensor::constant(vec![], vec![f64::from(factor)]))
    };
    let (alpha, beta) = (call.node.float("alpha", 1.0)?, call.node.float("beta", 1.0)?);
    if alpha != 1.0 {
        sums = scaled(builder, &sums, alpha)?;
    }
    match call.optional(2) {
        Some(bias) if beta != 1.0 => {
            let bias = scaled(builder, bias, beta)?;
            arithmetic(builder, Arithmetic::Add, &sums, &bias)
        }
        Some(bias) => arithmetic(builder, Arithmetic::Add, &sums, bias),
        None => Ok(sums),
    }
}

fn matrix(tensor: &SymbolicTensor) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(tensor.shape.as_slice())
        .map_err(|_| invalid(format!("a tensor of shape {:?} where a matrix is needed", tensor.shape)))
}

/// Batch normalization with the moments that training left.
pub(in super::super) fn batch_normalization(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let channels = x.shape.get(1).copied().ok_or_else(|| invalid("an input without channels"))?;
    if call.node.int("training_mode", 0)? != 0 {
        return Err(refused("the network was exported while training", "call `model.eval()` before the export"));
    }
    let epsilon = f64::from(call.node.float("epsilon", 1e-5)?);
    let [gain, shift, mean, variance] = [call.constant(1)?, call.constant(2)?, call.constant(3)?, call.constant(4)?];
    if [gain, shift, mean, variance].iter().any(|list| list.len() != channels) {
        return Err(invalid(format!("the moments are not those of {channels} channels")));
    }
    if variance.iter().any(|variance| *variance + epsilon <= 0.0) {
        return Err(invalid("a variance is negative"));
    }
    let places: usize = x.shape[2..].iter().product();
    let rows = (0..x.len()).map(|index| {
        let c = index / places % channels;
        let factor = gain[c] / (variance[c] + epsilon).sqrt();
        builder.sum([(factor, &x.row(index))], shift[c] - mean[c] * factor)
    });
    let rows = rows.collect::<Result<_>>()?;
    Ok(SymbolicTensor::computed(x.shape.clone(), rows))
}

/// `ai.onnx.ml` Scaler: `(x - offset) * scale`.
pub(in super::super) fn scaler(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let list = |name: &str, default: f64| -> Result<SymbolicTensor> {
        let values: Vec<f64> = call.node.floats(name)?.iter().map(|value| f64::from(*value)).collect();
        Ok(if values.is_empty() {
            SymbolicTensor::constant(vec![], vec![default])
        } else {
            SymbolicTensor::constant(vec![values.len()], values)
        })
    };
    let centered = arithmetic(builder, Arithmetic::Subtract, call.tensor(0)?, &list("offset", 0.0)?)?;
    arithmetic(builder, Arithmetic::Multiply, &centered, &list("scale", 1.0)?)
}

/// `ReduceMean`.
pub(in super::super) fn reduce_mean(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    reduce(builder, call, true)
}

/// `ReduceSum`.
pub(in super::super) fn reduce_sum(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    reduce(builder, call, false)
}

/// The mean or sum over axes.
fn reduce(builder: &mut GraphBuilder, call: &Call<'_>, mean: bool) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let rank = x.shape.len();
    let axes = match call.axes(1, rank)? {
        Some(axes) => axes,
        None if call.node.int("noop_with_empty_axes", 0)? != 0 => return Ok(x.clone()),
        None => (0..rank).collect(),
    };
    let kept: Vec<usize> = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { x.shape[axis] }).collect();
    let own = strides(&kept);
    let mut members = vec![Vec::new(); kept.iter().product()];
    let mut index = 0;
    for_each_place(&x.shape, |place| {
        let to: usize =
            place.iter().enumerate().map(|(axis, at)| if axes.contains(&axis) { 0 } else { at * own[axis] }).sum();
        members[to].push(index);
        index += 1;
    });
    let elements = match &x.elements {
        Elements::Constant(values) => Elements::Constant(
            members
                .iter()
                .map(|of| of.iter().map(|at| values[*at]).sum::<f64>() / if mean { of.len() as f64 } else { 1.0 })
                .collect(),
        ),
        Elements::Computed(rows) => {
            let sums = members.iter().map(|of| {
                let share = if mean { 1.0 / of.len() as f64 } else { 1.0 };
                builder.sum(of.iter().map(|at| (share, &rows[*at])), 0.0)
            });
            Elements::Computed(sums.collect::<Result<Vec<Affine>>>()?)
        }
    };
    let shape = if call.node.int("keepdims", 1)? != 0 {
        kept
    } else {
        (0..rank).filter(|axis| !axes.contains(axis)).map(|axis| x.shape[axis]).collect()
    };
    Ok(SymbolicTensor { shape, elements })
}
