//! Quantization that a network states: QDQ models, and Brevitas' `Quant` nodes.
//!
//! Values of many levels are left as they are, for they are rounded here anyway, by what rows show of their range. Those of
//! few levels are a staircase of just those levels: the network was trained with it.

use super::linear::{Arithmetic, arithmetic};
use crate::import::network::builder::GraphBuilder;
use crate::import::network::call::{Call, refused};
use crate::import::network::float_graph::Affine;
use crate::import::network::function::Function;
use crate::import::network::tensor::{Elements, SymbolicTensor, broadcast_sources};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;

/// Fewer levels than these are taken as they are stated.
const MANY_LEVELS: f64 = 128.0;

/// The integers of a quantized tensor.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn levels(self) -> f64 {
        self.high - self.low + 1.0
    }

    /// Of an ONNX element type.
    fn of_element(element: i32) -> Option<Self> {
        Some(match element {
            2 => Self { low: 0.0, high: 255.0 },
            3 => Self { low: -128.0, high: 127.0 },
            4 => Self { low: 0.0, high: 65_535.0 },
            5 => Self { low: -32_768.0, high: 32_767.0 },
            21 => Self { low: 0.0, high: 15.0 },
            22 => Self { low: -8.0, high: 7.0 },
            _ => return None,
        })
    }

    /// Of Brevitas' attributes.
    fn of_bits(bits: f64, signed: bool, narrow: bool) -> Self {
        let less = if narrow { 1.0 } else { 0.0 };
        if signed {
            let half = 2f64.powf(bits - 1.0);
            Self { low: -half + less, high: half - 1.0 }
        } else {
            Self { low: 0.0, high: 2f64.powf(bits) - 1.0 - less }
        }
    }
}

/// `QuantizeLinear`: the integers of a tensor.
pub(in super::super) fn quantize_linear(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let (scale, zero) = scale_and_zero(call, x)?;
    let element = call.elements.get(2).copied().flatten();
    let stated = i32::try_from(call.node.int("output_dtype", 0)?).unwrap_or(0);
    let range = Range::of_element(element.unwrap_or(if stated == 0 { 2 } else { stated }))
        .ok_or_else(|| refused("quantization to this element type", INSTEAD))?;
    let kept = fake(builder, x, &scale, &zero, range)?;
    let steps = arithmetic(builder, Arithmetic::Divide, &kept, &scale)?;
    arithmetic(builder, Arithmetic::Add, &steps, &zero)
}

/// `DequantizeLinear`: the numbers of integers.
pub(in super::super) fn dequantize_linear(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let (scale, zero) = scale_and_zero(call, x)?;
    let steps = arithmetic(builder, Arithmetic::Subtract, x, &zero)?;
    arithmetic(builder, Arithmetic::Multiply, &steps, &scale)
}

/// Brevitas' and QONNX' `Quant`: the numbers nearest to a tensor's among those of so many bits.
pub(in super::super) fn quant(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let list = |index: usize| -> Result<SymbolicTensor> {
        call.constant(index)?;
        call.tensor(index).cloned()
    };
    let (scale, zero) = (list(1)?, list(2)?);
    check_scale(&scale)?;
    let bits = match call.constant(3)? {
        [bits] if (1.0..=32.0).contains(bits) => *bits,
        bits => return Err(invalid(format!("a width of {bits:?} bits"))),
    };
    let range = Range::of_bits(bits, call.node.int("signed", 1)? != 0, call.node.int("narrow", 0)? != 0);
    fake(builder, x, &scale, &zero, range)
}

/// Brevitas' `BipolarQuant`: the scale, with the sign of a number.
pub(in super::super) fn bipolar(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    call.constant(1)?;
    let scale = call.tensor(1)?.clone();
    check_scale(&scale)?;
    let two = SymbolicTensor::constant(vec![], vec![2.0]);
    let (step, half) =
        (arithmetic(builder, Arithmetic::Multiply, &scale, &two)?, SymbolicTensor::constant(vec![], vec![-0.5]));
    // Levels -1 and 0 of twice the scale, moved up by half a level.
    let moved = arithmetic(builder, Arithmetic::Subtract, x, &scale)?;
    let kept = fake(builder, &moved, &step, &half, Range { low: -1.5, high: -0.5 })?;
    arithmetic(builder, Arithmetic::Add, &kept, &scale)
}

const INSTEAD: &str = "export the network in floats: fhectl quantizes it itself";

fn check_scale(scale: &SymbolicTensor) -> Result<()> {
    match scale.values() {
        Some(values) if values.iter().all(|scale| *scale > 0.0) => Ok(()),
        _ => Err(invalid("a scale that is not positive")),
    }
}

/// Scale and zero point, in shapes that broadcast to the tensor's.
fn scale_and_zero(call: &Call<'_>, x: &SymbolicTensor) -> Result<(SymbolicTensor, SymbolicTensor)> {
    if call.node.int("block_size", 0)? != 0 {
        return Err(refused("quantization in blocks", INSTEAD));
    }
    let axis = call.node.int("axis", 1)?;
    let along = |values: &[f64]| -> Result<SymbolicTensor> {
        if values.len() == 1 {
            return Ok(SymbolicTensor::constant(vec![], values.to_vec()));
        }
        let axis = crate::import::network::tensor::axis(axis, x.shape.len())?;
        if x.shape[axis] != values.len() {
            return Err(invalid(format!("{} scales for an axis of {}", values.len(), x.shape[axis])));
        }
        let shape = (0..x.shape.len()).map(|at| if at == axis { values.len() } else { 1 }).collect();
        Ok(SymbolicTensor::constant(shape, values.to_vec()))
    };
    let scale = along(call.constant(1)?)?;
    check_scale(&scale)?;
    let zero = match call.optional(2) {
        Some(_) => along(call.constant(2)?)?,
        None => SymbolicTensor::constant(vec![], vec![0.0]),
    };
    Ok((scale, zero))
}

/// A tensor's numbers as quantization leaves them.
fn fake(
    builder: &mut GraphBuilder,
    x: &SymbolicTensor,
    scale: &SymbolicTensor,
    zero: &SymbolicTensor,
    range: Range,
) -> Result<SymbolicTensor> {
    let own = |tensor: &SymbolicTensor| -> Result<Vec<f64>> {
        if crate::import::network::tensor::broadcast(&tensor.shape, &x.shape)? != x.shape {
            return Err(invalid(format!("scales of shape {:?} for {:?}", tensor.shape, x.shape)));
        }
        let values = tensor.values().unwrap_or_default();
        Ok(broadcast_sources(&tensor.shape, &x.shape).into_iter().map(|at| values[at]).collect())
    };
    let (scales, zeros) = (own(scale)?, own(zero)?);
    let rows = match &x.elements {
        Elements::Constant(values) => {
            let kept = |((value, scale), zero): ((&f64, &f64), &f64)| {
                (((value / scale).round_ties_even() + zero).clamp(range.low, range.high) - zero) * scale
            };
            let values = values.iter().zip(&scales).zip(&zeros).map(kept).collect();
            return Ok(SymbolicTensor::constant(x.shape.clone(), values));
        }
        Elements::Computed(rows) => rows,
    };
    // Exporters leave a ReLU out where the lowest integer stands for zero.
    let cuts = zeros.iter().all(|zero| *zero == range.low);
    if range.levels() >= MANY_LEVELS && (!cuts || rows.iter().all(|row| is_not_negative(builder, row))) {
        return Ok(x.clone());
    }
    let below: Vec<Affine> = rows.iter().map(|row| below(builder, row)).collect();
    let function = |at: usize| {
        let low = (range.low - zeros[at]) * scales[at];
        let negative = is_not_negative(builder, &rows[at]) && low < 0.0;
        if range.levels() >= MANY_LEVELS {
            return Function::Clip { low, high: (range.high - zeros[at]) * scales[at] };
        }
        // What stands behind a ReLU uses the levels from zero on.
        let skipped = if negative { (-low / scales[at]).ceil() } else { 0.0 };
        let levels = (range.levels() - skipped).max(1.0);
        Function::Stepped { low: low + skipped * scales[at], step: scales[at], steps: levels as u32 }
    };
    let functions: Vec<Function> = (0..rows.len()).map(function).collect();
    let places: usize = x.shape.get(2..).map_or(1, |sizes| sizes.iter().product());
    let mut atoms = Vec::with_capacity(rows.len());
    let mut first = 0;
    for run in functions.chunk_by(|a, b| a == b) {
        atoms.extend(builder.block(run[0], below[first..first + run.len()].to_vec(), places)?);
        first += run.len();
    }
    Ok(SymbolicTensor::computed(x.shape.clone(), atoms))
}

/// Whether a row is the value of a function that is never negative.
fn is_not_negative(builder: &GraphBuilder, row: &Affine) -> bool {
    let clipped = |function: Function| match function {
        Function::Clip { low, .. } | Function::Stepped { low, .. } => low >= 0.0,
        Function::Sigmoid | Function::HardSigmoid { .. } | Function::Softplus => true,
        _ => false,
    };
    let own = row.single().filter(|(_, factor)| *factor > 0.0 && row.bias >= 0.0);
    own.and_then(|(atom, _)| builder.source(atom)).is_some_and(|(block, _)| clipped(block.function))
}

/// The sum below a ReLU, which a staircase that begins at zero makes needless; else the row itself.
fn below(builder: &GraphBuilder, row: &Affine) -> Affine {
    let own = row.single().filter(|(_, factor)| *factor == 1.0 && row.bias == 0.0);
    match own.and_then(|(atom, _)| builder.source(atom)) {
        Some((block, below)) if block.function == Function::RELU => below.clone(),
        _ => row.clone(),
    }
}
