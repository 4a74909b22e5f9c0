//! What features are in a table.

use super::super::categories::Categories;
use super::super::model::invalid;
use super::errors::unsupported;
use super::schema::{self, Features};
use fhectl_core::error::Result;
use std::collections::BTreeMap;

/// What a model's features are in a table.
pub(super) struct Columns {
    /// Of each number of the row, what the categories are that splits name.
    pub categories: Vec<Option<Categories>>,
    /// For each feature of numbers its place in the row, and whether missing values go above every border.
    pub floats: BTreeMap<usize, (u32, bool)>,
    /// For each feature of categories its place in the row, and its hashes in the order of codes.
    pub hashes: BTreeMap<usize, (u32, Vec<u32>)>,
}

impl Columns {
    pub fn of<'a>(info: &Features, features: usize, splits: impl Iterator<Item = &'a schema::Split>) -> Result<Self> {
        let high = |treatment: &str| match treatment {
            "AsTrue" => Ok(true),
            "AsIs" | "AsFalse" => Ok(false),
            other => Err(unsupported(format!("missing values treated as {}", other.escape_debug()))),
        };
        let float = |feature: &schema::FloatFeature| {
            Ok((feature.feature_index, (feature.flat_feature_index as u32, high(&feature.nan_value_treatment)?)))
        };
        let floats = info.float_features.iter().map(float).collect::<Result<_>>()?;
        let mut hashes: BTreeMap<usize, (u32, Vec<u32>)> = (info.categorical_features.iter())
            .map(|feature| (feature.feature_index, (feature.flat_feature_index as u32, Vec::new())))
            .collect();
        for (feature, hash) in splits.filter_map(schema::Split::category) {
            let (_, list) = hashes.get_mut(&feature).ok_or_else(|| {
                invalid(format!("a split on the categories of feature {feature}, which there is not"))
            })?;
            list.push(hash);
        }
        let names: BTreeMap<u32, &String> =
            info.cat_features_hash.iter().map(|pair| (pair.hash, &pair.value)).collect();
        let mut categories = vec![None; features];
        for (place, list) in hashes.values_mut() {
            list.sort_unstable();
            list.dedup();
            let texts: Option<Vec<String>> =
                list.iter().map(|hash| names.get(hash).map(|name| (*name).clone())).collect();
            let texts = texts.ok_or_else(|| {
                unsupported("categories whose names the file does not hold")
                    .hint("save it with the rows: `model.save_model(\"model.json\", format=\"json\", pool=train_pool)`")
            })?;
            categories[*place as usize] = Some(Categories::names(&texts)?);
        }
        Ok(Self { categories, floats, hashes })
    }
}
