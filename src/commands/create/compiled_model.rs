//! A model that was made, with all that `create` knows of it.

use fhectl_core::bundle::{Head, ScoreDecoder, ScoreUnit};
use fhectl_core::circuit::plan::Plan;
use fhectl_core::model::{ClearStep, InputSchema, Model, Quantizer};
use fhectl_train::train::{Family, Score, TrainedNetwork};

/// A model that was made and has a circuit.
pub struct CompiledModel {
    pub model: Model,
    /// How a table's cells become numbers; `None` where they are numbers.
    pub input: Option<InputSchema>,
    /// What is done to rows before they are quantized; `quantizer` and all figures are of rows after it.
    pub preprocessing: Vec<ClearStep>,
    pub quantizer: Quantizer,
    /// The circuits that fit, the chosen one first.
    pub plans: Vec<Plan>,
    /// The float model's score on the test rows.
    pub float: Score,
    /// What an integer score is worth as a logit or in the target's unit.
    pub score_scale: Option<f64>,
    /// What is added to a predicted number.
    pub score_offset: Option<f64>,
    /// What scores of classes are.
    pub score_unit: ScoreUnit,
    /// How a client makes a prediction of the scores, where it computes more than the unit says.
    pub head: Option<Head>,
    /// What it was made with, for the card.
    pub options: String,
    /// How far features reach, of linear models, for a person.
    pub reach: Option<String>,
    /// What predictions are judged by beside squared errors.
    pub deviance: Option<Deviance>,
    /// Whether rows of rare classes could have counted more.
    pub could_weigh_classes: bool,
    /// What a network's training left beside the model.
    pub network: Option<NetworkExtras>,
}

impl CompiledModel {
    /// A model of classes whose integer scores are all there is to say.
    pub fn new(model: Model, quantizer: Quantizer, plans: Vec<Plan>, float: Score, options: String) -> Self {
        Self {
            model,
            input: None,
            preprocessing: Vec::new(),
            quantizer,
            plans,
            float,
            score_scale: None,
            score_offset: None,
            score_unit: ScoreUnit::default(),
            head: None,
            options,
            reach: None,
            deviance: None,
            could_weigh_classes: false,
            network: None,
        }
    }

    /// What its scores stand for; 0 `classes` where a number is predicted.
    pub fn decoder(&self, classes: usize) -> ScoreDecoder {
        ScoreDecoder {
            classes,
            scale: self.score_scale,
            offset: self.score_offset,
            unit: self.score_unit,
            head: self.head.clone(),
        }
    }
}

/// What a generalized linear model's predictions are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Deviance {
    pub family: Family,
    /// The share of the deviance that the float model explains of the test rows.
    pub float: f64,
}

/// What a network has beside what every model has.
pub struct NetworkExtras {
    pub trained: TrainedNetwork,
    pub save_weights: bool,
}
