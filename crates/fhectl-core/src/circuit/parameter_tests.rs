//! Every key that a search may choose, and every key that a bundle may ask for, against what the lattice-estimator gave
//! (docs/src/reference/parameters.md, `scripts/estimate_security.py`).

use super::{cmux_forest, leaf_sum, linear, network, path_cost, path_cost_sum, table};
use crate::fhe::{GlweShape, noise};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const KEYS: &str = "security.csv";
const SCORES: &str = "security_scores.csv";

/// The first two columns of a table with the least of its column `best`, over the lines of all cost models.
fn table_of(name: &str) -> BTreeMap<(usize, u32), f64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let mut least = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let best: f64 = cells[cells.len() - 1].parse().unwrap();
        let known = least.entry((cells[0].parse().unwrap(), cells[1].parse().unwrap())).or_insert(f64::INFINITY);
        *known = best.min(*known);
    }
    least
}

#[test]
fn the_table_has_the_noise_of_the_code_and_enough_bits() {
    let table = table_of(KEYS);
    assert!(table.len() > 80, "{} lines", table.len());
    for ((dimension, bound), bits) in table {
        assert_eq!(bound, noise::t_uniform_bound(dimension), "dimension {dimension}");
        assert!(bits >= f64::from(noise::SECURITY_BITS), "dimension {dimension}: {bits} bits");
    }
}

#[test]
fn every_key_that_a_search_may_choose_was_estimated() {
    let flat = |shapes: &[(usize, usize)]| shapes.iter().map(|(k, size)| k * size).collect::<Vec<_>>();
    let mut dimensions = BTreeSet::new();
    dimensions.extend(linear::params_search::SIZES);
    dimensions.extend(path_cost::params_search::SIZES);
    dimensions.extend(flat(&path_cost_sum::params_search::SHAPES));
    dimensions.extend(flat(&leaf_sum::params_search::OUTPUTS));
    dimensions.extend(leaf_sum::params_search::dimensions());
    dimensions.extend(flat(&cmux_forest::params_search::SHAPES));
    dimensions.extend(flat(&table::params_search::SHAPES));
    dimensions.extend(flat(&network::params_search::OUTPUTS));
    dimensions.extend(network::params_search::dimensions());
    let table = table_of(KEYS);
    for dimension in dimensions {
        assert!(
            table.contains_key(&(dimension, noise::t_uniform_bound(dimension))),
            "dimension {dimension} is not in tests/vectors/security.csv: run scripts/estimate_security.py"
        );
    }
}

/// Under the same noise a longer key is no weaker: a solver for it solves the shorter one too, whose samples it is given
/// with further mask words that are drawn at random.
#[test]
fn every_key_that_a_bundle_may_ask_for_is_as_strong_as_one_that_was_estimated() {
    let table = table_of(KEYS);
    let mut accepted = 0;
    for dimension in (16..=16384).step_by(16).filter(|n| GlweShape::new(n / 16, 16).check().is_ok()) {
        let bound = noise::t_uniform_bound(dimension);
        let known = table.keys().any(|(shorter, of)| *of == bound && *shorter <= dimension);
        assert!(known, "dimension {dimension} with noise of 2^{bound} is not covered");
        accepted += 1;
    }
    assert_eq!(accepted, 481, "from 512 to 8192");
    assert!(GlweShape::new(65, 8).check().is_err(), "only multiples of 16 have to be covered");
}

/// Scores that networks write, read as LWE with an error of 16 words: every key of answers, and response bits up to where
/// 16 words are about as wide as fresh noise.
#[test]
fn written_scores_of_every_answer_key_were_estimated() {
    let table = table_of(SCORES);
    for (dimension, size) in network::params_search::OUTPUTS {
        let n = dimension * size;
        assert!(
            table.keys().any(|(known, _)| *known == n),
            "dimension {n} is not in tests/vectors/security_scores.csv"
        );
    }
    for ((dimension, response_bits), bits) in table {
        assert!(bits >= f64::from(noise::SECURITY_BITS), "dimension {dimension}, {response_bits} bits: {bits}");
        let error = (16.0 * 16.0 - 1.0) / 12.0 * (-2.0 * f64::from(response_bits)).exp2();
        assert!(error >= noise::fresh_variance(dimension), "dimension {dimension}, {response_bits} bits");
    }
}
