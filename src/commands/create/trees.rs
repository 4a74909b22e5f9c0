//! From trained sums of trees to a model that has a circuit.

use super::compiled_model::CompiledModel;
use super::finest::{Finest, finest};
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_core::model::{Model, Output, Quantizer};
use fhectl_train::train::{FloatForest, Score};

/// The flag of all sums of trees.
#[derive(Debug, Args)]
pub struct ValueArgs {
    /// Bits of a leaf's value (2 to 16) [default: the most up to 8 that a circuit has room for]
    #[arg(long, env = "FHECTL_VALUE_BITS", value_name = "BITS", value_parser = clap::value_parser!(u32).range(2..=16))]
    value_bits: Option<u32>,
}

/// Trees that were grown on quantized rows.
pub struct Trained {
    pub forest: FloatForest,
    pub quantizer: Quantizer,
    pub output: Output,
    /// The score of the same on features that were not quantized.
    pub float: Score,
    /// What a sum of leaf values is, where classes are predicted.
    pub unit: ScoreUnit,
    pub options: String,
}

impl ValueArgs {
    pub fn given(&self) -> bool {
        self.value_bits.is_some()
    }

    /// Rounds leaf values as finely as asked, or as there is room for.
    pub fn make(&self, trained: Trained, request: &PlanRequest) -> Result<CompiledModel> {
        /// Of 50 trees with leaves of eight bits, rounding moves the sum by some two steps of the largest leaf's 127.
        const VALUE_BITS: std::ops::RangeInclusive<u32> = 5..=8;
        let Trained { mut forest, quantizer, output, float, unit, options } = trained;
        // A number's bias is the mean of the training rows: added in clear, so that sums stay small.
        let offset = output.takes_offset().then(|| std::mem::take(&mut forest.biases[0]));
        let make = |bits| {
            let (forest, scale) = forest.to_integer(bits)?;
            Ok((Model::Forest(forest), scale))
        };
        let range = self.value_bits.map_or(VALUE_BITS, |bits| bits..=bits);
        let Finest { model, scale, bits, plans } = finest(range, make, &quantizer, output, request)?;
        Ok(CompiledModel {
            score_scale: Some(scale),
            score_offset: offset,
            score_unit: unit,
            ..CompiledModel::new(model, quantizer, plans, float, format!("{options}, {bits} bits a leaf value"))
        })
    }
}
