//! The keys of all bundles in this repository have estimates of the lattice-estimator (docs/src/reference/parameters.md).

use fhectl_core::bundle::folder;
use fhectl_core::fhe::noise;
use std::fs;
use std::path::Path;

/// The least bits of any attack and cost model on a key of this dimension and noise.
fn bits(table: &str, dimension: usize, bound: u32) -> Option<f64> {
    let head = format!("{dimension},{bound},");
    let lines = table.lines().filter(|line| line.starts_with(&head));
    lines.map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap()).min_by(f64::total_cmp)
}

#[test]
fn every_key_of_every_bundle_was_estimated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("tests/vectors/security.csv")).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(root.join("compiled_model")).unwrap() {
        let path = entry.unwrap().path();
        let bundle = folder::read_client(&path).unwrap();
        for key in bundle.spec.circuit.keys() {
            let dimension = key.shape.lwe_dimension();
            let bound = noise::t_uniform_bound(dimension);
            let bits = bits(&table, dimension, bound).unwrap_or_else(|| {
                panic!("{}: {} of dimension {dimension} is not in the table", path.display(), key.role)
            });
            assert!(bits >= f64::from(noise::SECURITY_BITS), "{}: {} has {bits} bits", path.display(), key.role);
            seen += 1;
        }
    }
    assert!(seen >= 11, "{seen} keys");
}
