//! Operators that are run on constants only: on what depends on the row, nothing here can stand for them.

use crate::import::network::builder::GraphBuilder;
use crate::import::network::call::{Call, refused};
use crate::import::network::tensor::{Elements, SymbolicTensor, broadcast, broadcast_sources};
use crate::import::onnx::invalid;
use fhectl_core::error::{Error, Result};

/// A function of every element of a constant.
fn each(call: &Call<'_>, function: impl Fn(f64) -> f64) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let values = x.values().ok_or_else(|| on_rows(call))?;
    finite(x.shape.clone(), values.iter().map(|value| function(*value)).collect())
}

/// A function of every two elements of constants, with broadcasting.
fn pairs(call: &Call<'_>, function: impl Fn(f64, f64) -> f64) -> Result<SymbolicTensor> {
    let (a, b) = (call.tensor(0)?, call.tensor(1)?);
    let shape = broadcast(&a.shape, &b.shape)?;
    let (Some(x), Some(y)) = (a.values(), b.values()) else { return Err(on_rows(call)) };
    let places = broadcast_sources(&a.shape, &shape).into_iter().zip(broadcast_sources(&b.shape, &shape));
    let values = places.map(|(i, j)| function(x[i], y[j])).collect();
    finite(shape, values)
}

fn finite(shape: Vec<usize>, values: Vec<f64>) -> Result<SymbolicTensor> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(invalid("a constant is not finite"));
    }
    Ok(SymbolicTensor::constant(shape, values))
}

fn on_rows(call: &Call<'_>) -> Error {
    let op = &call.node.op;
    let instead = match op.as_str() {
        "Exp" | "Log" => {
            "as the last step of a network of one number it is computed by the client; elsewhere use an activation such as \
             Relu, Tanh or Sigmoid"
        }
        "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Equal" | "Not" | "And" | "Or" | "Where" => {
            "comparisons and choices are run on constants only: use Relu, Clip or Sign"
        }
        _ => "use an activation such as Relu, Tanh or Sigmoid; layer normalization becomes batch normalization",
    };
    refused(format!("{op} of values that depend on the row"), instead)
}

pub(in super::super) fn log(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, f64::ln)
}

pub(in super::super) fn sqrt(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, f64::sqrt)
}

pub(in super::super) fn reciprocal(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, |value| 1.0 / value)
}

pub(in super::super) fn floor(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, f64::floor)
}

pub(in super::super) fn ceil(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, f64::ceil)
}

pub(in super::super) fn round(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, f64::round_ties_even)
}

pub(in super::super) fn not(call: &Call<'_>) -> Result<SymbolicTensor> {
    each(call, |value| truth(value == 0.0))
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

pub(in super::super) fn greater(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a > b))
}

pub(in super::super) fn greater_or_equal(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a >= b))
}

pub(in super::super) fn less(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a < b))
}

pub(in super::super) fn less_or_equal(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a <= b))
}

pub(in super::super) fn equal(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a == b))
}

pub(in super::super) fn both(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a != 0.0 && b != 0.0))
}

pub(in super::super) fn either(call: &Call<'_>) -> Result<SymbolicTensor> {
    pairs(call, |a, b| truth(a != 0.0 || b != 0.0))
}

/// `Pow`; of what depends on the row only to the power of one.
pub(in super::super) fn power(call: &Call<'_>) -> Result<SymbolicTensor> {
    match call.tensor(1)?.values() {
        Some(powers) if powers.iter().all(|power| *power == 1.0) => call.tensor(0).cloned(),
        _ => pairs(call, f64::powf),
    }
}

/// `Where` of a constant choice.
pub(in super::super) fn choose(call: &Call<'_>) -> Result<SymbolicTensor> {
    let (choice, a, b) = (call.tensor(0)?, call.tensor(1)?, call.tensor(2)?);
    let first = choice.values().ok_or_else(|| on_rows(call))?;
    let shape = broadcast(&broadcast(&choice.shape, &a.shape)?, &b.shape)?;
    let of = |tensor: &SymbolicTensor| broadcast_sources(&tensor.shape, &shape);
    let (at, in_a, in_b) = (of(choice), of(a), of(b));
    let taken = |index: usize| if first[at[index]] != 0.0 { (a, in_a[index]) } else { (b, in_b[index]) };
    let elements = match (a.values(), b.values()) {
        (Some(_), Some(_)) => {
            Elements::Constant((0..at.len()).map(taken).map(|(tensor, place)| tensor.row(place).bias).collect())
        }
        _ => Elements::Computed((0..at.len()).map(taken).map(|(tensor, place)| tensor.row(place)).collect()),
    };
    Ok(SymbolicTensor { shape, elements })
}

/// `LayerNormalization` and its kin of a constant cannot be; of rows they divide by what depends on the row.
pub(in super::super) fn normalization(call: &Call<'_>) -> Result<SymbolicTensor> {
    Err(refused(
        format!("{} divides by the spread of each row's own values", call.node.op.escape_debug()),
        "encrypted values cannot be divided by each other: train the network with batch normalization instead (`nn.BatchNorm1d`, \
         `nn.BatchNorm2d`), whose mean and spread are constants at inference, or without normalization",
    ))
}

/// `Range`: shapes and indices are made of it.
pub(in super::super) fn range(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let number = |index: usize| -> Result<f64> {
        match call.constant(index)? {
            [value] => Ok(*value),
            values => Err(invalid(format!("input {index} has {} values", values.len()))),
        }
    };
    let (from, to, step) = (number(0)?, number(1)?, number(2)?);
    let count = ((to - from) / step).ceil();
    if !(1.0..=65_536.0).contains(&count) {
        return Err(invalid(format!("a range of {count} numbers")));
    }
    builder.spend(count as usize)?;
    Ok(SymbolicTensor::constant(vec![count as usize], (0..count as usize).map(|at| from + at as f64 * step).collect()))
}
