//! The finest integers that a circuit has room for.

use fhectl_core::circuit::plan::{Plan, PlanRequest, plan};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Model, Output, Quantizer};
use fhectl_train::train::FloatLinear;
use std::ops::RangeInclusive;

/// An integer model that has a circuit.
pub struct Finest {
    pub model: Model,
    /// What an integer score is worth.
    pub scale: f64,
    /// Bits of its weights or leaf values.
    pub bits: u32,
    pub plans: Vec<Plan>,
}

/// The model of the most bits in `bits` that still leaves a circuit room, among others for the noise that hides it.
/// `make` gives the model of so many bits and what its scores are worth.
///
/// # Errors
/// Those of `make`; those of [`plan`] for the fewest bits.
pub fn finest(
    bits: RangeInclusive<u32>,
    make: impl Fn(u32) -> Result<(Model, f64)>,
    quantizer: &Quantizer,
    output: Output,
    request: &PlanRequest,
) -> Result<Finest> {
    let mut refused = None;
    for bits in bits.rev() {
        let (model, scale) = make(bits)?;
        match plan(&model, quantizer, output, request) {
            Ok(plans) => return Ok(Finest { model, scale, bits, plans }),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::new(ErrorCode::Internal, "no sizes of integers were tried")))
}

/// The finest integer weights of a linear model.
///
/// # Errors
/// As for [`finest`].
pub fn finest_weights(
    float: &FloatLinear,
    quantizer: &Quantizer,
    output: Output,
    request: &PlanRequest,
) -> Result<Finest> {
    /// Beyond ten bits nothing is gained; below four the model is no longer the trained one.
    const WEIGHT_BITS: RangeInclusive<u32> = 4..=10;
    finest_weights_of(WEIGHT_BITS, float, quantizer, output, request)
}

/// As [`finest_weights`], of so many bits.
///
/// # Errors
/// As for [`finest`].
pub fn finest_weights_of(
    bits: RangeInclusive<u32>,
    float: &FloatLinear,
    quantizer: &Quantizer,
    output: Output,
    request: &PlanRequest,
) -> Result<Finest> {
    let make = |bits| {
        let linear = float.to_integer(bits)?;
        let scale = linear.scale;
        Ok((Model::Linear(linear), scale))
    };
    finest(bits, make, quantizer, output, request)
}
