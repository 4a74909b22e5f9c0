//! `create qnn`, `create mlp`, `create cnn`.

use super::class_weight::{ClassWeightArgs, with_weights};
use super::common::{CommonArgs, TaskArgs};
use super::compiled_model::{CompiledModel, NetworkExtras};
use super::defaults::Defaults;
use super::layers::{Convs, Widths, parse_image};
use super::network_kind::NetworkKind;
use clap::{Args, ValueEnum};
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::CircuitKind;
use fhectl_core::circuit::input_bits::widths;
use fhectl_core::circuit::network::params_search::{Outline, check_outline};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::table;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Model, Output};
use fhectl_train::data::{Dataset, ImageShape};
use fhectl_train::train::{self, ActivationKind, Architecture, Augment, ClassWeights, TrainingParams};

/// The most that a later unit's weights may amount to: what comes out of a bootstrap is clean enough for it.
const LATER_NORM: f64 = 60.0;

/// `--activation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActivationChoice {
    /// 0 to 2^bits - 1
    Relu,
    /// -1 or 1
    Sign,
    /// A line cut off at both ends
    Tanh,
}

#[derive(Debug, Args)]
pub struct DenseArgs {
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct CnnArgs {
    /// Convolutions as FILTERS@HEIGHTxWIDTH[/STRIDE][+PADDING][pPOOL], e.g. 8@6x6/3 or 4@3x3+1p2,8@3x3; pPOOL averages
    /// POOLxPOOL neighbors before the activation [default: 8@6x6/3 on 28x28, 10@4x4/2 on 8x8]
    #[arg(long, env = "FHECTL_CONV", value_name = "LAYERS")]
    pub conv: Option<Convs>,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    class_weight: ClassWeightArgs,
    /// Units of each dense hidden layer, e.g. 64,32, or none; each is a bootstrap [default: 64; 8 for up to 16 features;
    /// 32,16 for numbers; none after convolutions on small images]
    #[arg(long, env = "FHECTL_HIDDEN", value_name = "UNITS")]
    hidden: Option<Widths>,
    /// The activation of all hidden layers [default: relu on images and for numbers, else tanh]
    #[arg(long, env = "FHECTL_ACTIVATION", value_enum)]
    activation: Option<ActivationChoice>,
    /// Bits a feature is quantized to (1 to 16) [default: 4, for numbers 5]
    #[arg(long, env = "FHECTL_BITS", value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: Option<u32>,
    /// Bits of a signed weight (2 to 8) [default: 4, mlp: 3, for numbers 6]
    #[arg(long, env = "FHECTL_WEIGHT_BITS", value_name = "BITS")]
    weight_bits: Option<u32>,
    /// Bits of an activation (1 to 8) [default: 3, for numbers 5]
    #[arg(long, env = "FHECTL_ACTIVATION_BITS", value_name = "BITS")]
    activation_bits: Option<u32>,
    /// The most that a first-layer unit's weights may amount to (Euclidean norm): the smaller, the cheaper encrypted
    /// [default: 22, for numbers 40]
    #[arg(long, env = "FHECTL_WEIGHT_NORM", value_name = "NORM")]
    weight_norm: Option<f64>,
    /// Passes over the training rows with rounding and noise; half as many in floats come before [default: by the number
    /// of rows, 100 at most]
    #[arg(long, env = "FHECTL_EPOCHS")]
    epochs: Option<usize>,
    /// Rows a step [default: 128; 32 below 10,000 rows, 16 below 500]
    #[arg(long, env = "FHECTL_BATCH_SIZE", value_name = "ROWS")]
    batch_size: Option<usize>,
    /// Adam's highest step [default: 0.006; below 10,000 rows 0.01 on images and for numbers,
    /// else 0.02; for numbers of fewer than 500 rows 0.003]
    #[arg(long, env = "FHECTL_LEARNING_RATE", value_name = "STEP")]
    learning_rate: Option<f64>,
    /// Stop after so many epochs without a better one on validation rows [default: half the epochs]
    #[arg(long, env = "FHECTL_PATIENCE", value_name = "EPOCHS")]
    patience: Option<usize>,
    /// The circuit's noise on sums before an activation, that training draws, in turns (fractions of the plaintext modulus); encrypted inference is
    /// allowed five sixths of it, so the less, the larger the keys [default: 0.006]
    #[arg(long, env = "FHECTL_NOISE", value_name = "TURNS")]
    noise: Option<f64>,
    /// The same on scores, of which half is allowed [default: 0.004]
    #[arg(long, env = "FHECTL_SCORE_NOISE", value_name = "TURNS")]
    score_noise: Option<f64>,
    /// Move images a little at random while training (the default on images)
    #[arg(long, env = "FHECTL_AUGMENT", overrides_with = "no_augment")]
    augment: bool,
    /// Show images as they are
    #[arg(long, env = "FHECTL_NO_AUGMENT")]
    no_augment: bool,
    /// That rows are images: HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, row after row, channels innermost
    #[arg(long, env = "FHECTL_IMAGE", value_name = "SIZE", value_parser = parse_image)]
    image: Option<ImageShape>,
    /// Write the trained weights as safetensors files beside the bundle; they are the model, keep them private
    #[arg(long, env = "FHECTL_SAVE_WEIGHTS")]
    save_weights: bool,
}

impl NetworkArgs {
    pub fn train(
        &self,
        kind: NetworkKind,
        convs: Option<&Convs>,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        tell: &dyn Fn(String),
    ) -> Result<CompiledModel> {
        let image = self.image.or(train.image);
        if kind == NetworkKind::Cnn && image.is_none() {
            return Err(Error::new(
                ErrorCode::ImageMissing,
                format!("`{}` does not say that its rows are images", train.name),
            )
            .hint("give their size as --image HEIGHTxWIDTHxCHANNELS, or use `fhectl create mlp`"));
        }
        let output = train.output();
        let defaults =
            Defaults::new(kind, image, train.features.len(), train.len()).predicting(output, image.is_some());
        let architecture = self.architecture(&defaults, convs, image);
        let params = self.params(&defaults, image, self.class_weight.of(train)?);
        let bits = self.bits.unwrap_or(defaults.bits);
        let grain = self.common.grain();
        let quantizer = if image.is_some() { grain.pixels(train, bits)? } else { grain.affine(train, bits)? };
        let features = train.features.len();
        let outline = Outline {
            features,
            widths: architecture.widths(features, output.classes().max(1))?,
            first_norm: params.first_norm,
            noise: params.allowed_noise(),
            score_noise: params.allowed_score_noise(),
        };
        // What no keys can carry is said before minutes of training, unless a table may carry it.
        let fits_table = widths(&quantizer).iter().sum::<u32>() as usize <= table::MAX_BITS;
        if request.circuit == Some(CircuitKind::Network) || !fits_table {
            check_outline(&outline)?;
        }
        let mut trained = train::train_network(train, &quantizer, &architecture, &params, &mut |epoch| {
            tell(format!(
                "training {}, epoch {} of {}: loss {:.4}, validation {} {:.4}",
                if epoch.quantized { "with rounding and noise" } else { "in floats" },
                epoch.epoch,
                epoch.epochs,
                epoch.loss,
                if output == Output::Value { "R2" } else { "accuracy" },
                epoch.validation_accuracy
            ));
        })?;
        tell("measuring".into());
        let float = trained.float_score(test, &quantizer)?;
        let model = Model::Network(trained.model.clone());
        let plans = plan(&model, &quantizer, train.output(), request)?;
        let options = format!(
            "{bits} bits a feature, {} a weight, {} an activation, {} activations; trained with noise of {} turns and \
             best of at most {} epochs on {} validation rows: {:.4}",
            params.weight_bits,
            architecture.activation_bits,
            trained.model.activations(),
            params.noise,
            params.epochs,
            trained.validation_rows,
            trained.validation_accuracy
        );
        let options = with_weights(options, &params.class_weights, train);
        Ok(CompiledModel {
            could_weigh_classes: params.class_weights.is_even() && train.output() != Output::Value,
            score_scale: Some(trained.score_scale),
            score_offset: trained.score_offset,
            score_unit: ScoreUnit::Logit,
            network: Some(NetworkExtras { trained, save_weights: self.save_weights }),
            ..CompiledModel::new(model, quantizer, plans, float, options)
        })
    }

    fn architecture(&self, defaults: &Defaults, convs: Option<&Convs>, image: Option<ImageShape>) -> Architecture {
        Architecture {
            image,
            convs: convs.map_or_else(|| defaults.convs.clone(), |convs| convs.0.clone()),
            hidden: self.hidden.as_ref().map_or_else(|| defaults.hidden.clone(), |hidden| hidden.0.clone()),
            activation: match self.activation {
                None => defaults.activation,
                Some(ActivationChoice::Relu) => ActivationKind::Relu,
                Some(ActivationChoice::Sign) => ActivationKind::Sign,
                Some(ActivationChoice::Tanh) => ActivationKind::Tanh,
            },
            activation_bits: self.activation_bits.unwrap_or(defaults.activation_bits),
        }
    }

    fn params(&self, defaults: &Defaults, image: Option<ImageShape>, class_weights: ClassWeights) -> TrainingParams {
        let epochs = self.epochs.unwrap_or(defaults.epochs);
        TrainingParams {
            weight_bits: self.weight_bits.unwrap_or(defaults.weight_bits),
            first_norm: self.weight_norm.unwrap_or(defaults.weight_norm),
            epochs,
            batch_size: self.batch_size.unwrap_or(defaults.batch_size),
            learning_rate: self.learning_rate.unwrap_or(defaults.learning_rate),
            patience: self.patience.unwrap_or(epochs.div_ceil(2)),
            later_norm: LATER_NORM,
            noise: self.noise.unwrap_or(defaults.noise),
            score_noise: self.score_noise.unwrap_or(defaults.score_noise),
            augment: image.filter(|_| self.augment || !self.no_augment).map(Augment::for_image),
            jitter: defaults.jitter,
            label_smoothing: defaults.label_smoothing,
            class_weights,
            seed: self.common.seed,
        }
    }
}
