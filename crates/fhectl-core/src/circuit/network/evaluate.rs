//! The server's side of `Network`.

use super::layer_program::LayerProgram;
use super::params::NetworkParams;
use super::simulate::Simulator;
use crate::circuit::compiled::{CompiledCircuit, unfit};
use crate::circuit::evaluation_key::EvaluationKey;
use crate::circuit::layered::LayeredCircuit;
use crate::circuit::traits::{Circuit, CircuitServer, Simulate};
use crate::error::Result;
use crate::fhe::list::LweList;
use crate::fhe::{Random, cost, cpu};
use crate::model::{Model, Quantizer};

/// Bootstraps that are worth doing at once: more only take memory.
const BOOTSTRAPS_AT_ONCE: usize = 512;
/// And bytes of expanded inputs.
const INPUT_BYTES_AT_ONCE: usize = 64 << 20;

impl CircuitServer for NetworkParams {
    fn compile(&self, model: &Model, _: &Quantizer) -> Result<Box<dyn CompiledCircuit>> {
        let Model::Network(network) = model else { return Err(unfit()) };
        let circuit = LayeredCircuit {
            layers: LayerProgram::new(self, network)?.layers,
            input: self.input,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        };
        Ok(Box::new(CompiledNetwork { circuit }))
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
    circuit: LayeredCircuit,
}

impl CompiledCircuit for CompiledNetwork {
    fn answer(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        Ok(self.answer_all(key, &[request], random)?.remove(0))
    }

    /// Answers encrypted rows with their scores, each re-randomized and cut. Rows of one call share every pass over the
    /// keys.
    fn answer_all(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        let circuit = &self.circuit;
        let row_bytes = LweList::bytes(circuit.input.bodies, circuit.input.shape.lwe_dimension());
        let rows_at_once =
            (BOOTSTRAPS_AT_ONCE / circuit.bootstraps().max(1)).min(INPUT_BYTES_AT_ONCE / row_bytes).max(1);
        let mut answers = Vec::with_capacity(requests.len());
        for requests in requests.chunks(rows_at_once) {
            let rows = circuit.read_rows(requests, answers.len())?;
            let zeros = circuit.zeros(key, random);
            let scores = cpu::evaluate(&circuit.layers, key.parts(), &rows, &zeros)?;
            answers.extend(circuit.answers(key, &scores, rows.len(), random)?);
        }
        Ok(answers)
    }

    fn layered(&self) -> Option<LayeredCircuit> {
        Some(self.circuit.clone())
    }
}
