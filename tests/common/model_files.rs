//! Models that other tools made, in `tests/fixtures`.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder of fixtures, those of more seeds after those of the first; with `FHECTL_FIXTURES` those in another
/// folder, which the script that makes them wrote with `--out`.
pub fn model_files(folder: &str) -> Vec<PathBuf> {
    let folder = match std::env::var_os("FHECTL_FIXTURES") {
        Some(other) => PathBuf::from(other),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder),
    };
    let list = |folder: &Path| {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let mut paths = list(&folder);
    let seeds: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
    paths.extend(seeds.iter().flat_map(|folder| list(folder)));
    paths
}
