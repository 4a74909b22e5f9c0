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
