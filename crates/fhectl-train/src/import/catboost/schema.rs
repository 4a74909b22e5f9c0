//! What is read of CatBoost's JSON: the members that decide predictions.

use super::super::model::{MAX_FEATURES, invalid, large};
use super::errors::unsupported;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub features_info: Features,
    pub model_info: ModelInfo,
    /// Trees that ask the same on all nodes of a level.
    #[serde(default, deserialize_with = "nullable")]
    pub oblivious_trees: Vec<Oblivious>,
    /// Trees of other growing policies.
    #[serde(default, deserialize_with = "nullable")]
    pub trees: Vec<Nested>,
    #[serde(default)]
    pub scale_and_bias: Option<(f64, Bias)>,
}

/// What is null is left out.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One number, or one a score.
#[derive(Debug, Deserialize)]
#[serde(from = "OneOrMany")]
pub(super) struct Bias(pub Vec<f64>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(f64),
    Many(Vec<f64>),
}

impl From<OneOrMany> for Bias {
    fn from(bias: OneOrMany) -> Self {
        match bias {
            OneOrMany::One(bias) => Self(vec![bias]),
            OneOrMany::Many(biases) => Self(biases),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Features {
    #[serde(default, deserialize_with = "nullable")]
    pub float_features: Vec<FloatFeature>,
    #[serde(default, deserialize_with = "nullable")]
    pub categorical_features: Vec<CategoricalFeature>,
    #[serde(default, deserialize_with = "nullable")]
    pub cat_features_hash: Vec<HashOfText>,
    #[serde(default, deserialize_with = "nullable")]
    text_features: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "nullable")]
    embedding_features: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FloatFeature {
    pub feature_index: usize,
    /// Its place in the row.
    pub flat_feature_index: usize,
    #[serde(default, deserialize_with = "nullable")]
    feature_id: String,
    #[serde(default = "as_is")]
    pub nan_value_treatment: String,
}

fn as_is() -> String {
    "AsIs".to_owned()
}

#[derive(Debug, Deserialize)]
pub(super) struct CategoricalFeature {
    pub feature_index: usize,
    pub flat_feature_index: usize,
    #[serde(default, deserialize_with = "nullable")]
    feature_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct HashOfText {
    pub hash: u32,
    pub value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelInfo {
    #[serde(default, deserialize_with = "nullable")]
    pub class_params: ClassParams,
    pub params: Params,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ClassParams {
    #[serde(default, deserialize_with = "nullable")]
    pub class_names: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    pub loss_function: Loss,
}

#[derive(Debug, Deserialize)]
pub(super) struct Loss {
    #[serde(rename = "type")]
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Oblivious {
    /// Leaf after leaf, one number a score; bit `i` of a leaf's number is the answer of split `i`.
    pub leaf_values: Vec<f64>,
    #[serde(default)]
    pub splits: Option<Vec<Split>>,
}

/// A leaf with a value, or a split with two sides.
#[derive(Debug, Deserialize)]
pub(super) struct Nested {
    #[serde(default)]
    pub value: Option<Bias>,
    #[serde(default)]
    pub split: Option<Split>,
    #[serde(default)]
    pub left: Option<Box<Self>>,
    #[serde(default)]
    pub right: Option<Box<Self>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Split {
    pub split_type: String,
    #[serde(default)]
    pub float_feature_index: Option<usize>,
    #[serde(default)]
    pub border: Option<f64>,
    #[serde(default)]
    pub cat_feature_index: Option<usize>,
    /// The hash of a category, as a signed number.
    #[serde(default)]
    pub value: Option<i64>,
}

impl Split {
    /// The feature and the hash of a split on one category.
    pub(super) fn category(&self) -> Option<(usize, u32)> {
        (self.split_type == "OneHotFeature").then_some((self.cat_feature_index?, self.value? as u32))
    }
}

impl File {
    /// All splits.
    pub(super) fn splits(&self) -> impl Iterator<Item = &Split> {
        let oblivious = self.oblivious_trees.iter().flat_map(|tree| tree.splits.iter().flatten());
        oblivious.chain(self.trees.iter().flat_map(Nested::splits))
    }
}

impl Oblivious {
    /// How many numbers a leaf has.
    ///
    /// # Errors
    /// `import_invalid` where leaves and splits do not go together.
    pub(super) fn scores(&self) -> fhectl_core::error::Result<usize> {
        let depth = self.splits.as_ref().map_or(0, Vec::len);
        let leaves = u32::try_from(depth).ok().and_then(|depth| 1usize.checked_shl(depth)).unwrap_or(0);
        match self.leaf_values.len() {
            values if leaves > 0 && values >= leaves && values % leaves == 0 => Ok(values / leaves),
            values => Err(invalid(format!("{values} values of leaves below {depth} splits"))),
        }
    }
}

impl Nested {
    /// How many numbers a leaf has: the first that is found on the left.
    pub(super) fn scores(&self) -> usize {
        let mut node = self;
        while let Some(left) = &node.left {
            node = left;
        }
        node.value.as_ref().map_or(0, |value| value.0.len())
    }

    fn splits(&self) -> Vec<&Split> {
        let (mut found, mut open) = (Vec::new(), vec![self]);
        while let Some(node) = open.pop() {
            found.extend(&node.split);
            open.extend(node.left.as_deref());
            open.extend(node.right.as_deref());
        }
        found
    }
}

impl Features {
    /// The number of values of a row.
    ///
    /// # Errors
    /// `catboost_unsupported` for texts and embeddings, `import_invalid` for features that do not fill a row.
    pub(super) fn check(&self) -> fhectl_core::error::Result<usize> {
        if !self.text_features.is_empty() || !self.embedding_features.is_empty() {
            return Err(unsupported("features of texts or embeddings").hint("train without text_features"));
        }
        let floats = self.float_features.iter().map(|feature| feature.flat_feature_index);
        let mut places: Vec<usize> =
            floats.chain(self.categorical_features.iter().map(|feature| feature.flat_feature_index)).collect();
        places.sort_unstable();
        if places.len() > MAX_FEATURES {
            return Err(large(format!("{} features, at most {MAX_FEATURES}", places.len())));
        }
        if places.is_empty() || places.iter().enumerate().any(|(index, place)| index != *place) {
            return Err(invalid("the features do not fill a row"));
        }
        Ok(places.len())
    }

    /// The names of a row's columns; empty where they only say the place.
    pub(super) fn names(&self, features: usize) -> Vec<String> {
        let mut names = vec![String::new(); features];
        let floats = self.float_features.iter().map(|feature| (feature.flat_feature_index, &feature.feature_id));
        let categorical =
            self.categorical_features.iter().map(|feature| (feature.flat_feature_index, &feature.feature_id));
        for (place, name) in floats.chain(categorical) {
            names[place].clone_from(name);
        }
        let place = |(index, name): (usize, &String)| name.is_empty() || *name == index.to_string();
        if names.iter().enumerate().all(place) { Vec::new() } else { names }
    }
}
