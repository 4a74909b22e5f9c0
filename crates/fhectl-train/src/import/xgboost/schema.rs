//! What is read of XGBoost's files: the fields of its JSON schema that decide predictions.
//!
//! Fields are required where a file would lie without them, so that a small file cannot become large structures.

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use std::fmt;

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub learner: Learner,
    #[serde(default)]
    pub version: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub feature_names: Vec<String>,
    pub gradient_booster: Booster,
    pub learner_model_param: Params,
    pub objective: Objective,
}

/// What the scikit-learn interface leaves behind.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Attributes {
    #[serde(default)]
    pub scikit_learn: Option<IgnoredAny>,
    #[serde(default)]
    pub best_iteration: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    pub base_score: BaseScore,
    pub num_class: Number,
    pub num_feature: Number,
    #[serde(default)]
    pub num_target: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Objective {
    pub name: String,
}

/// `gbtree` and `gblinear` hold a model, `dart` a `gbtree` and weights.
#[derive(Debug, Deserialize)]
pub(super) struct Booster {
    pub name: String,
    #[serde(default)]
    pub model: Option<Model>,
    #[serde(default)]
    pub gbtree: Option<Box<Booster>>,
    #[serde(default)]
    pub weight_drop: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub trees: Vec<Tree>,
    #[serde(default)]
    pub tree_info: Vec<i32>,
    #[serde(default)]
    pub gbtree_model_param: Option<ForestParam>,
    /// The categories of features, since version 3.1.
    #[serde(default)]
    pub cats: Option<Cats>,
    /// Of `gblinear`: feature after feature one number a score, the biases last.
    #[serde(default)]
    pub weights: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ForestParam {
    #[serde(default)]
    pub num_parallel_tree: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    pub left_children: Vec<i32>,
    pub right_children: Vec<i32>,
    pub split_indices: Vec<u32>,
    /// Thresholds of splits and values of leaves.
    pub split_conditions: Vec<f32>,
    #[serde(default)]
    pub split_type: Vec<u8>,
    /// Where missing values go.
    #[serde(default)]
    pub default_left: Vec<Flag>,
    /// The nodes that split on categories; of each where its own begin in `categories`, and how many they are.
    #[serde(default)]
    pub categories_nodes: Vec<i32>,
    #[serde(default)]
    pub categories_segments: Vec<Number>,
    #[serde(default)]
    pub categories_sizes: Vec<Number>,
    #[serde(default)]
    pub categories: Vec<i32>,
    pub tree_param: TreeParam,
}

/// What the codes of categories stand for: a list a feature, empty for numbers.
#[derive(Debug, Deserialize)]
pub(super) struct Cats {
    #[serde(default)]
    pub enc: Vec<Encoding>,
}

/// Numbers, or texts as bytes where there are offsets: one more of these than texts.
#[derive(Debug, Deserialize)]
pub(super) struct Encoding {
    #[serde(default)]
    pub offsets: Option<Vec<Number>>,
    #[serde(default)]
    pub values: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeParam {
    #[serde(default)]
    pub size_leaf_vector: Option<Number>,
}

/// Yes or no, as such or as 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("yes or no")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_u64<E: Error>(self, flag: u64) -> Result<Flag, E> {
                Ok(Flag(flag != 0))
            }

            fn visit_i64<E: Error>(self, flag: i64) -> Result<Flag, E> {
                Ok(Flag(flag != 0))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// A count, which XGBoost writes as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub usize);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom("a count that is none"))
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Number, E> {
                usize::try_from(count).map(Number).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, count: i64) -> Result<Number, E> {
                usize::try_from(count).map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// The base score, one for all scores or one each: `"5E-1"` before version 3.1, `"[5E-1,2E-1]"` since.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BaseScore(pub Vec<f64>);

impl<'de> Deserialize<'de> for BaseScore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = BaseScore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a base score")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<BaseScore, E> {
                let list = text.trim().trim_start_matches('[').trim_end_matches(']');
                // XGBoost holds it in 32 bits.
                let number = |part: &str| part.trim().parse::<f32>().map(f64::from);
                list.split(',')
                    .map(number)
                    .collect::<Result<_, _>>()
                    .map(BaseScore)
                    .map_err(|_| E::custom("a base score that is no number"))
            }

            fn visit_f64<E: Error>(self, score: f64) -> Result<BaseScore, E> {
                Ok(BaseScore(vec![score]))
            }

            fn visit_u64<E: Error>(self, score: u64) -> Result<BaseScore, E> {
                Ok(BaseScore(vec![score as f64]))
            }

            fn visit_i64<E: Error>(self, score: i64) -> Result<BaseScore, E> {
                Ok(BaseScore(vec![score as f64]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BaseScore, A::Error> {
                let mut scores = Vec::new();
                while let Some(score) = list.next_element()? {
                    scores.push(score);
                }
                Ok(BaseScore(scores))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
