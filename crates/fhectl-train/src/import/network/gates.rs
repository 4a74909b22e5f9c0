//! Products of a value with a gate of itself, as exporters write SiLU, GELU, HardSwish and Mish.

use super::builder::GraphBuilder;
use super::call::Call;
use super::float_graph::Affine;
use super::function::{Curve, Function};
use super::operators::linear::{Arithmetic, arithmetic};
use super::tensor::{Elements, SymbolicTensor};
use fhectl_core::error::Result;

/// How far a float32 constant in a graph may be from what it stands for, relatively.
const CLOSE: f64 = 1e-5;

/// `Mul`, which may be how a curve is written.
pub(super) fn multiply(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let (a, b) = (call.tensor(0)?, call.tensor(1)?);
    match gated(builder, a, b)? {
        Some(tensor) => Ok(tensor),
        None => arithmetic(builder, Arithmetic::Multiply, a, b),
    }
}

/// `a * b` where one is a gate of the other: the curve, and by what it is multiplied.
fn gated(builder: &mut GraphBuilder, a: &SymbolicTensor, b: &SymbolicTensor) -> Result<Option<SymbolicTensor>> {
    if a.shape != b.shape {
        return Ok(None);
    }
    for (value, gate) in [(a, b), (b, a)] {
        if let (Elements::Computed(values), Elements::Computed(gates)) = (&value.elements, &gate.elements)
            && let Some((curve, factor)) = common(builder, values, gates)
        {
            let curved = builder.curve(curve, value)?;
            let rows = (0..curved.len()).map(|index| builder.sum([(factor, &curved.row(index))], 0.0));
            let rows = rows.collect::<Result<_>>()?;
            return Ok(Some(SymbolicTensor::computed(value.shape.clone(), rows)));
        }
    }
    Ok(None)
}

/// The curve and factor that all elements have in common.
fn common(builder: &GraphBuilder, values: &[Affine], gates: &[Affine]) -> Option<(Curve, f64)> {
    let mut found = values.iter().zip(gates).map(|(value, gate)| recognize(builder, value, gate));
    let first = found.next()??;
    found.all(|next| next.is_some_and(|next| next.0 == first.0 && close(next.1, first.1))).then_some(first)
}

fn recognize(builder: &GraphBuilder, value: &Affine, gate: &Affine) -> Option<(Curve, f64)> {
    let (atom, factor) = gate.single()?;
    let (block, row) = builder.source(atom)?;
    let shift = gate.bias / factor;
    match block.function {
        Function::Sigmoid if shift.abs() < CLOSE && proportional(value, row, 1.0) => Some((Curve::Silu, factor)),
        Function::Erf if close(shift, 1.0) && proportional(value, row, std::f64::consts::SQRT_2) => {
            Some((Curve::Gelu, 2.0 * factor))
        }
        Function::HardSigmoid { slope, shift: half }
            if shift.abs() < CLOSE && close(slope, 1.0 / 6.0) && close(half, 0.5) && proportional(value, row, 1.0) =>
        {
            Some((Curve::HardSwish, factor))
        }
        Function::Tanh if shift.abs() < CLOSE => {
            let (inner, one) = row.single()?;
            let (softplus, row) = builder.source(inner)?;
            let fits = softplus.function == Function::Softplus && close(one, 1.0);
            (fits && proportional(value, row, 1.0)).then_some((Curve::Mish, factor))
        }
        _ => None,
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= CLOSE * b.abs()
}

/// Whether `a = factor * b`.
fn proportional(a: &Affine, b: &Affine, factor: f64) -> bool {
    let near = |a: f64, b: f64| close(a, factor * b) || (a - factor * b).abs() < 1e-12;
    near(a.bias, b.bias)
        && a.terms.len() == b.terms.len()
        && a.terms.iter().zip(&b.terms).all(|((i, a), (j, b))| i == j && near(*a, *b))
}
