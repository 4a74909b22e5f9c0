//! What controls training, and its limits.

use super::super::class_weights::ClassWeights;
use super::augment::Augment;
use super::modulus::check_noise;
use fhectl_core::error::{Error, ErrorCode, Result};

/// Training parameters beside the architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingParams {
    /// Signed weights of so many bits: `|w| < 2^(weight_bits - 1)`.
    pub weight_bits: u32,
    /// The most a channel's weights of the first layer may amount to (their Euclidean norm, before rounding). Noise of
    /// fresh ciphertexts grows with it, and with that the key.
    pub first_norm: f64,
    /// The same of later layers, whose inputs are fresh from a bootstrap.
    pub later_norm: f64,
    /// Passes over the training rows with rounding and noise; half as many without come before.
    pub epochs: usize,
    pub batch_size: usize,
    /// Adam's highest step; it falls along a cosine.
    pub learning_rate: f64,
    /// Ends a phase after so many epochs that were no better.
    pub patience: usize,
    /// The circuit's noise on every sum before an activation, a standard deviation in turns.
    pub noise: f64,
    /// The same on the scores.
    pub score_noise: f64,
    /// How much of the target is spread over all classes.
    pub label_smoothing: f64,
    /// Random moves of images; `None` for none.
    pub augment: Option<Augment>,
    /// Normal noise on the inputs while training, in steps of the quantizer's grid: keeps few rows from being learned by
    /// heart.
    pub jitter: f64,
    /// How much rows of each class count.
    pub class_weights: ClassWeights,
    /// Seeds the validation rows, the initial weights, the order, noise and moves.
    pub seed: u64,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self {
            weight_bits: 4,
            first_norm: 24.0,
            later_norm: 60.0,
            epochs: 60,
            batch_size: 128,
            learning_rate: 0.004,
            patience: 30,
            noise: 0.006,
            score_noise: 0.004,
            label_smoothing: 0.05,
            augment: None,
            jitter: 0.0,
            class_weights: ClassWeights::default(),
            seed: 42,
        }
    }
}

impl TrainingParams {
    /// The largest integer weight.
    pub(super) fn top(&self) -> f64 {
        f64::from((1u32 << (self.weight_bits - 1)) - 1)
    }

    /// The noise that encrypted inference is allowed before an activation: less than training saw, so that
    /// rows near a boundary keep their class more often.
    pub fn allowed_noise(&self) -> f64 {
        self.noise * 5.0 / 6.0
    }

    /// The same at the scores, where half costs no larger key.
    pub fn allowed_score_noise(&self) -> f64 {
        self.score_noise / 2.0
    }

    /// # Errors
    /// `weight_bits`, `noise_range`, `training_params` naming the value that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        if !(2..=8).contains(&self.weight_bits) {
            return Err(Error::new(
                ErrorCode::WeightBits,
                format!("weights of {} bits, want 2 to 8", self.weight_bits),
            )
            .hint("try `--weight-bits 4`"));
        }
        check_noise(self.noise)?;
        check_noise(self.score_noise).map_err(|error| error.context("scores"))?;
        let wrong = |what: String| Err(Error::new(ErrorCode::TrainingParams, what).hint("see `fhectl create --help`"));
        if self.epochs == 0 || self.epochs > 100_000 || self.patience == 0 {
            return wrong(format!("{} epochs with a patience of {}", self.epochs, self.patience));
        }
        if !(2..=1 << 16).contains(&self.batch_size) {
            return wrong(format!("batches of {} rows, want 2 to 65536", self.batch_size));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return wrong(format!("a learning rate of {}", self.learning_rate));
        }
        if !(0.0..0.9).contains(&self.label_smoothing) {
            return wrong(format!("a label smoothing of {}", self.label_smoothing));
        }
        if !(0.0..=100.0).contains(&self.jitter) {
            return wrong(format!("a jitter of {} steps", self.jitter));
        }
        let norm = |norm: f64| (1.0..=1e4).contains(&norm);
        if !norm(self.first_norm) || !norm(self.later_norm) {
            return wrong(format!("weight norms of {} and {}, want 1 to 10000", self.first_norm, self.later_norm));
        }
        Ok(())
    }
}
