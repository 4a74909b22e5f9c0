//! What work is expected to take: predicted from the circuit's parameters until it was measured.

use fhectl_core::circuit::CircuitSpec;
use fhectl_core::circuit::leaf_sum::LeafSumParams;
use fhectl_core::circuit::network::{NetworkParams, StageParams};
use fhectl_core::fhe::cost;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of a new measurement goes into the average.
const WEIGHT: f64 = 0.2;
/// What everything takes at least: reading a request, writing an answer, changing threads.
const LEAST: f64 = 50e-6;
/// Seconds of reading a megabyte of evaluation key: hashing, unpacking, transforms.
const SECONDS_PER_KEY_MEGABYTE: f64 = 0.02;

/// A moving average of seconds, never below [`LEAST`].
pub(super) struct Estimate(AtomicU64);

impl Estimate {
    pub fn new(predicted: f64) -> Self {
        Self(AtomicU64::new(predicted.max(LEAST).to_bits()))
    }

    pub fn seconds(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Takes a measurement in. Of two at the same moment one may be lost, which costs nothing.
    pub fn learn(&self, measured: f64) {
        let average = self.seconds() * (1.0 - WEIGHT) + measured * WEIGHT;
        self.0.store(average.max(LEAST).to_bits(), Ordering::Relaxed);
    }
}

/// What one model's work takes.
pub(super) struct Costs {
    /// One encrypted row.
    pub row: Estimate,
    /// The tag of a batch.
    pub tag: Estimate,
    /// Verifying and unpacking one evaluation key.
    pub key: Estimate,
}

impl Costs {
    pub fn new(circuit: &CircuitSpec) -> Self {
        let key = circuit.key_bytes() as f64 * 1e-6 * SECONDS_PER_KEY_MEGABYTE;
        Self {
            row: Estimate::new(row_seconds(circuit)),
            tag: Estimate::new(tag_seconds(circuit)),
            key: Estimate::new(key),
        }
    }
}

/// The expensive steps of one inference; the first measurements correct it.
fn row_seconds(circuit: &CircuitSpec) -> f64 {
    let bootstraps = circuit.bootstraps() as f64;
    let steps = match circuit {
        CircuitSpec::LeafSum(params) => bootstraps * cost::bootstrap_seconds(&params.bootstrap),
        CircuitSpec::Network(params) => bootstraps * cost::bootstrap_seconds(&params.first.bootstrap),
        CircuitSpec::CmuxForest(params) => circuit.cmuxes() as f64 * cost::cmux_seconds(&params.bits),
        CircuitSpec::Table(params) => circuit.cmuxes() as f64 * cost::cmux_seconds(&params.bits),
        CircuitSpec::PathCostSum(params) => {
            params.ciphertexts() as f64 * cost::rerandomize_partial_seconds(circuit.answer_shape())
        }
        CircuitSpec::Linear(_) | CircuitSpec::PathCost(_) => 0.0,
    };
    let answer = if circuit.rerandomized() { cost::rerandomize_seconds(circuit.answer_shape()) } else { 0.0 };
    steps + answer + cost::expand_seconds(&circuit.input_layout())
}

/// A tag's look-ups and encryptions of zero.
fn tag_seconds(circuit: &CircuitSpec) -> f64 {
    let Some(tag) = circuit.tag() else { return 0.0 };
    let symbols = tag.symbols() as f64;
    match circuit {
        CircuitSpec::LeafSum(LeafSumParams { bootstrap, .. })
        | CircuitSpec::Network(NetworkParams { first: StageParams { bootstrap, .. }, .. }) => {
            let look_ups = f64::from(tag.look_ups) * cost::bootstrap_seconds(bootstrap);
            symbols * (look_ups + cost::rerandomize_seconds(tag.output))
        }
        _ => cost::rerandomize_partial_seconds(tag.output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_follows_what_is_measured() {
        let estimate = Estimate::new(0.0);
        assert_eq!(estimate.seconds(), LEAST);
        for _ in 0..40 {
            estimate.learn(2.0);
        }
        assert!((estimate.seconds() - 2.0).abs() < 0.01);
        estimate.learn(0.0);
        assert!((estimate.seconds() - 1.6).abs() < 0.01);
    }
}
