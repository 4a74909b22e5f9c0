//! The public parameters of `Network`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::key_fact::KeyFact;
use crate::circuit::key_part::KeyPart;
use crate::circuit::tag::{TagLayout, TagNoise};
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::bootstrap::BootstrapParams;
use crate::fhe::keyswitch::KeyswitchParams;
use crate::fhe::part::PartParams;
use crate::fhe::{GlweShape, Lwe, SeededLayout, bad_parameters, disclosure, noise, public_key};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The most words of a row's inputs, once each is a ciphertext of its own: 1 GiB.
const MAX_INPUT_WORDS: usize = 1 << 28;

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkParams {
    /// One coefficient a feature; its GLWE key, flattened, is the first layer's small key.
    pub input: SeededLayout,
    /// Inputs have step `2^64 / plaintext_modulus`.
    pub plaintext_modulus: u64,
    /// The bootstraps of the first activation layer.
    pub first: StageParams,
    /// Those of all later activation layers, after a keyswitch.
    pub inner: Option<InnerParams>,
    pub scores: usize,
    /// Scores have step `2^64 / score_plaintext_modulus`.
    pub score_plaintext_modulus: u64,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

/// A bootstrap and how often it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageParams {
    pub bootstrap: BootstrapParams,
    pub activations: usize,
}

/// A keyswitch and the bootstrap after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InnerParams {
    pub keyswitch: KeyswitchParams,
    pub stage: StageParams,
}

impl NetworkParams {
    /// Points of the torus that decrypted scores are rounded to: whole steps, or fewer where a step is finer than what may be
    /// written down of ciphertexts in words of `response_bits` ([`disclosure`]).
    ///
    /// # Errors
    /// `parameters_invalid` where nothing may be.
    pub fn shown_levels(&self) -> Result<u64> {
        if self.noise_flooding.is_none() {
            // Their masks are sums that the model chose: rounding to words hides nothing of what all are multiples of.
            return Err(bad_parameters("scores of a network that are not re-randomized"));
        }
        let most = disclosure::most_levels(self.output().lwe_dimension(), self.response_bits)?;
        Ok(self.score_plaintext_modulus.min(most))
    }

    /// The score, in whole steps, that stands for a level: levels are at least a step apart.
    pub(super) fn score_of_level(&self, level: i64) -> i64 {
        let levels = self.shown_levels().map_or(1, i128::from);
        let doubled = 2 * i128::from(level) * i128::from(self.score_plaintext_modulus) + levels;
        doubled.div_euclid(2 * levels) as i64
    }

    /// The key of bootstrap outputs and answers.
    pub fn output(&self) -> GlweShape {
        self.first.bootstrap.output
    }

    pub(super) fn score_bytes(&self) -> usize {
        Lwe::wire_len(self.output().lwe_dimension(), self.response_bits)
    }
}

/// The variances of the noise at each place of a network, in turns squared: what the search keeps below the noise of
/// training, what the simulator draws and what tests measure.
impl NetworkParams {
    /// One encrypted input.
    pub fn input_variance(&self) -> f64 {
        noise::seeded_variance(self.input.shape, self.input.bits)
            + noise::narrowing_variance(self.input.shape.lwe_dimension())
    }

    /// What the modulus switch before the first layer's bootstraps adds.
    pub fn first_switch_variance(&self) -> f64 {
        noise::modulus_switch_variance(self.first.bootstrap.lwe_dimension, self.output().size)
    }

    /// A bootstrap's output after activation layer `layer`. Where answers are re-randomized, it began with a zero.
    pub fn output_variance(&self, layer: usize) -> f64 {
        let bootstrap = match self.inner {
            Some(inner) if layer > 0 => inner.stage.bootstrap,
            _ => self.first.bootstrap,
        };
        let zero = if self.noise_flooding.is_some() { public_key::zero_variance(bootstrap.output) } else { 0.0 };
        noise::bootstrap_variance(bootstrap.lwe_dimension, bootstrap.output, bootstrap.gadget())
            + zero
            + noise::narrowing_variance(bootstrap.output.lwe_dimension())
    }

    /// What keyswitch and modulus switch before a later layer's bootstraps add; 0 without later layers.
    pub fn inner_switch_variance(&self) -> f64 {
        self.inner.map_or(0.0, |inner| {
            inner.keyswitch.variance()
                + noise::modulus_switch_variance(inner.stage.bootstrap.lwe_dimension, self.output().size)
        })
    }

    /// What a sum of layer `layer` carries where its bootstrap starts, for a squared norm of its weights.
    pub fn sum_variance(&self, layer: usize, squared_norm: f64) -> f64 {
        match layer {
            0 => squared_norm * self.input_variance() + self.first_switch_variance(),
            _ => squared_norm * self.output_variance(layer - 1) + self.inner_switch_variance(),
        }
    }

    /// What re-randomizing and cutting add to a score.
    pub fn answer_variance(&self) -> f64 {
        let rerandomized = self
            .noise_flooding
            .map_or(0.0, |flooding| public_key::zero_variance(self.output()) + noise::flooding_variance(flooding));
        rerandomized + noise::answer_rounding_variance(self.output().lwe_dimension(), self.response_bits)
    }
}

impl Circuit for NetworkParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.input.shape.check()?;
        self.first.bootstrap.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        if self.input.bodies != quantizer.features.len() {
            return Err(bad_parameters(format!(
                "{} inputs for {} features",
                self.input.bodies,
                quantizer.features.len()
            )));
        }
        if self.input.bodies.saturating_mul(self.input.shape.lwe_dimension()) > MAX_INPUT_WORDS {
            return Err(bad_parameters(format!("{} inputs in {:?}", self.input.bodies, self.input.shape)));
        }
        if self.input.shape.lwe_dimension() != self.first.bootstrap.lwe_dimension {
            return Err(bad_parameters("inputs and the first bootstrap have different small keys"));
        }
        if let Some(inner) = &self.inner {
            inner.keyswitch.check()?;
            inner.stage.bootstrap.check()?;
            if inner.stage.bootstrap.output != self.output()
                || inner.keyswitch.from != self.output().lwe_dimension()
                || inner.keyswitch.to.lwe_dimension() != inner.stage.bootstrap.lwe_dimension
            {
                return Err(bad_parameters("the keys of keyswitch and bootstraps do not fit together"));
            }
        }
        for modulus in [self.plaintext_modulus, self.score_plaintext_modulus] {
            if !(4..=1 << 40).contains(&modulus) || !modulus.is_multiple_of(2) {
                return Err(bad_parameters(format!("a plaintext modulus of {modulus}")));
            }
        }
        if self.scores == 0 || (self.scores != output.classes() && self.scores != output.margins()) {
            return Err(bad_parameters(format!("{} scores for {output:?}", self.scores)));
        }
        if self.bootstraps() > 1 << 20 {
            return Err(bad_parameters(format!("{} bootstraps", self.bootstraps())));
        }
        self.shown_levels().map(drop)
    }

    fn input_layout(&self) -> SeededLayout {
        self.input
    }

    fn response_bytes(&self) -> usize {
        self.scores * self.score_bytes()
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            // Scores carry noise: there is no margin that it must keep.
            margin: 0.0,
            messages: self.scores,
            shape: self.output(),
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        None
    }

    fn bootstraps(&self) -> usize {
        self.first.activations.saturating_add(self.inner.map_or(0, |inner| inner.stage.activations))
    }

    fn keys(&self) -> Vec<KeyFact> {
        let inner = self.inner.map(|inner| KeyFact { role: "inner layers", shape: inner.keyswitch.to });
        let inputs = KeyFact { role: "inputs", shape: self.input.shape };
        let answers = KeyFact { role: "activations and answers", shape: self.output() };
        [Some(inputs), inner, Some(answers)].into_iter().flatten().collect()
    }

    fn key_parts(&self) -> Vec<KeyPart> {
        let answers = if self.inner.is_some() { 2 } else { 1 };
        let mut parts = vec![KeyPart { params: PartParams::Bootstrap(self.first.bootstrap), from: 0, to: answers }];
        if let Some(inner) = self.inner {
            parts.push(KeyPart { params: PartParams::Keyswitch(inner.keyswitch), from: answers, to: 1 });
            parts.push(KeyPart { params: PartParams::Bootstrap(inner.stage.bootstrap), from: 1, to: answers });
        }
        parts
    }

    fn tag(&self) -> Option<TagLayout> {
        let output = self.output();
        let mut look_ups = vec![TagNoise::first(self.input.shape, output)];
        if self.inner.is_some() {
            look_ups.push(self.output_variance(0) + self.inner_switch_variance());
        }
        let variance = self.output_variance(look_ups.len() - 1) + public_key::zero_variance(output);
        Some(TagNoise { look_ups, output, variance }.layout(self.input.shape))
    }

    fn noisy_score_levels(&self) -> Result<Option<u64>> {
        self.shown_levels().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::model::FeatureQuantizer;

    fn params(inputs: usize, activations: usize) -> NetworkParams {
        let output = GlweShape::new(1, 2048);
        let bootstrap = BootstrapParams { lwe_dimension: 512, output, base_log: 22, levels: 1, key_bits: 46 };
        NetworkParams {
            input: SeededLayout { shape: GlweShape::new(8, 64), bodies: inputs, bits: 12 },
            plaintext_modulus: 64,
            first: StageParams { bootstrap, activations },
            inner: None,
            scores: 1,
            score_plaintext_modulus: 64,
            response_bits: 14,
            noise_flooding: Some(1 << 50),
        }
    }

    fn quantizer(features: usize) -> Quantizer {
        Quantizer { features: vec![FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 2 }; features] }
    }

    #[test]
    fn scores_are_shown_in_whole_steps_and_no_finer_than_is_safe() {
        let shown = |score_plaintext_modulus, response_bits| {
            let output = GlweShape::new(1, 2048);
            let mut params = NetworkParams { score_plaintext_modulus, response_bits, ..params(3, 2) };
            params.first.bootstrap.output = output;
            params
        };
        let coarse = shown(494, 14);
        assert_eq!(coarse.shown_levels(), Ok(494));
        assert!((-247..247).all(|level| coarse.score_of_level(level) == level));
        // A bundle that asks for more gets no more: words of the torus are rounded together.
        for score_plaintext_modulus in [1 << 20, 1 << 40, 6000] {
            let fine = shown(score_plaintext_modulus, 14);
            let levels = fine.shown_levels().unwrap();
            assert_eq!(levels, (1 << 14) / disclosure::WORDS);
            let scores: Vec<i64> = (-(levels as i64) / 2..levels as i64 / 2).map(|l| fine.score_of_level(l)).collect();
            assert!(scores.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(scores[0], -(score_plaintext_modulus as i64) / 2);
        }
        for (bits, dimension) in [(3, 2048), (64, 2048), (14, 512)] {
            let mut unsafe_ones = shown(494, bits);
            unsafe_ones.first.bootstrap.output = GlweShape::new(1, dimension);
            assert_eq!(unsafe_ones.shown_levels().unwrap_err().code, ErrorCode::ParametersInvalid);
        }
    }

    #[test]
    fn answers_without_scores_and_inputs_beyond_memory_are_refused() {
        params(3, 2).check(&quantizer(3), Output::Value).unwrap();
        let most = MAX_INPUT_WORDS / 512;
        params(most, 2).check(&quantizer(most), Output::Value).unwrap();
        for (params, features) in [(NetworkParams { scores: 0, ..params(3, 2) }, 3), (params(most + 1, 2), most + 1)] {
            let error = params.check(&quantizer(features), Output::Value).unwrap_err();
            assert_eq!(error.code, ErrorCode::ParametersInvalid);
        }
    }

    #[cfg(feature = "evaluate")]
    #[test]
    fn tables_beyond_memory_are_refused() {
        use crate::model::{Activation, IntegerNetwork, LinearMap, MapShape, NetworkLayer};
        let layer = |inputs: usize, outputs: usize, activation| NetworkLayer {
            map: LinearMap {
                shape: MapShape::Dense { inputs, outputs },
                weights: vec![1; inputs * outputs],
                biases: vec![0; outputs],
            },
            plaintext_modulus: 64,
            noise: 0.01,
            activation,
        };
        let fit = |units: usize| {
            let step = Activation { outputs: vec![1], thresholds: vec![Vec::new(); units] };
            let network = IntegerNetwork { layers: vec![layer(1, units, Some(step)), layer(units, 1, None)] };
            network.check(&quantizer(1), Output::Value).unwrap();
            crate::circuit::network::layer_program::LayerProgram::new(&params(1, units), &network).map(drop)
        };
        fit(1000).unwrap();
        assert!(fit((1 << 18) + 1).unwrap_err().message.contains("tables"));
    }
}
