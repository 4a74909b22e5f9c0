//! Where between two values of the rows an edge lies.
//!
//! Edges lie midway between neighboring values of the calibration rows. XGBoost puts its thresholds at values instead, so
//! that rows between a value and the middle would go another way than with the original. Where nearly all thresholds of a
//! model are values of the rows, edges are such values, too, whether a threshold is there or not.

use super::edge::{Precision, at_least};
use super::model::{Forest, Tree};
use crate::data::Dataset;
use fhectl_core::model::{FeatureQuantizer, Quantizer};

/// The share of thresholds that must be values of the rows.
const NEARLY_ALL: f64 = 0.9;

/// For each feature the edges of all values, as a model of 32-bit numbers tells them from smaller ones; `None` where the
/// model's thresholds are others.
pub(super) fn value_edges(forest: &Forest, rows: &Dataset) -> Option<Vec<Vec<f64>>> {
    let edges: Vec<Vec<f64>> = (0..rows.features.len())
        .map(|feature| {
            let edge = |row: &Vec<f64>| at_least(f64::from(row[feature] as f32), Precision::Single);
            let mut edges: Vec<f64> = rows.rows.iter().map(edge).filter(|edge| edge.is_finite()).collect();
            edges.sort_unstable_by(f64::total_cmp);
            edges.dedup_by(|a, b| a == b);
            edges
        })
        .collect();
    let (mut found, mut all) = (0usize, 0usize);
    for (feature, threshold) in forest.trees.iter().flat_map(Tree::splits) {
        let of_feature = edges.get(feature as usize)?;
        all += 1;
        found += usize::from(of_feature.binary_search_by(|edge| edge.total_cmp(threshold)).is_ok());
    }
    (all > 0 && found as f64 >= NEARLY_ALL * all as f64).then_some(edges)
}

/// The quantizer with every edge at the next value above it.
pub(super) fn at_values(quantizer: Quantizer, values: &[Vec<f64>]) -> Quantizer {
    let moved = |(rule, values): (FeatureQuantizer, &Vec<f64>)| match rule {
        FeatureQuantizer::Edges { edges } => {
            let next = |edge: &f64| values.get(values.partition_point(|value| value < edge)).copied().unwrap_or(*edge);
            let mut edges: Vec<f64> = edges.iter().map(next).collect();
            edges.dedup_by(|a, b| a == b);
            FeatureQuantizer::Edges { edges }
        }
        other => other,
    };
    Quantizer { features: quantizer.features.into_iter().zip(values).map(moved).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::model::Branch;

    fn forest(thresholds: &[f64]) -> Forest {
        let leaf = |value: f64| Branch::Leaf(vec![value]);
        let stump = |edge: f64| Branch::split(0, edge, leaf(0.0), leaf(1.0)).depth_first();
        let edge = |value: &f64| at_least(f64::from(*value as f32), Precision::Single);
        Forest { biases: vec![0.0], trees: thresholds.iter().map(|value| stump(edge(value))).collect() }
    }

    fn rows(values: &[f64]) -> Dataset {
        Dataset {
            name: String::new(),
            target: "y".into(),
            features: vec!["x".into()],
            input: None,
            classes: Vec::new(),
            rows: values.iter().map(|value| vec![*value]).collect(),
            labels: Vec::new(),
            values: values.to_vec(),
            image: None,
        }
    }

    #[test]
    fn edges_are_where_the_model_has_its_thresholds() {
        let rows = rows(&[0.1, 0.5, 0.3, 0.7]);
        let values = value_edges(&forest(&[0.3, 0.7]), &rows).unwrap();
        let middles = Quantizer { features: vec![FeatureQuantizer::Edges { edges: vec![0.2, 0.4, 0.6] }] };
        let placed = at_values(middles, &values);
        // 0.29 is below the value 0.3, though beyond the middle.
        for (x, level) in [(0.1, 0), (0.29, 0), (0.3, 1), (0.45, 1), (0.5, 2), (0.69, 2), (0.7, 3)] {
            assert_eq!(placed.quantize(&[x]).unwrap(), [level], "{x}");
        }
        assert_eq!(value_edges(&forest(&[0.2, 0.4]), &rows), None, "thresholds midway");
    }
}
