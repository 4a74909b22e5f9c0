//! From what a person names to a data set.

use super::{Dataset, ImageShape, csv, idx_rows, list, read_csv, shorten, split, synthetic};
use crate::error::{Error, Result};
use std::path::{MAIN_SEPARATOR, Path};

/// The names of the built-in data sets.
pub const BUILT_IN: [&str; 5] = ["spam", "iris", "digits", "synthetic", "mnist"];

/// Where the test rows come from.
#[derive(Debug, Clone, Copy)]
pub enum Holdout<'a> {
    /// A seeded share of the rows; MNIST brings its own test rows instead.
    Share { test_size: f64, seed: u64 },
    /// A labelled CSV file with the same columns, or IDX images of the same size.
    File(&'a Path),
}

/// Loads a built-in data set from `datasets_dir`, a `.csv`/`.csv.gz` file, or IDX images (`*idx3-ubyte`, plain or `.gz`)
/// with their labels beside them.
///
/// A name that contains a path separator or has one of these endings is a file. Of MNIST these are
/// the training rows; [`load_split`] gives both parts.
///
/// # Errors
/// `data_unknown` for a name that is neither, `data_missing` with a hint about `--datasets`, and those
/// of the readers.
pub fn load(spec: &str, datasets_dir: &Path, target: Option<&str>) -> Result<Dataset> {
    if idx_rows::is_idx(Path::new(spec)) {
        let path = Path::new(spec);
        return idx_rows::read_idx(path, &idx_rows::stem(path), target.unwrap_or("label"));
    }
    if is_path(spec) {
        return read_csv(Path::new(spec), target);
    }
    if !BUILT_IN.contains(&spec) {
        return Err(Error::user(
            "data_unknown",
            format!("`{}` is neither a built-in data set nor a CSV or IDX file", shorten(spec)),
        )
        .hint(format!(
            "built in are {}; a file's name ends in .csv, .csv.gz, idx3-ubyte or idx3-ubyte.gz",
            BUILT_IN.join(", ")
        )));
    }
    if spec == "synthetic" {
        let data = synthetic();
        return check_target(&data, target).map(|()| data);
    }
    if !datasets_dir.is_dir() {
        return Err(missing(format!("no folder {} to read `{spec}` from", datasets_dir.display())));
    }
    match spec {
        "mnist" => mnist(datasets_dir, target).map(|(train, _)| train),
        _ => {
            let file = if spec == "iris" { "iris.csv".to_owned() } else { format!("{spec}.csv.gz") };
            let mut data = read_csv(&datasets_dir.join(file), target).map_err(hint_at_folder)?;
            if spec == "digits" {
                data.image = Some(ImageShape { height: 8, width: 8, channels: 1 });
            }
            Ok(data)
        }
    }
}

/// Loads training and test rows; what `create` trains and judges a model on.
///
/// # Errors
/// Those of [`load`], of [`split`], and of reading the test file.
pub fn load_split(
    spec: &str,
    datasets_dir: &Path,
    target: Option<&str>,
    holdout: Holdout<'_>,
) -> Result<(Dataset, Dataset)> {
    match holdout {
        Holdout::Share { .. } if spec == "mnist" => mnist(datasets_dir, target),
        Holdout::Share { test_size, seed } => split(&load(spec, datasets_dir, target)?, test_size, seed),
        Holdout::File(path) => {
            let train = load(spec, datasets_dir, target)?;
            let test = read_labelled(path, &train.features, &train.classes, Some(&train.target))?;
            Ok((train, test))
        }
    }
}

/// Labelled rows for a model that takes `features` and predicts `classes`: a CSV file, with a header, or IDX
/// images with their labels beside them.
///
/// # Errors
/// Those of the readers; `image_size` and `idx_label` where images are of another size or class.
pub fn read_labelled(path: &Path, features: &[String], classes: &[String], target: Option<&str>) -> Result<Dataset> {
    if idx_rows::is_idx(path) {
        return idx_rows::read_idx_for(path, features, classes, target.unwrap_or("label"));
    }
    csv::read_labelled(path, features, classes, target)
}

fn mnist(datasets_dir: &Path, target: Option<&str>) -> Result<(Dataset, Dataset)> {
    let parts = idx_rows::load_mnist(&datasets_dir.join("mnist")).map_err(hint_at_folder)?;
    check_target(&parts.0, target)?;
    Ok(parts)
}

fn is_path(spec: &str) -> bool {
    let lower = spec.to_ascii_lowercase();
    spec.contains(['/', MAIN_SEPARATOR]) || lower.ends_with(".csv") || lower.ends_with(".csv.gz")
}

fn check_target(data: &Dataset, target: Option<&str>) -> Result<()> {
    match target {
        Some(name) if name != data.target => {
            Err(Error::user("csv_target", format!("`{}` has no label column `{}`", data.name, shorten(name)))
                .hint(format!("its label is {}", list([&data.target]))))
        }
        _ => Ok(()),
    }
}

fn hint_at_folder(error: Error) -> Error {
    if error.code == "data_missing" { missing(error.message) } else { error }
}

fn missing(message: String) -> Error {
    Error::user("data_missing", message).hint("point `--datasets` at the project's `datasets` folder")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn datasets() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
    }

    #[test]
    fn built_in_sets_have_their_known_shapes() {
        for (name, rows, features, classes) in
            [("spam", 4601, 57, 2), ("iris", 150, 4, 3), ("digits", 1797, 64, 10), ("synthetic", 1000, 30, 2)]
        {
            let data = load(name, &datasets(), None).unwrap();
            assert_eq!((data.len(), data.features.len(), data.classes.len()), (rows, features, classes), "{name}");
            assert_eq!(data.name, name);
            data.check_trainable().unwrap();
        }
        let holdout = Holdout::Share { test_size: 0.15, seed: 42 };
        let (train, test) = load_split("spam", &datasets(), None, holdout).unwrap();
        assert_eq!((train.len(), test.len()), (3910, 691));
    }

    #[test]
    fn a_test_file_is_read_under_the_training_names() {
        let iris = datasets().join("iris.csv");
        let (train, test) = load_split("iris", &datasets(), None, Holdout::File(&iris)).unwrap();
        assert_eq!(train, test);
    }

    #[test]
    fn unknown_names_and_folders_say_what_to_do() {
        let error = load("spma", &datasets(), None).unwrap_err();
        assert_eq!(error.code, "data_unknown");
        assert!(error.hint.unwrap().contains("spam, iris, digits"));
        for spec in ["spam", "mnist"] {
            let error = load(spec, Path::new("/nowhere"), None).unwrap_err();
            assert_eq!(error.code, "data_missing");
            assert!(error.hint.unwrap().contains("--datasets"), "{spec}");
        }
        assert_eq!(load("synthetic", &datasets(), Some("z")).unwrap_err().code, "csv_target");
        assert_eq!(load("nowhere.csv", &datasets(), None).unwrap_err().code, "data_missing");
    }

    /// Every shipped file is the one whose SHA-256 `datasets/README.md` tells.
    #[test]
    fn shipped_files_have_their_checksums() {
        let readme = std::fs::read_to_string(datasets().join("README.md")).unwrap();
        let mut checked = 0;
        for line in readme.lines() {
            let Some((sum, file)) = line.trim().split_once("  ") else { continue };
            if sum.len() != 64 {
                continue;
            }
            let bytes = std::fs::read(datasets().join(file)).unwrap();
            let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, sum, "{file}");
            checked += 1;
        }
        assert_eq!(checked, 7);
    }
}
