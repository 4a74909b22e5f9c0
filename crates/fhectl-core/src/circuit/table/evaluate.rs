//! The server's side of `Table`.

use super::entries::Entries;
use super::params::TableParams;
use super::params_search::failure;
use crate::circuit::answer_writer::AnswerWriter;
use crate::circuit::compiled::CompiledCircuit;
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::traits::{Circuit, CircuitServer};
use crate::error::Result;
use crate::fhe::cmux::EncryptedBits;
use crate::fhe::{Random, cost};
use crate::model::{Model, Quantizer};
use rayon::prelude::*;

impl CircuitServer for TableParams {
    fn compile(&self, model: &Model, quantizer: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let tables = Entries::new(model, quantizer)?.tables(self)?;
        Ok(Box::new(CompiledTable { params: self.clone(), tables }))
    }

    fn failure_log2(&self, _: &Model, _: &Quantizer) -> Result<Option<f64>> {
        Ok(Some(failure(self)))
    }

    fn decrypt_seconds(&self) -> f64 {
        self.answers() as f64 * cost::decrypt_seconds(self.bits.shape)
    }

    fn evaluation_seconds(&self) -> f64 {
        self.cmuxes() as f64 * cost::cmux_seconds(&self.bits)
    }
}

struct CompiledTable {
    params: TableParams,
    /// One an answer, torus words.
    tables: Vec<Vec<u64>>,
}

impl CompiledCircuit for CompiledTable {
    /// Answers one encrypted row with its scores, re-randomized and cut.
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let Self { params, tables } = self;
        let bits = EncryptedBits::unpack(&params.bits, request)?;
        let writer = AnswerWriter::new(key.rerandomizer(), params.noise_flooding, params.response_bits)?;
        let zeros = key.rerandomizer().map(|key| bits.leaf_zeros(key, tables.len(), random));
        let tasks: Vec<_> = tables.iter().map(|table| (table, random.fork())).collect();
        let answers = tasks.into_par_iter().enumerate().map(|(index, (table, mut random))| {
            let answer = bits.look_up(table, zeros.as_ref().map(|zeros| (zeros, index)));
            let mut bytes = Vec::new();
            writer.lwe(answer, &mut random, &mut bytes);
            bytes
        });
        Ok(answers.collect::<Vec<_>>().concat())
    }
}
