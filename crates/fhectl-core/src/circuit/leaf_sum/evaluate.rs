//! The server's side of `LeafSum`.

use super::layers;
use super::params::LeafSumParams;
use super::params_search::failure;
use super::points::{constant, height};
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::boxes::{BoxTest, Boxes};
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::layered::LayeredCircuit;
use crate::circuit::traits::{Circuit, CircuitServer};
use crate::error::Result;
use crate::fhe::pbs::BootstrapKey;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::zeros::Zeros;
use crate::fhe::{GlweList, Lwe, Random, cost};
use crate::model::{Model, Quantizer};

impl CircuitServer for LeafSumParams {
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        let boxes = Boxes::signed(tree, quantizer);
        let fits = boxes.tests.len() == self.boxes
            && u64::from(boxes.depth()) * 2 <= self.plaintext_modulus
            && boxes.base as usize == self.default_class;
        if fits { Ok(Box::new(CompiledLeafSum { params: self.clone(), boxes })) } else { Err(unfit()) }
    }

    fn failure_log2(&self, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>> {
        let Model::Tree(tree) = model else { return Err(unfit()) };
        Ok(Some(failure(&Boxes::signed(tree, quantizer), self)))
    }

    fn decrypt_seconds(&self) -> f64 {
        cost::decrypt_seconds(self.bootstrap.output)
    }

    fn evaluation_seconds(&self) -> f64 {
        self.boxes as f64 * cost::bootstrap_seconds(&self.bootstrap)
    }
}

struct CompiledLeafSum {
    params: LeafSumParams,
    boxes: Boxes,
}

impl CompiledCircuit for CompiledLeafSum {
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        evaluate(&self.params, &self.boxes, key.parts().bootstrap(0)?, key.rerandomizer(), request, random)
    }

    fn layered(&self) -> Option<LayeredCircuit> {
        Some(layers::layered(&self.params, &self.boxes))
    }
}

/// Answers one encrypted row with its class: a bootstrap a box, a sum, re-randomized and cut.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the circuit's layout, `key_missing` where answers are flooded and
/// there is no `key`.
pub fn evaluate(
    params: &LeafSumParams,
    boxes: &Boxes,
    bootstrap: &BootstrapKey,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let writer = AnswerWriter::new(key, params.noise_flooding, params.response_bits)?;
    let input = params.input.expand(request)?;
    let inputs: Vec<Lwe> = boxes.tests.iter().map(|test| bootstrap_input(params, test, &input)).collect();

    // Not reached: phase positive, sign +1, -height. Reached: +height. Adding every height leaves twice the heights
    // of the boxes that are reached.
    let heights: Vec<u64> = boxes.tests.iter().map(|test| height(params, test)).collect();
    let negated: Vec<u64> = heights.iter().map(|height| height.wrapping_neg()).collect();
    let zeros = key.map(|key| Zeros::new(key, random));
    let mut answer = bootstrap.sum_of_signs(&inputs, &negated, zeros.as_ref());
    for height in heights {
        answer.body = answer.body.wrapping_add(height);
    }
    let mut bytes = Vec::with_capacity(params.response_bytes());
    writer.lwe(answer, random, &mut bytes);
    Ok(bytes)
}

/// A box's test as a point on the torus: `scale * (violations - 1/2)` steps, in the lower half for none and in
/// the upper half for one to `d`. A box of fewer features is scaled up to use the same modulus.
pub fn bootstrap_input(params: &LeafSumParams, test: &BoxTest, input: &GlweList) -> Lwe {
    let scale = params.scale(test.features);
    let mut sum = Lwe::zero(params.bootstrap.lwe_dimension);
    sum.body = constant(params, test);
    for (bit, sign) in &test.terms {
        input.add_coefficient(*bit, sign * scale, &mut sum);
    }
    sum
}
