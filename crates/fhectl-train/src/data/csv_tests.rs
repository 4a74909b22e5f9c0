use super::*;
use crate::data::load;
use fhectl_core::error::ErrorCode;
use fhectl_core::model::InputSchema;
use proptest::prelude::*;
use std::io::Write;
use tempfile::TempDir;

fn file(name: &str, content: &[u8]) -> (TempDir, std::path::PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

fn read(content: &str) -> Result<Dataset> {
    let (_dir, path) = file("t.csv", content.as_bytes());
    read_path(&path, None)
}

fn read_path(path: &Path, target: Option<&str>) -> Result<Dataset> {
    load(path.to_str().unwrap(), Path::new("."), target, Some(Task::Classify))
}

fn values(path: &Path, target: Option<&str>) -> Result<Dataset> {
    load(path.to_str().unwrap(), Path::new("."), target, Some(Task::Regress))
}

fn labeled(path: &Path, features: &[String], classes: &[String], target: Option<&str>) -> Result<Dataset> {
    let schema = InputSchema::numbers(features);
    read_labeled(path, ModelColumns { schema: &schema, missing: false }, classes, target, &TableOptions::default())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn names(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn classes_sort_as_integers_or_as_texts() {
    let data = read("a,y\n1,10\n2,9\n3,10.0\n").unwrap();
    assert_eq!((data.classes, data.labels), (names(&["9", "10"]), vec![1, 0, 1]));
    let data = read("a,y\n1,b\n2,a\n3,10\n").unwrap();
    assert_eq!((data.classes, data.labels), (names(&["10", "a", "b"]), vec![2, 1, 0]));
}

#[test]
fn rows_of_numbers_take_no_more_memory_than_their_numbers() {
    let header: String = (0..9).map(|column| format!("c{column},")).collect();
    let data = read(&format!("{header}y\n{0}a\n{0}b\n", "1,".repeat(9))).unwrap();
    assert!(data.rows.iter().all(|row| row.capacity() == 9));
}

#[test]
fn a_bom_crlf_and_spaces_are_tolerated() {
    let data = read("\u{feff}a , b,y\r\n 1.5 ,-2e3, no\r\n\r\n3,4,yes \r\n").unwrap();
    assert_eq!(data.features, ["a", "b"]);
    assert_eq!(data.rows, [[1.5, -2000.0], [3.0, 4.0]]);
    assert_eq!(data.classes, ["no", "yes"]);
    assert_eq!((data.name.as_str(), data.target.as_str()), ("t", "y"));
}

#[test]
fn errors_say_where() {
    for (content, code, part) in [
        ("", "csv_empty", "the file is empty"),
        ("a,y\n", "csv_empty", "no rows"),
        ("a,a,y\n1,2,3\n", "csv_header", "two columns are named `a`"),
        ("a,,y\n1,2,3\n", "csv_header", "column 2 has no name"),
        ("y\n1\n0\n", "csv_columns", "no column beside"),
        ("a,y\n1,0\n\n2\n", "csv_ragged", "t.csv, line 4: row 2: 1 cells, the header has 2"),
        ("a,y\n1,0\n2,0\nx1,1\n", "csv_cell", "t.csv: row 3: column `a`: `x1` is not a number"),
        ("a,y\n1,0\n2,0\n1e999,1\n", "csv_cell", "row 3: column `a`: `1e999` is not a number"),
        ("a,y\n,0\n,1\n", "csv_columns", "no column to learn from"),
        ("a,y\n1,\n", "csv_cell", "column `y` is missing"),
        ("a,y\n1,0\n2,0\n", "one_class", "every row has `y` = `0`"),
        ("a,y\n1,0.5\n2,1.5\n3,2.5\n", "csv_target", "3 distinct values, fractions among them, in 3 rows"),
    ] {
        let error = read(content).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{content:?}: {error}");
        assert!(error.message.contains(part), "{content:?}: {error}");
    }
    let error = read("a,y\n1,0.5\n2,1.5\n3,0.5\n4,1.5\n5,1.5\n").unwrap_err();
    assert!(error.code == ErrorCode::CsvTarget && error.hint.unwrap().contains("--task regress"));
    let many: String = (0..300).map(|row| format!("{row},{row}\n")).collect();
    assert_eq!(read(&format!("a,y\n{many}")).unwrap_err().code, ErrorCode::CsvTarget);
    let (_dir, path) = file("t.csv", b"a,y\n\xff,1\n");
    assert_eq!(read_path(&path, None).unwrap_err().code, ErrorCode::CsvEncoding);
    let (_dir, path) = file("t.csv", b"a,y\n1,2\n");
    assert!(read_path(&path, Some("z")).unwrap_err().hint.unwrap().contains("`a`, `y`"));
}

#[test]
fn numbers_to_predict_are_read_as_such() {
    let (_dir, path) = file("t.csv", b"a,y,b\n1,0.5,2\n3,-1e3,4\n");
    let data = values(&path, Some("y")).unwrap();
    assert_eq!((data.features, data.rows), (names(&["a", "b"]), vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    assert_eq!((data.values, data.labels.len(), data.classes.len()), (vec![0.5, -1000.0], 0, 0));
    let data = labeled(&path, &names(&["b", "a"]), &[], Some("y")).unwrap();
    assert_eq!((data.rows, data.values), (vec![vec![2.0, 1.0], vec![4.0, 3.0]], vec![0.5, -1000.0]));
    for (cell, part) in [("high", "`high` is not a number"), ("", "column `y` is missing"), ("inf", "finite number")] {
        let (_dir, path) = file("t.csv", format!("a,y\n1,2\n3,{cell}\n").as_bytes());
        for error in [values(&path, None).unwrap_err(), labeled(&path, &names(&["a"]), &[], None).unwrap_err()] {
            assert!(error.code == ErrorCode::CsvCell && error.message.contains(part), "{error}");
            assert!(error.message.contains("line 3: row 2"), "{error}");
        }
    }
}

#[test]
fn gzip_is_unpacked_and_damage_is_named() {
    let packed = gzip(b"a,y\n1,0\n2,1\n");
    let (_dir, path) = file("t.csv.gz", &packed);
    assert_eq!(read_path(&path, None).unwrap().len(), 2);
    for bad in [&packed[..packed.len() - 6], b"a,y\n1,0\n2,1\n"] {
        let (_dir, path) = file("t.csv.gz", bad);
        assert_eq!(read_path(&path, None).unwrap_err().code, ErrorCode::GzipCorrupt);
    }
}

#[test]
fn rows_are_matched_by_name() {
    let (_dir, path) = file("t.csv", b"b,y,a\n1,0,2\n");
    let features = names(&["a", "b"]);
    let (options, schema) = (TableOptions::default(), InputSchema::numbers(&features));
    let columns = ModelColumns { schema: &schema, missing: false };
    let rows = read_rows(&path, columns, &names(&["y"]), &options).unwrap();
    assert_eq!((rows[0].numbers.clone().unwrap(), &rows[0].kept[..]), (vec![2.0, 1.0], &["0".to_owned()][..]));
    let schema = InputSchema::numbers(&names(&["a", "c"]));
    let error = read_rows(&path, ModelColumns { schema: &schema, missing: false }, &[], &options).unwrap_err();
    assert!(error.code == ErrorCode::CsvColumns && error.message.contains("missing `c`"), "{error}");
}

#[test]
fn rows_that_do_not_suit_the_model_have_their_errors() {
    let (_dir, path) = file("t.csv", b"a,b\n1,2\n,3\nx,4\n5,6\n");
    let (options, schema) = (TableOptions::default(), InputSchema::numbers(&names(&["a", "b"])));
    let read = |missing| read_rows(&path, ModelColumns { schema: &schema, missing }, &[], &options).unwrap();
    let failed = |rows: &[TableRow]| rows.iter().map(|row| row.numbers.is_err()).collect::<Vec<_>>();
    assert_eq!(failed(&read(false)), [false, true, true, false]);
    assert_eq!(failed(&read(true)), [false, false, true, false]);
    assert!(read(false)[2].numbers.as_ref().unwrap_err().message.contains("row 3: column `a`: `x` is not a number"));
}

#[test]
fn errors_of_many_rows_take_no_memory() {
    let (_dir, path) = file("t.csv", format!("a\n{}", "x\n".repeat(3000)).as_bytes());
    let schema = InputSchema::numbers(&names(&["a"]));
    let columns = ModelColumns { schema: &schema, missing: false };
    let rows = read_rows(&path, columns, &[], &TableOptions::default()).unwrap();
    let errors: Vec<_> = rows.iter().map(|row| row.numbers.as_ref().unwrap_err()).collect();
    assert!(errors.len() == 3000 && errors.iter().all(|error| error.code == ErrorCode::CsvCell));
    assert!(errors[999].message.contains("row 1000: "));
    assert_eq!((errors[1000].message.capacity(), &errors[1000].hint), (0, &None));
}

#[test]
fn labels_are_mapped_onto_the_models_classes() {
    let (_dir, path) = file("t.csv", b"y,b,a\n7.0,1,2\n");
    let data = labeled(&path, &names(&["a", "b"]), &names(&["3", "7"]), Some("y")).unwrap();
    assert_eq!((data.rows, data.labels), (vec![vec![2.0, 1.0]], vec![1]));
    let error = labeled(&path, &names(&["a", "b"]), &names(&["3", "4"]), Some("y")).unwrap_err();
    assert_eq!(error.code, ErrorCode::CsvLabel);
    assert!(error.message.contains("line 2: row 1: "), "{error}");
}

proptest! {
    #[test]
    fn finite_values_survive_a_round_trip(values in prop::collection::vec(prop::num::f64::NORMAL, 2..20)) {
        let body: String = values.iter().enumerate().map(|(row, value)| format!("{value:e},{}\n", row % 2)).collect();
        let data = read(&format!("a,y\n{body}")).unwrap();
        prop_assert_eq!(data.column(0), values);
    }

    #[test]
    fn any_text_is_data_or_a_named_error(text in "[a0-9,.\"\n -]{0,60}") {
        if let Err(error) = read(&text) {
            prop_assert!(error.code.as_str().starts_with("csv_") || error.code == ErrorCode::OneClass, "{}", error.code);
        }
        let (_dir, path) = file("t.csv", text.as_bytes());
        if let Err(error) = values(&path, None) {
            prop_assert!(error.code.as_str().starts_with("csv_"), "{}", error.code);
        }
    }
}

#[test]
fn a_row_without_an_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for (text, what) in [(format!("a,b\n1,\"{}", "x\n".repeat(9 << 20)), "one row"), (",".repeat(17 << 20), "one row")]
    {
        std::fs::write(&path, text).unwrap();
        let error = read_numbers(&path, None, (Task::Classify, false), &TableOptions::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataTooLarge);
        assert!(error.message.contains(what), "{error:?}");
    }
    std::fs::write(&path, format!("{}\n", (0..70_000).map(|name| format!("c{name},")).collect::<String>())).unwrap();
    let error = read_numbers(&path, None, (Task::Classify, false), &TableOptions::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::DataTooLarge);
}
