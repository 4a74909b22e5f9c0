//! `create tree`.

use super::{CommonArgs, Made};
use crate::circuit::plan::{PlanRequest, plan};
use crate::data::Dataset;
use crate::error::Result;
use crate::model::Model;
use crate::train::{self, Score, TreeParams};
use clap::Args;

#[derive(Debug, Args)]
pub struct TreeArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// Bits a feature is quantised to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// The most splits on a path [default: 6]
    #[arg(long, env = "FHECTL_MAX_DEPTH")]
    max_depth: Option<usize>,
    /// The fewest training rows of a leaf [default: one in 230 of them, or 1 where --max-depth is given]
    #[arg(long, env = "FHECTL_MIN_LEAF")]
    min_leaf: Option<usize>,
    /// The most distinct features on a path: they, not the splits, are what a path costs leaf-sum
    /// [default: 5, or no limit where --max-depth is given]
    #[arg(long, env = "FHECTL_PATH_FEATURES", value_name = "N")]
    path_features: Option<usize>,
}

impl TreeArgs {
    /// A tree that is cheap to encrypt, unless a depth is asked for: then nothing else limits it unasked.
    fn params(&self, rows: usize) -> TreeParams {
        let cheap = self.max_depth.is_none();
        let max_depth = self.max_depth.unwrap_or(6);
        TreeParams {
            max_depth,
            min_leaf: self.min_leaf.unwrap_or(if cheap { ((rows + 115) / 230).max(1) } else { 1 }),
            path_features: self.path_features.unwrap_or(if cheap { 5 } else { max_depth }),
        }
    }

    pub fn train(&self, train: &Dataset, test: &Dataset, request: &PlanRequest) -> Result<Made> {
        let params = self.params(train.len());
        let quantizer = train::fit_edges(train, self.bits)?;
        let model = Model::Tree(train::train_tree(train, &quantizer, &params)?);
        let plans = plan(&model, &quantizer, train.output(), request)?;
        Ok(Made {
            model,
            preparation: Vec::new(),
            quantizer,
            plans,
            float: Score::Accuracy(train::float_tree_accuracy(train, test, &params)?),
            score_scale: None,
            score_offset: None,
            network: None,
            options: format!(
                "{} bits a feature, depth at most {}, leaves of at least {} rows, at most {} features a path",
                self.bits, params.max_depth, params.min_leaf, params.path_features
            ),
        })
    }
}
