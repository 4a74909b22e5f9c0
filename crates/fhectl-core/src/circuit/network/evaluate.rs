//! The server's side of `Network`.

use super::layer_program::{LayerProgram, Stage};
use super::params::NetworkParams;
use super::simulate::Simulator;
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::compiled::{CompiledCircuit, in_row, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::traits::{Circuit, CircuitServer, Simulate};
use crate::error::Result;
use crate::fhe::list::{LweList, narrow};
use crate::fhe::zeros::Zeros;
use crate::fhe::{Random, cost};
use crate::model::{Model, Quantizer};
use rayon::prelude::*;

/// Bootstraps that are worth doing at once: more only take memory.
const BOOTSTRAPS_AT_ONCE: usize = 512;
/// And bytes of expanded inputs.
const INPUT_BYTES_AT_ONCE: usize = 64 << 20;

impl CircuitServer for NetworkParams {
    fn compile(&self, model: &Model, _: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let Model::Network(network) = model else { return Err(unfit()) };
        Ok(Box::new(CompiledNetwork { params: self.clone(), program: LayerProgram::new(self, network)? }))
    }

    fn failure_log2(&self, _: &Model, _: &Quantizer) -> Result<Option<f64>> {
        Ok(None)
    }

    fn decrypt_seconds(&self) -> f64 {
        self.scores as f64 * cost::decrypt_seconds(self.output())
    }

    fn evaluation_seconds(&self) -> f64 {
        self.bootstraps() as f64 * cost::bootstrap_seconds(&self.first.bootstrap)
    }

    fn simulator(&self, model: &Model) -> Result<Option<Box<dyn Simulate>>> {
        let Model::Network(network) = model else { return Err(unfit()) };
        Ok(Some(Box::new(Simulator::new(self, network)?)))
    }
}

struct CompiledNetwork {
    params: NetworkParams,
    program: LayerProgram,
}

impl CompiledCircuit for CompiledNetwork {
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        Ok(self.answer_all(key, &[request], random)?.remove(0))
    }

    /// Answers encrypted rows with their scores, each re-randomized and cut. Rows of one call share every pass over the
    /// keys.
    fn answer_all(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        let Self { params, program } = self;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let row_bytes = LweList::bytes(params.input.bodies, params.input.shape.lwe_dimension());
        let rows_at_once =
            (BOOTSTRAPS_AT_ONCE / params.bootstraps().max(1)).min(INPUT_BYTES_AT_ONCE / row_bytes).max(1);
        let mut answers = Vec::with_capacity(requests.len());
        for (group, requests) in requests.chunks(rows_at_once).enumerate() {
            let inputs = requests.iter().enumerate().map(|(index, request)| {
                let input = params.input.expand(request);
                let input = input.map_err(|error| in_row(error, group * rows_at_once + index));
                Ok(input?.to_list())
            });
            let mut values = LweList::concat(inputs.collect::<Result<Vec<_>>>()?);
            for (index, stage) in program.stages.iter().enumerate() {
                let sums = sums(stage, &values, requests.len());
                let zeros = key.rerandomizer().map(|key| Zeros::new(key, random));
                values =
                    if stage.tables.is_empty() { sums } else { activate(key, index, stage, &sums, zeros.as_ref())? };
            }
            let streams: Vec<Random> = requests.iter().map(|_| random.fork()).collect();
            let packed = streams.into_par_iter().enumerate();
            answers.par_extend(packed.map(|(row, mut random)| self.answer_of_row(writer, &values, row, &mut random)));
        }
        Ok(answers)
    }
}

impl CompiledNetwork {
    /// One row's scores in their wire form.
    fn answer_of_row(&self, writer: AnswerWriter<'_>, scores: &LweList, row: usize, random: &mut Random) -> Vec<u8> {
        let params = &self.params;
        let mut bytes = Vec::with_capacity(params.response_bytes());
        for index in row * params.scores..(row + 1) * params.scores {
            writer.lwe(scores.lwe(index), random, &mut bytes);
        }
        bytes
    }
}

/// The sums of a layer, for `rows` rows whose values follow one another.
pub fn sums(stage: &Stage, values: &LweList, rows: usize) -> LweList {
    let each = values.len() / rows.max(1);
    let firsts: Vec<usize> = (0..rows).map(|row| row * each).collect();
    let constants: Vec<u32> = stage.constants.iter().map(|constant| narrow(*constant)).collect();
    values.combine(&firsts, &stage.sums, &constants)
}

/// The activations of a layer's sums: a keyswitch but in the first, and a bootstrap, whose noise is new each time with
/// `zeros`.
///
/// # Errors
/// `key_missing` where the key is another circuit's.
pub fn activate(
    key: &EvaluationKey,
    layer: usize,
    stage: &Stage,
    sums: &LweList,
    zeros: Option<&Zeros<'_>>,
) -> Result<LweList> {
    let table = |index: usize| stage.table(index % stage.sums.len());
    Ok(match key.keyswitch() {
        Some(keyswitch) if layer > 0 => key.bootstrap(1)?.look_up(&keyswitch.switch(sums), table, zeros),
        _ => key.bootstrap(0)?.look_up(sums, table, zeros),
    })
}
