//! From what a person names to a data set.

use super::{Dataset, ImageShape, csv, idx_rows, list, read_csv, shipped, shorten, split, synthetic};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::path::{MAIN_SEPARATOR, Path};

/// The names of the built-in data sets.
pub const BUILT_IN: [&str; 6] = ["spam", "iris", "digits", "synthetic", "mnist", "diabetes"];

/// What is to be learned of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its class.
    Classify,
    /// Its number.
    Regress,
}

impl Task {
    /// What data are for where nothing else is asked: `diabetes` is a regression.
    fn of(spec: &str) -> Self {
        if spec == "diabetes" { Self::Regress } else { Self::Classify }
    }
}

/// Where the test rows come from.
#[derive(Debug, Clone, Copy)]
pub enum Holdout<'a> {
    /// A seeded share of the rows; MNIST brings its own test rows instead.
    Share { test_size: f64, seed: u64 },
    /// A labeled CSV file with the same columns, or IDX images of the same size.
    File(&'a Path),
}

/// Loads a built-in data set, from `datasets_dir` where it is there and else (but for MNIST) from the binary, a `.csv`/`.csv.gz` file, or IDX images (`*idx3-ubyte`, plain or `.gz`)
/// with their labels beside them.
///
/// A name that contains a path separator or has one of these endings is a file. Of MNIST these are
/// the training rows; [`load_split`] gives both parts. Without a `task` it is the data's own: classes, or
/// the number that a built-in set is known for.
///
/// # Errors
/// `data_unknown` for a name that is neither, `data_missing` with a hint about `--datasets`, `csv_target` where the
/// target does not suit the task, and those of the readers.
pub fn load(spec: &str, datasets_dir: &Path, target: Option<&str>, task: Option<Task>) -> Result<Dataset> {
    let task = task.unwrap_or(Task::of(spec));
    let path = Path::new(spec);
    if idx_rows::is_idx(path) {
        return for_task(idx_rows::read_idx(path, &idx_rows::stem(path), target.unwrap_or("label"))?, task);
    }
    if is_path(spec) {
        return read_table(path, target, task);
    }
    if !BUILT_IN.contains(&spec) {
        return Err(Error::new(
            ErrorCode::DataUnknown,
            format!("`{}` is neither a built-in data set nor a CSV or IDX file", shorten(spec)),
        )
        .hint(format!(
            "built in are {}; a file's name ends in .csv, .csv.gz, idx3-ubyte or idx3-ubyte.gz",
            BUILT_IN.join(", ")
        )));
    }
    if spec == "synthetic" {
        let data = synthetic();
        check_target(&data, target)?;
        return for_task(data, task);
    }
    if (Task::of(spec), task, target) == (Task::Regress, Task::Classify, None) {
        return Err(Error::new(ErrorCode::CsvTarget, format!("the target of `{spec}` is a number, not a class"))
            .hint("predict it with `create linreg`, or with `--task regress` of tree, forest or boost"));
    }
    match spec {
        "mnist" if !datasets_dir.is_dir() => {
            Err(missing(format!("no folder {} to read `{spec}` from", datasets_dir.display())))
        }
        "mnist" => mnist(datasets_dir, target, task).map(|(train, _)| train),
        _ => {
            let plain = ["iris", "diabetes"].contains(&spec);
            let file = format!("{spec}.csv{}", if plain { "" } else { ".gz" });
            let mut data = read_table(&shipped::find(datasets_dir, &file), target, task).map_err(hint_at_folder)?;
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
    task: Option<Task>,
    holdout: Holdout<'_>,
) -> Result<(Dataset, Dataset)> {
    match holdout {
        Holdout::Share { .. } if spec == "mnist" => mnist(datasets_dir, target, task.unwrap_or(Task::of(spec))),
        Holdout::Share { test_size, seed } => split(&load(spec, datasets_dir, target, task)?, test_size, seed),
        Holdout::File(path) => {
            let train = load(spec, datasets_dir, target, task)?;
            let test = read_labeled(path, &train.features, &train.classes, Some(&train.target))?;
            Ok((train, test))
        }
    }
}

/// Labeled rows for a model that takes `features` and predicts `classes`, or a number where there are none: a CSV
/// file, with a header, or IDX images with their labels beside them.
///
/// # Errors
/// Those of the readers; `image_size` and `idx_label` where images are of another size or class.
pub fn read_labeled(path: &Path, features: &[String], classes: &[String], target: Option<&str>) -> Result<Dataset> {
    if idx_rows::is_idx(path) {
        return idx_rows::read_idx_for(path, features, classes, target.unwrap_or("label"));
    }
    csv::read_labeled(path, features, classes, target)
}

fn mnist(datasets_dir: &Path, target: Option<&str>, task: Task) -> Result<(Dataset, Dataset)> {
    let (train, test) = idx_rows::load_mnist(&datasets_dir.join("mnist")).map_err(hint_at_folder)?;
    check_target(&train, target)?;
    Ok((for_task(train, task)?, for_task(test, task)?))
}

fn read_table(path: &Path, target: Option<&str>, task: Task) -> Result<Dataset> {
    match task {
        Task::Classify => read_csv(path, target),
        Task::Regress => csv::read_values(path, target),
    }
}

fn for_task(data: Dataset, task: Task) -> Result<Dataset> {
    match task {
        Task::Classify => Ok(data),
        Task::Regress => data.into_values(),
    }
}

fn is_path(spec: &str) -> bool {
    let (path, lower) = (Path::new(spec), spec.to_ascii_lowercase());
    let is_named = spec.contains(['/', MAIN_SEPARATOR]) || lower.ends_with(".csv") || lower.ends_with(".csv.gz");
    // What is there is looked into, whatever its ending: messages then say what it is.
    is_named || path.extension().is_some() && path.is_file()
}

fn check_target(data: &Dataset, target: Option<&str>) -> Result<()> {
    match target {
        Some(name) if name != data.target => {
            Err(Error::new(ErrorCode::CsvTarget, format!("`{}` has no label column `{}`", data.name, shorten(name)))
                .hint(format!("its label is {}", list([&data.target]))))
        }
        _ => Ok(()),
    }
}

fn hint_at_folder(error: Error) -> Error {
    if error.code == ErrorCode::DataMissing { missing(error.message) } else { error }
}

fn missing(message: String) -> Error {
    Error::new(ErrorCode::DataMissing, message)
        .hint("point `--datasets` at the `datasets` folder of fhectl's repository: MNIST is too large for the binary")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::digest::sha256_hex;

    fn datasets() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
    }

    #[test]
    fn built_in_sets_have_their_known_shapes() {
        for (name, rows, features, classes) in
            [("spam", 4601, 57, 2), ("iris", 150, 4, 3), ("digits", 1797, 64, 10), ("synthetic", 1000, 30, 2)]
        {
            let data = load(name, &datasets(), None, None).unwrap();
            assert_eq!((data.len(), data.features.len(), data.classes.len()), (rows, features, classes), "{name}");
            assert_eq!(data.name, name);
            data.check_trainable().unwrap();
        }
        let holdout = Holdout::Share { test_size: 0.15, seed: 42 };
        let (train, test) = load_split("spam", &datasets(), None, None, holdout).unwrap();
        assert_eq!((train.len(), test.len()), (3910, 691));
    }

    #[test]
    fn small_sets_are_in_the_binary() {
        for name in ["spam", "iris", "digits", "diabetes", "synthetic"] {
            let read = |folder: &Path| load(name, folder, None, None).unwrap();
            assert_eq!(read(Path::new("/nowhere")), read(&datasets()), "{name}");
        }
    }

    #[test]
    fn diabetes_is_a_regression_and_others_can_be() {
        let read = |name, target, task| load(name, &datasets(), target, task);
        let data = read("diabetes", None, None).unwrap();
        assert_eq!((data.len(), data.features.len(), data.classes.len()), (442, 10, 0));
        assert_eq!((data.values[0], data.target.as_str()), (151.0, "progression"));
        assert_eq!(read("diabetes", None, Some(Task::Regress)).unwrap(), data);
        assert_eq!(read("diabetes", None, Some(Task::Classify)).unwrap_err().code, ErrorCode::CsvTarget);
        assert_eq!(read("diabetes", Some("sex"), Some(Task::Classify)).unwrap().classes, ["1", "2"]);
        let digits = read("digits", None, Some(Task::Regress)).unwrap();
        assert_eq!((digits.values[2], digits.labels.len()), (2.0, 0));
        assert_eq!(read("synthetic", None, Some(Task::Regress)).unwrap().values.len(), 1000);
        assert_eq!(read("iris", None, Some(Task::Regress)).unwrap_err().code, ErrorCode::CsvCell);
    }

    #[test]
    fn a_test_file_is_read_under_the_training_names() {
        let iris = datasets().join("iris.csv");
        let (train, test) = load_split("iris", &datasets(), None, None, Holdout::File(&iris)).unwrap();
        assert_eq!(train, test);
    }

    #[test]
    fn unknown_names_and_folders_say_what_to_do() {
        let error = load("spma", &datasets(), None, None).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataUnknown);
        assert!(error.hint.unwrap().contains("spam, iris, digits"));
        for folder in ["/nowhere", "/"] {
            let error = load("mnist", Path::new(folder), None, None).unwrap_err();
            assert_eq!(error.code, ErrorCode::DataMissing);
            assert!(error.hint.unwrap().contains("--datasets"), "{folder}");
        }
        assert_eq!(load("synthetic", &datasets(), Some("z"), None).unwrap_err().code, ErrorCode::CsvTarget);
        assert_eq!(load("nowhere.csv", &datasets(), None, None).unwrap_err().code, ErrorCode::DataMissing);
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
            assert_eq!(sha256_hex(&bytes), sum, "{file}");
            checked += 1;
        }
        assert_eq!(checked, 8);
    }
}
