//! The training loop: first in floats, then with rounding and the circuit's noise.

use super::super::quality::{Fit, Score};
use super::adam::Adam;
use super::aim::Aim;
use super::architecture::Architecture;
use super::export::{Exported, export};
use super::float::{FloatNetwork, Snapshot, failed};
use super::layers::Pass;
use super::noise::Noise;
use super::params::TrainingParams;
use super::samples::{Moves, Samples};
use crate::data::Dataset;
use crate::data::random::Random;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{IntegerNetwork, Quantizer};

/// The share of training rows that choose the best epoch: enough to tell, not more than is needed.
const VALIDATION: f64 = 0.15;
const VALIDATION_ROWS: f64 = 4000.0;
/// Judgments of validation rows, at least: few rows are judged again under other noise.
const JUDGED: usize = 1000;
/// Steps of Adam at the beginning over which the learning rate rises.
const WARM_UP: usize = 100;

/// How training stands after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Rounding and noise are in it.
    pub quantized: bool,
    /// From 1.
    pub epoch: usize,
    pub epochs: usize,
    /// The mean over the epoch's batches.
    pub loss: f64,
    /// For numbers R2.
    pub validation_accuracy: f64,
    /// Of the epoch that is the best so far.
    pub best_accuracy: f64,
}

/// What training gives.
pub struct TrainedNetwork {
    pub model: IntegerNetwork,
    /// The same architecture trained without rounding and noise, from which the other started.
    pub float: FloatNetwork,
    /// The parameters that were rounded.
    pub(super) rounded: FloatNetwork,
    /// What one step of a score is worth as a logit, or in the target's unit.
    pub score_scale: f64,
    /// What is added to a number; `None` for classes.
    pub score_offset: Option<f64>,
    /// The mean and the deviation of the training rows' numbers, which the float network says numbers in.
    unit: Option<(f64, f64)>,
    /// Of the best epoch, with rounding and noise; for numbers R2.
    pub validation_accuracy: f64,
    pub validation_rows: usize,
}

impl TrainedNetwork {
    /// The float network's score on rows without any rounding.
    ///
    /// # Errors
    /// `row_shape` where the rows are others than trained on.
    pub fn float_score(&mut self, data: &Dataset, quantizer: &Quantizer) -> Result<Score> {
        let Some((mean, deviation)) = self.unit else {
            return Ok(Score::Accuracy(self.float.accuracy(data, quantizer)?));
        };
        let outputs = self.float.outputs(data, quantizer)?;
        let predicted: Vec<f64> = outputs.iter().map(|row| mean + deviation * f64::from(row[0])).collect();
        Ok(Score::Fit(Fit::of(&predicted, &data.values)))
    }
}

/// Trains a quantized network on `data` as `quantizer` shows it.
///
/// Same rows, parameters and kind of processor give the same network, whatever the number of threads.
///
/// # Errors
/// Those of [`Dataset::check_trainable`], of the architecture and of the parameters, `validation_rows` where there are
/// too few rows to keep some for validation, `training_diverged`.
pub fn train_network(
    data: &Dataset,
    quantizer: &Quantizer,
    architecture: &Architecture,
    params: &TrainingParams,
    progress: &mut dyn FnMut(&Epoch),
) -> Result<TrainedNetwork> {
    params.check()?;
    let aim = Aim::of(data, &params.class_weights)?;
    let (features, scores) = (quantizer.features.len(), aim.scores());
    let mut float = FloatNetwork::new(architecture, params, features, scores)?;
    data.check_trainable()?;
    let share = VALIDATION.min(VALIDATION_ROWS / data.len() as f64);
    let (train, validation) = aim.split(data.len(), share, params.seed)?;
    let samples = Samples::new(data, quantizer)?;
    float.without(&samples.constants(&train)).map_err(failed)?;
    let noise = Noise::new(params.seed ^ 0x7012);
    let mut fit = Trainer { samples, aim, train, validation, architecture, params, noise };

    fit.phase(&mut float, false, params.epochs.div_ceil(2), progress)?;
    let mut rounded = FloatNetwork::new(architecture, params, features, scores)?;
    rounded.restore(&float.snapshot().map_err(failed)?).map_err(failed)?;
    let validation_accuracy = fit.phase(&mut rounded, true, params.epochs, progress)?;
    let validation_rows = fit.validation.len();
    let unit = match fit.aim {
        Aim::Values { mean, deviation, .. } => Some((mean, deviation)),
        Aim::Classes { .. } => None,
    };
    drop(fit);

    let Exported { mut model, scale, middle } = export(&rounded, data, quantizer)?;
    let score_scale = unit.map_or(scale, |(_, deviation)| scale * deviation);
    let score_offset = unit.map(|(mean, _)| mean + score_scale * middle as f64);
    for layer in &mut model.layers {
        layer.noise = if layer.activation.is_some() { params.allowed_noise() } else { params.allowed_score_noise() };
    }
    Ok(TrainedNetwork { model, float, rounded, score_scale, score_offset, unit, validation_accuracy, validation_rows })
}

struct Trainer<'a> {
    samples: Samples,
    aim: Aim,
    train: Vec<usize>,
    validation: Vec<usize>,
    architecture: &'a Architecture,
    params: &'a TrainingParams,
    noise: Noise,
}

impl Trainer<'_> {
    /// Trains for so many epochs at most and leaves the network at its best; returns that epoch's validation accuracy.
    fn phase(
        &mut self,
        network: &mut FloatNetwork,
        quantized: bool,
        epochs: usize,
        progress: &mut dyn FnMut(&Epoch),
    ) -> Result<f64> {
        let params = self.params;
        let mut optimizer = Adam::new(network.vars(), params.learning_rate).map_err(failed)?;
        let mut random = Random::new(params.seed.wrapping_mul(2).wrapping_add(u64::from(quantized)));
        let mut order = self.train.clone();
        let steps_an_epoch = order.len().div_ceil(params.batch_size);
        // Loss, accuracy, epoch: the loss tells more than the accuracy of a few rows.
        let mut best: Option<(f64, f64, usize, Snapshot)> = None;
        for epoch in 0..epochs {
            random.shuffle(&mut order);
            network.rescale().map_err(failed)?;
            let moves_seed = random.next();
            let mut total = 0.0;
            for (index, batch) in order.chunks(params.batch_size).enumerate() {
                let step = epoch * steps_an_epoch + index;
                let done = step as f64 / (epochs * steps_an_epoch) as f64;
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
                let rise = ((step + 1) as f64 / WARM_UP as f64).min(1.0);
                optimizer.learning_rate = params.learning_rate * rise * (0.002 + 0.998 * cosine);
                total += self.step(network, &mut optimizer, batch, quantized, moves_seed).map_err(failed)?;
            }
            let loss = total / steps_an_epoch as f64;
            let (accuracy, judged) = self.validate(network, quantized).map_err(failed)?;
            if !loss.is_finite() || !judged.is_finite() {
                return Err(Error::new(
                    ErrorCode::TrainingDiverged,
                    format!("the loss is {loss} after epoch {}", epoch + 1),
                )
                .hint("lower `--learning-rate`"));
            }
            let better = best.as_ref().is_none_or(|best| judged < best.0);
            if better {
                best = Some((judged, accuracy, epoch, network.snapshot().map_err(failed)?));
            }
            let (best_accuracy, since) = best.as_ref().map_or((0.0, 0), |best| (best.1, epoch - best.2));
            let epoch = epoch + 1;
            progress(&Epoch { quantized, epoch, epochs, loss, validation_accuracy: accuracy, best_accuracy });
            if since >= params.patience {
                break;
            }
        }
        let (_, accuracy, _, snapshot) = best.expect("there is an epoch");
        network.restore(&snapshot).map_err(failed)?;
        Ok(accuracy)
    }

    fn step(
        &mut self,
        network: &mut FloatNetwork,
        optimizer: &mut Adam,
        batch: &[usize],
        quantized: bool,
        seed: u64,
    ) -> candle_core::Result<f64> {
        let augment = self.params.augment.zip(self.architecture.image);
        let moves = Some(Moves { augment, jitter: self.params.jitter, seed });
        let inputs = self.samples.batch(batch, quantized, moves)?;
        let targets = self.aim.targets(batch, self.params.label_smoothing)?;
        let noise = quantized.then_some(&mut self.noise);
        let logits = network.forward(&inputs, &mut Pass { quantized, training: true, noise })?;
        let loss = self.aim.loss(&logits, &targets)?;
        optimizer.step(&loss)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    /// Accuracy and loss on the validation rows.
    fn validate(&mut self, network: &mut FloatNetwork, quantized: bool) -> candle_core::Result<(f64, f64)> {
        let rounds = if quantized { JUDGED.div_ceil(self.validation.len()) } else { 1 };
        // The same noise every epoch: epochs are compared.
        let mut noise = Noise::new(self.params.seed ^ 0x3a1d);
        let noise = quantized.then_some(&mut noise);
        let rows = self.validation.repeat(rounds);
        network.judge(&self.samples, &self.aim, &rows, &mut Pass { quantized, training: false, noise })
    }
}
