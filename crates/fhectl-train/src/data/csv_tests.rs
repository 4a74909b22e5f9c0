use super::*;
use fhectl_core::error::ErrorCode;
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
    read_csv(&path, None)
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
        ("a;y\n1;2\n", "csv_header", "one column"),
        ("y\n1\n0\n", "csv_columns", "no column beside"),
        ("a,y\n1,0\n\n2\n", "csv_ragged", "t.csv, line 4: row 2: 1 cells, the header has 2"),
        ("a,y\n1,0\nx1,1\n", "csv_cell", "t.csv, line 3: row 2: column `a`: `x1` is not a number"),
        ("a,y\n1,0\n,1\n", "csv_cell", "line 3: row 2: column `a` is missing"),
        ("a,y\r\n1,0\r\nx1,1\r\n", "csv_cell", "line 3: row 2: "),
        ("\u{feff}a,y\n\n1,0\n\nx1,1", "csv_cell", "line 5: row 2: "),
        ("a,y\nNaN,0\n", "csv_cell", "`NaN` is not a finite number"),
        ("a,y\n1e999,0\n", "csv_cell", "not a finite number"),
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
    assert_eq!(read_csv(&path, None).unwrap_err().code, ErrorCode::CsvEncoding);
    let (_dir, path) = file("t.csv", b"a,y\n1,2\n");
    assert!(read_csv(&path, Some("z")).unwrap_err().hint.unwrap().contains("`a`, `y`"));
}

#[test]
fn numbers_to_predict_are_read_as_such() {
    let (_dir, path) = file("t.csv", b"a,y,b\n1,0.5,2\n3,-1e3,4\n");
    let data = read_values(&path, Some("y")).unwrap();
    assert_eq!((data.features, data.rows), (names(&["a", "b"]), vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    assert_eq!((data.values, data.labels.len(), data.classes.len()), (vec![0.5, -1000.0], 0, 0));
    let data = read_labeled(&path, &names(&["b", "a"]), &[], Some("y")).unwrap();
    assert_eq!((data.rows, data.values), (vec![vec![2.0, 1.0], vec![4.0, 3.0]], vec![0.5, -1000.0]));
    for (cell, part) in [("high", "`high` is not a number"), ("", "column `y` is missing"), ("inf", "finite number")] {
        let (_dir, path) = file("t.csv", format!("a,y\n1,2\n3,{cell}\n").as_bytes());
        for error in
            [read_values(&path, None).unwrap_err(), read_labeled(&path, &names(&["a"]), &[], None).unwrap_err()]
        {
            assert!(error.code == ErrorCode::CsvCell && error.message.contains(part), "{error}");
            assert!(error.message.contains("line 3: row 2"), "{error}");
        }
    }
}

#[test]
fn gzip_is_unpacked_and_damage_is_named() {
    let packed = gzip(b"a,y\n1,0\n2,1\n");
    let (_dir, path) = file("t.csv.gz", &packed);
    assert_eq!(read_csv(&path, None).unwrap().len(), 2);
    for bad in [&packed[..packed.len() - 6], b"a,y\n1,0\n2,1\n"] {
        let (_dir, path) = file("t.csv.gz", bad);
        assert_eq!(read_csv(&path, None).unwrap_err().code, ErrorCode::GzipCorrupt);
    }
}

#[test]
fn rows_are_matched_by_name() {
    let (_dir, path) = file("t.csv", b"b,y,a\n1,0,2\n");
    let features = names(&["a", "b"]);
    assert_eq!(read_rows(&path, &features, Some("y")).unwrap(), [[2.0, 1.0]]);
    let error = read_rows(&path, &features, None).unwrap_err();
    assert_eq!((error.code, error.message.contains("unexpected `y`")), (ErrorCode::CsvColumns, true));
    let error = read_rows(&path, &names(&["a", "c"]), Some("y")).unwrap_err();
    assert!(error.message.contains("missing `c`; unexpected `b`"), "{error}");
}

#[test]
fn labels_are_mapped_onto_the_models_classes() {
    let (_dir, path) = file("t.csv", b"y,b,a\n7.0,1,2\n");
    let data = read_labeled(&path, &names(&["a", "b"]), &names(&["3", "7"]), Some("y")).unwrap();
    assert_eq!((data.rows, data.labels), (vec![vec![2.0, 1.0]], vec![1]));
    let error = read_labeled(&path, &names(&["a", "b"]), &names(&["3", "4"]), Some("y")).unwrap_err();
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
        if let Err(error) = read_values(&path, None) {
            prop_assert!(error.code.as_str().starts_with("csv_"), "{}", error.code);
        }
    }
}
