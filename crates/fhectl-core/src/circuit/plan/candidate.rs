//! A circuit that fits, and what it is predicted to cost.

use super::guarantees::Guarantees;
use crate::circuit::traits::AsCircuit;
use crate::fhe::cost::{self, Work};

/// Cores of the machines that plans are made for.
pub const PLANNED_CORES: usize = 2;

/// What a megabyte of evaluation key is worth in seconds of compute, when candidates are compared.
pub(in crate::circuit) const KEY_MEGABYTE_WORTH_SECONDS: f64 = 0.0005;

/// Parameters that fit a model, with what they promise and cost. A search finds candidates of its own circuit's
/// parameters, a plan those of any circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<C> {
    pub spec: C,
    pub guarantees: Guarantees,
    /// Seconds of one core an inference.
    pub core_seconds: f64,
    /// How many cores one inference can use.
    pub parallelism: usize,
    /// Seconds of an inference on the device that was planned for, where it computes this circuit.
    pub device_seconds: Option<f64>,
}

impl<C> Candidate<C> {
    /// The same candidate with its parameters as something else.
    pub(in crate::circuit) fn map<D>(self, into: impl FnOnce(C) -> D) -> Candidate<D> {
        let Self { spec, guarantees, core_seconds, parallelism, device_seconds } = self;
        Candidate { spec: into(spec), guarantees, core_seconds, parallelism, device_seconds }
    }
}

impl<C: AsCircuit> Candidate<C> {
    /// Predicted seconds of computing: on the device that was planned for, or on `cores` cores.
    pub fn seconds(&self, cores: usize) -> f64 {
        if let Some(seconds) = self.device_seconds {
            return seconds;
        }
        let work = if self.spec.as_circuit().bootstraps() > 0 { Work::Bootstraps } else { Work::Evaluation };
        self.core_seconds / cost::speed_up(cores.min(self.parallelism), work)
    }

    /// Predicted seconds of the client's work, encrypting and decrypting, on `cores` cores.
    pub fn client_seconds(&self, cores: usize) -> f64 {
        let circuit = self.spec.as_circuit();
        let input = circuit.input_layout();
        let encryption = cost::encrypt_seconds(&input);
        let worth_it = encryption > cost::MIN_PARALLEL_SECONDS;
        let threads = if worth_it { cores.min(input.ciphertexts().div_ceil(4)) } else { 1 };
        cost::EXCHANGE_SECONDS
            + encryption / cost::speed_up(threads, Work::Encryption)
            + cost::pack_seconds(input.bodies)
            + circuit.decrypt_seconds()
    }

    /// Predicted seconds of a whole inference on machines of `cores` cores, over so many bits a second.
    pub fn total_seconds(&self, bandwidth: f64, cores: usize) -> f64 {
        let circuit = self.spec.as_circuit();
        let bytes = circuit.request_bytes() + circuit.response_bytes();
        self.seconds(cores) + self.client_seconds(cores) + 8.0 * bytes as f64 / bandwidth
    }
}
