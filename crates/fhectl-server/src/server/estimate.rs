//! What work is expected to take: predicted from the circuit's parameters until it was measured.

use fhectl_core::circuit::CircuitSpec;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of a new measurement goes into the average.
const WEIGHT: f64 = 0.2;
/// What everything takes at least: reading a request, writing an answer, changing threads.
const LEAST: f64 = 50e-6;
/// Seconds of reading a megabyte of evaluation key: hashing, unpacking, transforms.
const KEY_MEGABYTE_READ_SECONDS: f64 = 0.02;

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
        let key = circuit.key_bytes() as f64 * 1e-6 * KEY_MEGABYTE_READ_SECONDS;
        Self {
            row: Estimate::new(circuit.row_seconds()),
            tag: Estimate::new(circuit.tag_seconds()),
            key: Estimate::new(key),
        }
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
