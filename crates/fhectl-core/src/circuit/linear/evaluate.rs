//! The server's side of `Linear`.

use super::params::LinearParams;
use super::params_search::{failure, norm2};
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::traits::{Circuit, CircuitServer};
use crate::error::Result;
use crate::fhe::{Lwe, Random, cost};
use crate::model::{IntegerLinear, Model, Quantizer};
use rayon::prelude::*;

impl CircuitServer for LinearParams {
    fn compile(&self, model: &Model, _: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        match model {
            Model::Linear(model) if self.features == model.weights[0].len() && self.scores == model.weights.len() => {
                Ok(Box::new(CompiledLinear { params: self.clone(), model: model.clone() }))
            }
            _ => Err(unfit()),
        }
    }

    fn failure_log2(&self, model: &Model, _: &Quantizer) -> Result<Option<f64>> {
        let Model::Linear(model) = model else { return Err(unfit()) };
        Ok(Some(failure(self, norm2(model))))
    }

    fn decrypt_seconds(&self) -> f64 {
        self.scores as f64 * cost::decrypt_seconds(self.shape)
    }
}

struct CompiledLinear {
    params: LinearParams,
    model: IntegerLinear,
}

impl CompiledCircuit for CompiledLinear {
    /// Computes every score of one encrypted row: `bias + sum_f w_f * q_f`, re-randomized and cut.
    ///
    /// `features * k * N` multiply-adds and one re-randomization a score.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let Self { params, model } = self;
        let input = params.input_layout().expand(request)?;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let streams: Vec<Random> = model.weights.iter().map(|_| random.fork()).collect();
        let answers = model.weights.par_iter().zip(&model.biases).zip(streams).map(|((weights, bias), mut random)| {
            let mut score = Lwe::zero(params.shape.lwe_dimension());
            score.body = (*bias as u64) << params.step_log2;
            for (feature, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0) {
                input.add_coefficient(feature, i64::from(*weight), &mut score);
            }
            let mut bytes = Vec::new();
            writer.lwe(score, &mut random, &mut bytes);
            bytes
        });
        Ok(answers.collect::<Vec<_>>().concat())
    }
}
