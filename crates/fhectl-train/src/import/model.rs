//! What is read from a file: a model in real numbers, computed as its library computes it.

use super::network::Lowered;
use fhectl_core::bundle::{Head, ScoreDecoder, ScoreUnit};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{self, ClearStep, InputSchema, Output, feature_names};

/// The most features, classes and real numbers of a model; what is larger cannot be encrypted anyway.
pub(super) const MAX_FEATURES: usize = 1 << 16;
pub(super) const MAX_CLASSES: usize = 1 << 12;
pub(super) const MAX_VALUES: usize = 1 << 24;

/// A model of another tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Which tool and kind of model, e.g. `XGBoost 3.2.0, gbtree, binary:logistic`.
    pub source: String,
    /// How a table's cells become numbers, where the model says it; else every column is a number.
    pub input: Option<InputSchema>,
    /// The number of values of a row, before preprocessing.
    pub features: usize,
    /// The names of the table's columns; empty where the file has none.
    pub feature_names: Vec<String>,
    /// Names of the classes in the order of the model's scores; none where a number is predicted.
    pub classes: Vec<String>,
    /// What the scores of classes are.
    pub unit: ScoreUnit,
    /// What is done to a row before the model sees it.
    pub preprocessing: Vec<ClearStep>,
    /// How a client makes a prediction of the model's scores, where they are more than [`Output::margins`].
    pub head: Option<Head>,
    /// Whether scores say how near a row is to rows that the model was trained on: as many answers as there are features
    /// give these rows away.
    pub reveals_training_rows: bool,
    pub model: FloatModel,
}

/// A model in real numbers. Scores are those of [`Output::margins`]: one for a number, the margin of the second class
/// for two classes, else one a class.
#[derive(Debug, Clone, PartialEq)]
pub enum FloatModel {
    Linear(Linear),
    Forest(Forest),
    Network(Box<Lowered>),
}

/// Scores `biases[s] + sum_f weights[s][f] * x[f]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    pub weights: Vec<Vec<f64>>,
    pub biases: Vec<f64>,
}

/// Scores `biases[s] + sum_t values_t[s]`, where `values_t` is the leaf that a row reaches in tree `t`.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    pub biases: Vec<f64>,
    pub trees: Vec<Tree>,
}

/// One tree over 64-bit numbers, whose leaves add one value a score; see `import::edge` for how other comparisons become
/// `x[feature] >= threshold`.
pub type Tree = model::Tree<f64, Vec<f64>>;

/// How the source of what was read as a network begins.
pub(super) const NETWORK_SOURCE: &str = "a network in ONNX from ";

impl Imported {
    /// What scores stand for.
    pub fn output(&self) -> Output {
        match &self.head {
            Some(head) => Output::Scores(head.scores as usize),
            None => self.predicts(),
        }
    }

    /// What is predicted: a class or a number.
    pub fn predicts(&self) -> Output {
        if self.classes.is_empty() { Output::Value } else { Output::Classes(self.classes.len()) }
    }

    /// What the float model's scores stand for.
    pub fn decoder(&self) -> ScoreDecoder {
        ScoreDecoder {
            scale: Some(1.0),
            head: self.head.clone(),
            ..ScoreDecoder::classes(self.classes.len(), self.unit)
        }
    }

    /// The names of the features that the model takes, after preprocessing of a row of these columns.
    pub fn names_after(&self, columns: &[String]) -> Vec<String> {
        feature_names(self.input.as_ref(), columns, &self.preprocessing)
    }

    /// How many numbers a row has as the model sees it.
    pub fn prepared_width(&self) -> usize {
        ClearStep::check_all(&self.preprocessing, self.features).unwrap_or(self.features)
    }

    /// Whether its one number may be the logit of the second of two classes instead: files of networks do not say.
    pub fn may_be_binary(&self) -> bool {
        let open = matches!(self.model, FloatModel::Network(_)) || self.source.starts_with(NETWORK_SOURCE);
        open && self.classes.is_empty() && self.head.is_none()
    }

    /// The same model with its one number as the logit of the second of these classes, as `BCEWithLogitsLoss` trains it.
    ///
    /// # Errors
    /// `import_classes` where its output is no such number, or where there are not two classes of different names.
    pub fn as_binary(mut self, classes: Vec<String>) -> Result<Self> {
        if !self.may_be_binary() || classes.len() != 2 || classes[0] == classes[1] {
            return Err(Error::new(ErrorCode::ImportClasses, "the model's output is not the logit of two classes")
                .hint("--task classify is for networks of one output without a sigmoid, and two classes"));
        }
        if let FloatModel::Network(network) = &mut self.model {
            network.output = Output::Classes(2);
        }
        self.classes = classes;
        self.unit = ScoreUnit::Logit;
        Ok(self)
    }

    /// A row as the model sees it.
    pub fn prepared(&self, row: &[f64]) -> Vec<f64> {
        ClearStep::apply_all(&self.preprocessing, row.to_vec())
    }

    /// Checks what later code relies on; every reader ends with it.
    ///
    /// # Errors
    /// `import_invalid` for shapes that do not fit and numbers that are not finite, `import_large` for what is too much.
    pub(super) fn checked(self) -> Result<Self> {
        if self.features == 0 || self.features > MAX_FEATURES {
            return Err(large(format!("{} features, want 1 to {MAX_FEATURES}", self.features)));
        }
        let columns = self.input.as_ref().map_or(self.features, |input| input.columns.len());
        if !self.feature_names.is_empty() && self.feature_names.len() != columns {
            return Err(invalid(format!("{} feature names for {columns} columns", self.feature_names.len())));
        }
        if self.classes.len() == 1 || self.classes.len() > MAX_CLASSES {
            return Err(large(format!("{} classes, want 2 to {MAX_CLASSES}", self.classes.len())));
        }
        let mut names: Vec<&String> = self.classes.iter().collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(invalid("two classes have the same name"));
        }
        if let Some(input) = &self.input {
            input.check().map_err(|error| invalid(error.message))?;
            if input.width() != self.features {
                return Err(invalid(format!("a schema of {} numbers for {} features", input.width(), self.features)));
            }
        }
        let features =
            ClearStep::check_all(&self.preprocessing, self.features).map_err(|error| invalid(error.message))?;
        if let Some(head) = &self.head {
            let made = ClearStep::check_all(&head.steps, head.scores as usize);
            if made.map_err(|error| invalid(error.message))? != self.classes.len().max(1) {
                return Err(invalid("the head does not end with one number a class"));
            }
        }
        let scores = self.output().margins();
        match &self.model {
            FloatModel::Linear(linear) => linear.check(features, scores)?,
            FloatModel::Forest(forest) => forest.check(features, scores)?,
            FloatModel::Network(network) => {
                if network.graph.inputs != features || network.graph.outputs.len() != scores {
                    return Err(invalid("the network's inputs and scores are not the model's"));
                }
            }
        }
        Ok(self)
    }
}

impl FloatModel {
    /// The scores of one prepared row.
    pub fn scores(&self, row: &[f64]) -> Vec<f64> {
        match self {
            Self::Linear(linear) => linear.scores(row),
            Self::Forest(forest) => forest.scores(row),
            Self::Network(network) => network.graph.evaluate(row),
        }
    }

    /// The margin of the second of two classes that have a score each.
    pub(super) fn margin(self) -> Self {
        let difference = |pair: &Vec<f64>| vec![pair[1] - pair[0]];
        match self {
            Self::Linear(Linear { weights, biases }) => {
                let row = weights[0].iter().zip(&weights[1]).map(|(first, second)| second - first).collect();
                Self::Linear(Linear { weights: vec![row], biases: difference(&biases) })
            }
            Self::Forest(Forest { biases, trees }) => {
                let trees = trees.into_iter().map(|tree| tree.map_leaves(|values| difference(&values))).collect();
                Self::Forest(Forest { biases: difference(&biases), trees })
            }
            // Lowered as a margin.
            Self::Network(network) => Self::Network(network),
        }
    }
}

impl Linear {
    fn scores(&self, row: &[f64]) -> Vec<f64> {
        let score = |weights: &Vec<f64>| weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        self.weights.iter().zip(&self.biases).map(|(weights, bias)| score(weights) + bias).collect()
    }

    fn check(&self, features: usize, scores: usize) -> Result<()> {
        if self.weights.len() != scores || self.biases.len() != scores {
            return Err(invalid(format!("{} rows of weights for {scores} scores", self.weights.len())));
        }
        if self.weights.iter().any(|row| row.len() != features) {
            return Err(invalid(format!("a row of weights is not of {features} features")));
        }
        if self.weights.iter().flatten().chain(&self.biases).any(|value| !value.is_finite()) {
            return Err(invalid("a weight is not a finite number"));
        }
        Ok(())
    }
}

impl Forest {
    /// The number of nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(|tree| tree.nodes().len()).sum()
    }

    fn scores(&self, row: &[f64]) -> Vec<f64> {
        let mut scores = self.biases.clone();
        for tree in &self.trees {
            scores.iter_mut().zip(tree.leaf(row)).for_each(|(score, value)| *score += value);
        }
        scores
    }

    fn check(&self, features: usize, scores: usize) -> Result<()> {
        if self.biases.len() != scores || self.biases.iter().any(|bias| !bias.is_finite()) {
            return Err(invalid(format!(
                "{} base values for {scores} scores, or one is not finite",
                self.biases.len()
            )));
        }
        if self.trees.is_empty() {
            return Err(invalid("the model has no trees"));
        }
        for tree in &self.trees {
            if let Some((feature, _)) = tree.splits().find(|(feature, _)| *feature as usize >= features) {
                return Err(invalid(format!("a split on feature {feature} of {features}")));
            }
            if tree.leaves().any(|values| values.len() != scores || values.iter().any(|value| !value.is_finite())) {
                return Err(invalid(format!("a leaf without {scores} finite values")));
            }
        }
        Ok(())
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ImportInvalid, message).hint("the file is damaged; save or export the model again")
}

pub(super) fn large(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ImportLarge, message).hint("a model of this size cannot be computed on encrypted data")
}
