//! The lines of `Network` in a model card.

use super::params::{NetworkParams, StageParams};
use crate::circuit::traits::{Circuit, CircuitCard, NoiseClaim};
use crate::model::Output;

impl CircuitCard for NetworkParams {
    fn parameters(&self) -> String {
        let inner = self.inner.map_or(String::new(), |inner| {
            let keyswitch = &inner.keyswitch;
            format!(
                "; keyswitch to n={}, base 2^{}, {} level(s), {} key bits; {}",
                keyswitch.to.lwe_dimension(),
                keyswitch.base_log,
                keyswitch.levels,
                keyswitch.key_bits,
                bootstraps(&inner.stage)
            )
        });
        format!(
            "{}{inner}; plaintext modulus of the inputs {}, {} input bits, of the scores {}, {} answer bits on the wire",
            bootstraps(&self.first),
            self.plaintext_modulus,
            self.input.bits,
            self.score_plaintext_modulus,
            self.response_bits
        )
    }

    fn noise_claim(&self) -> NoiseClaim {
        NoiseClaim::Heuristic
    }

    fn leakage(&self, _: Output) -> String {
        format!(
            "the scores, with noise, rounded; from the public parameters: {} bootstraps{}, bounds on the weights' norms, and how far \
             the first layer's sums and the scores reach on the training rows",
            self.bootstraps(),
            self.inner.map_or(String::new(), |inner| format!(
                ", {} of them in the first layer",
                self.bootstraps() - inner.stage.activations
            ))
        )
    }
}

fn bootstraps(stage: &StageParams) -> String {
    let bootstrap = &stage.bootstrap;
    format!(
        "{} bootstraps of n={}, k={}, N={}, base 2^{}, {} level(s), {} key bits",
        stage.activations,
        bootstrap.lwe_dimension,
        bootstrap.output.dimension,
        bootstrap.output.size,
        bootstrap.base_log,
        bootstrap.levels,
        bootstrap.key_bits
    )
}
