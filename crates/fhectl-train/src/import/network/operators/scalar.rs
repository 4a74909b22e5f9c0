//! Operators that take a function of every element.

use super::image::maximum;
use super::linear::{Arithmetic, arithmetic};
use crate::import::network::builder::GraphBuilder;
use crate::import::network::call::{Call, refused};
use crate::import::network::float_graph::Affine;
use crate::import::network::function::{Curve, Function};
use crate::import::network::tensor::{Elements, SymbolicTensor, broadcast_sources};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;

/// `function` of every element, where it never falls: else no staircase can stand for it.
///
/// # Errors
/// `onnx_unsupported` where parameters make it fall.
pub(in super::super) fn increasing(
    builder: &mut GraphBuilder,
    call: &Call<'_>,
    function: Function,
) -> Result<SymbolicTensor> {
    let increasing = match function {
        Function::Leaky { slope } => slope >= 0.0,
        Function::HardSigmoid { slope, shift } => slope >= 0.0 && shift.is_finite(),
        Function::Elu { alpha, gain, scale } => alpha >= 0.0 && gain >= 0.0 && scale > 0.0,
        Function::Thresholded { alpha } => alpha >= 0.0,
        Function::Clip { low, high } => low <= high,
        _ => true,
    };
    if !increasing {
        return Err(refused(
            format!("{function:?} falls somewhere"),
            "use Relu, or parameters for which it never falls",
        ));
    }
    builder.activate(function, call.tensor(0)?)
}

fn float(call: &Call<'_>, name: &str, default: f32) -> Result<f64> {
    call.node.float(name, default).map(f64::from)
}

/// `LeakyRelu`.
pub(in super::super) fn leaky_relu(call: &Call<'_>) -> Result<Function> {
    Ok(Function::Leaky { slope: float(call, "alpha", 0.01)? })
}

/// `HardSigmoid`.
pub(in super::super) fn hard_sigmoid(call: &Call<'_>) -> Result<Function> {
    Ok(Function::HardSigmoid { slope: float(call, "alpha", 0.2)?, shift: float(call, "beta", 0.5)? })
}

/// `Elu`.
pub(in super::super) fn elu(call: &Call<'_>) -> Result<Function> {
    Ok(Function::Elu { alpha: float(call, "alpha", 1.0)?, gain: 1.0, scale: 1.0 })
}

/// `Celu`.
pub(in super::super) fn celu(call: &Call<'_>) -> Result<Function> {
    let alpha = float(call, "alpha", 1.0)?;
    Ok(Function::Elu { alpha, gain: 1.0, scale: alpha })
}

/// `Selu`.
pub(in super::super) fn selu(call: &Call<'_>) -> Result<Function> {
    Ok(Function::Elu { alpha: float(call, "alpha", 1.673_263_2)?, gain: float(call, "gamma", 1.050_701)?, scale: 1.0 })
}

/// `ThresholdedRelu`.
pub(in super::super) fn thresholded_relu(call: &Call<'_>) -> Result<Function> {
    Ok(Function::Thresholded { alpha: float(call, "alpha", 1.0)? })
}

/// `Swish`.
pub(in super::super) fn swish(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    if float(call, "alpha", 1.0)? != 1.0 {
        return Err(refused("Swish with an alpha that is not 1", "use Swish with alpha 1, or Relu"));
    }
    builder.curve(Curve::Silu, call.tensor(0)?)
}

/// `Clip`.
pub(in super::super) fn clip(call: &Call<'_>) -> Result<Function> {
    let bound = |index: usize, name: &str, default: f64| -> Result<f64> {
        if call.node.attributes.contains_key(name) {
            return call.node.float(name, 0.0).map(f64::from);
        }
        match call.optional(index) {
            None => Ok(default),
            Some(_) => match call.constant(index)? {
                [value] => Ok(*value),
                values => Err(invalid(format!("a bound of {} values", values.len()))),
            },
        }
    };
    Ok(Function::Clip { low: bound(1, "min", f64::NEG_INFINITY)?, high: bound(2, "max", f64::INFINITY)? })
}

fn scaled(builder: &mut GraphBuilder, tensor: &SymbolicTensor, factor: f64) -> Result<SymbolicTensor> {
    arithmetic(builder, Arithmetic::Multiply, tensor, &SymbolicTensor::constant(vec![], vec![factor]))
}

/// `Abs`: `|x| = relu(x) + relu(-x)`.
pub(in super::super) fn absolute(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let negative = scaled(builder, x, -1.0)?;
    let parts = [builder.activate(Function::RELU, x)?, builder.activate(Function::RELU, &negative)?];
    arithmetic(builder, Arithmetic::Add, &parts[0], &parts[1])
}

/// `PRelu`: `max(x, 0) + slope * min(x, 0)` with a slope a channel: a block a slope.
pub(in super::super) fn parametric(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let (slopes, from) = (call.constant(1)?, &call.tensor(1)?.shape);
    if crate::import::network::tensor::broadcast(from, &x.shape)? != x.shape {
        return Err(invalid(format!("slopes of shape {from:?} for {:?}", x.shape)));
    }
    if slopes.iter().any(|slope| *slope < 0.0) {
        return Err(refused("a slope below 0", "use Relu or LeakyRelu"));
    }
    let Elements::Computed(rows) = &x.elements else {
        return Err(refused("a constant input", "fold constants before the export"));
    };
    let own: Vec<f64> = broadcast_sources(from, &x.shape).into_iter().map(|at| slopes[at]).collect();
    let mut atoms = Vec::with_capacity(rows.len());
    let places: usize = x.shape.get(2..).map_or(1, |sizes| sizes.iter().product());
    let mut first = 0;
    for run in own.chunk_by(|a, b| a == b) {
        let part: Vec<Affine> = rows[first..first + run.len()].to_vec();
        atoms.extend(builder.block(Function::Leaky { slope: run[0] }, part, places)?);
        first += run.len();
    }
    Ok(SymbolicTensor::computed(x.shape.clone(), atoms))
}

/// `Max`.
pub(in super::super) fn largest(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    extreme(builder, call, 1.0)
}

/// `Min`.
pub(in super::super) fn smallest(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    extreme(builder, call, -1.0)
}

/// The largest of several tensors, or for a sign of -1 the smallest. A constant number bounds, as `Clip` does.
fn extreme(builder: &mut GraphBuilder, call: &Call<'_>, sign: f64) -> Result<SymbolicTensor> {
    let mut found = call.tensor(0)?.clone();
    for index in 1..call.inputs.len() {
        let next = call.tensor(index)?;
        let (computed, other) = if found.values().is_some() { (next, &found) } else { (&found, next) };
        found = match other.values() {
            Some([bound]) => {
                let function = if sign > 0.0 {
                    Function::Clip { low: *bound, high: f64::INFINITY }
                } else {
                    Function::Clip { low: f64::NEG_INFINITY, high: *bound }
                };
                builder.activate(function, computed)?
            }
            _ => {
                let (a, b) = (scaled(builder, &found, sign)?, scaled(builder, next, sign)?);
                let larger = maximum(builder, &a, &b)?;
                scaled(builder, &larger, sign)?
            }
        };
    }
    Ok(found)
}

/// `Exp`.
pub(in super::super) fn exp(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    builder.activate(Function::Exp, call.tensor(0)?)
}

/// `Log`: of constants, and as exporters write Softplus, `log(1 + exp(x))`.
pub(in super::super) fn log(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let Elements::Computed(rows) = &x.elements else { return super::folded::log(call) };
    let softened = |row: &Affine| {
        let (atom, factor) = row.single().filter(|_| row.bias == 1.0)?;
        let (block, below) = builder.source(atom)?;
        (block.function == Function::Exp && factor == 1.0).then(|| below.clone())
    };
    let below: Option<Vec<Affine>> = rows.iter().map(softened).collect();
    match below {
        Some(below) => builder.activate(Function::Softplus, &SymbolicTensor::computed(x.shape.clone(), below)),
        None => super::folded::log(call),
    }
}
