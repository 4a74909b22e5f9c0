//! Trainers: from a data set to a quantizer and an integer model.
//!
//! Nothing here prints. Everything is a function of its inputs: the same rows and parameters give the
//! same model.

mod boost;
mod class_report;
mod class_weights;
mod coarse;
mod columns;
mod derivatives;
mod encoding;
mod float_forest;
mod float_linear;
mod forest;
mod glm;
mod grower;
mod growth;
mod lbfgs;
mod linear_classifier;
mod linreg;
mod logreg;
mod network;
mod quality;
mod quantize;
mod reach;
mod simulated;
mod splits;
mod standardize;
mod svm;
mod target;
mod tree;
mod weighted_logistic;

pub use boost::{BoostParams, train_boost};
pub use class_report::ClassReport;
pub use class_weights::ClassWeights;
pub use coarse::coarsen;
pub use encoding::{Encoding, EncodingStyle};
pub use float_forest::{FloatForest, FloatTree, score_forest};
pub use float_linear::FloatLinear;
pub use forest::{ForestParams, out_of_bag, train_forest, train_regression_tree};
pub use glm::{Family, Glm, GlmParams, Link, float_glm, train_glm};
pub use growth::{GrowthParams, MaxFeatures};
pub use linear_classifier::LinearClassifierParams;
pub use linreg::{LinearRegression, LinregParams, float_linreg, train_linreg};
pub use logreg::{float_logreg, train_logreg};
pub use network::{
    ActivationKind, Architecture, Augment, ConvBlock, Epoch, FloatNetwork, TrainedNetwork, TrainingParams,
    modulus_holding, train_network,
};
pub use quality::{Fit, Score, accuracy, score, score_predictions};
pub use quantize::{fit_affine, fit_edges, fit_exact, fit_pixels, quantize_rows};
pub use reach::{FeatureRange, beyond, widen, with_margin};
pub use simulated::{Simulated, SimulatedQuality, simulated};
pub use svm::{float_svm, train_svm};
pub use tree::{TreeParams, float_tree_accuracy, train_tree};

#[cfg(test)]
mod tabular_tests;
#[cfg(test)]
mod tests;
