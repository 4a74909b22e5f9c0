use super::*;
use crate::data::Task;
use crate::data::{Dataset, Source};
use std::path::Path;
use tempfile::TempDir;

fn load(text: &str, options: &TableOptions) -> Result<(Dataset, Notes)> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let spec = path.to_str().unwrap().to_owned();
    let source = Source { task: Some(Task::Classify), ..Source::new(&spec, Path::new("."), options) };
    let loaded = source.load_split(crate::data::Holdout::File(&path))?;
    Ok((loaded.train, loaded.notes))
}

fn kinds(text: &str, options: &TableOptions) -> Vec<String> {
    let (data, _) = load(text, options).unwrap();
    data.input.unwrap().columns.iter().map(|column| format!("{}: {}", column.name, column.kind.describe())).collect()
}

#[test]
fn columns_are_told_by_their_cells() {
    let text = "age,sex,member,since,y\n4,male,True,2024-01-02,a\n,female,false,2024-01-03,b\n5.5,male,TRUE,,a\n";
    assert_eq!(
        kinds(text, &TableOptions::default()),
        ["age: a number", "sex: one of 2 categories", "member: yes or no"]
    );
    let (data, notes) = load(text, &TableOptions::default()).unwrap();
    assert!(
        notes.iter().any(|note| note.contains("`since` is left out") && note.contains("--dates since")),
        "{notes:?}"
    );
    assert_eq!((data.rows[0][..2].to_vec(), data.rows[2][1], data.rows[0][2]), (vec![4.0, 1.0], 1.0, 1.0));
    assert!(data.rows[1][0].is_nan());
    let said = TableOptions { dates: vec!["since".into()], drop: vec!["age".into()], ..TableOptions::default() };
    assert_eq!(kinds(text, &said), ["sex: one of 2 categories", "member: yes or no", "since: a date"]);
}

#[test]
fn numbers_with_mistakes_are_refused_by_name() {
    let rows = |cell: &str| format!("x,y\n1,a\n2,b\n3,a\n{cell},b\n");
    for (cell, hint) in
        [("\"1,200\"", "thousands"), ("5%", "percent"), ("$5", "currency"), ("unknown", "--missing unknown")]
    {
        let error = load(&rows(cell), &TableOptions::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::CsvCell, "{error:?}");
        assert!(
            error.message.contains("row 4: column `x`") && error.hint.as_deref().unwrap().contains(hint),
            "{error:?}"
        );
    }
    let said = TableOptions { missing: vec!["unknown".into()], ..TableOptions::default() };
    assert!(load(&rows("unknown"), &said).unwrap().0.rows[3][0].is_nan());
    let said = TableOptions { categories: vec!["x".into()], ..TableOptions::default() };
    assert_eq!(kinds(&rows("unknown"), &said), ["x: one of 4 categories"]);
}

#[test]
fn texts_and_rows_numbers_are_noticed() {
    let rows: String =
        (0..60).map(|row| format!("{row},a text {row},{}\n", if row % 2 == 0 { "p" } else { "q" })).collect();
    let text = format!("PassengerId,words,y\n{rows}");
    let (data, notes) = load(&text, &TableOptions::default()).unwrap();
    assert_eq!(data.features, ["PassengerId"]);
    assert!(notes[0].contains("`words` is left out") || notes[1].contains("`words` is left out"), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("number of rows")), "{notes:?}");
    let said = TableOptions { text: vec!["words".into()], ..TableOptions::default() };
    assert_eq!(load(&text, &said).unwrap_err().code, ErrorCode::CsvCell);
}

#[test]
fn how_tables_are_written_is_recognised() {
    let plain = load("a,b,y\n1.5,2,p\n2.5,3,q\n", &TableOptions::default()).unwrap().0;
    for text in ["a;b;y\n1,5;2;p\n2,5;3;q\n", "sep=;\na;b;y\n1,5;2;p\n2,5;3;q\n", "a\tb\ty\n1.5\t2\tp\n2.5\t3\tq\n"] {
        assert_eq!(load(text, &TableOptions::default()).unwrap().0.rows, plain.rows, "{text:?}");
    }
    let headless = TableOptions { no_header: true, ..TableOptions::default() };
    let read = load("1.5,2,p\n2.5,3,q\n", &headless).unwrap().0;
    assert_eq!((read.rows, read.features), (plain.rows, vec!["column1".to_owned(), "column2".to_owned()]));
    let error = load("1.5,2,p\n2.5,3,q\n", &TableOptions::default()).unwrap_err();
    assert!(error.code == ErrorCode::CsvHeader && error.hint.unwrap().contains("--no-header"));
}

#[test]
fn the_label_is_looked_for_where_the_last_column_is_none() {
    let error = load("x,diagnosis,z\n1,B,0.5\n2,M,1.5\n3,B,2.5\n", &TableOptions::default()).unwrap_err();
    assert!(error.code == ErrorCode::CsvTarget && error.hint.unwrap().contains("--target diagnosis"));
}

#[test]
fn categories_of_few_rows_are_not_named() {
    let city = |row: usize| match row {
        0 => "Hamlet of one",
        1 | 2 => "Village of two",
        row if row % 2 == 0 => "Rome",
        _ => "Oslo",
    };
    let rows: String = (0..40).map(|row| format!("{row},{},{}\n", city(row), ["p", "q"][row % 2])).collect();
    let text = format!("x,city,y\n{rows}");
    let (data, notes) = load(&text, &TableOptions::default()).unwrap();
    let listed = |data: &Dataset| data.input.as_ref().unwrap().columns[1].kind.clone();
    let wanted = fhectl_core::model::ColumnKind::Category { values: vec!["Oslo".into(), "Rome".into()] };
    assert_eq!(listed(&data), wanted);
    assert_eq!((data.rows[0][1], data.rows[2][1], data.rows[3][1]), (2.0, 2.0, 0.0), "rare ones are as unknown ones");
    assert!(notes.iter().any(|note| note.contains("`city`: 2 of 4 categories")), "{notes:?}");
    let said = TableOptions { categories: vec!["city".into()], ..TableOptions::default() };
    assert_eq!(listed(&load(&text, &said).unwrap().0), wanted);
}

#[test]
fn a_list_of_people_is_no_list_of_categories() {
    // Each name is there twice, so that half of the texts are no new ones.
    let rows: String =
        (0..40).map(|row| format!("{},person {},{}\n", row * 3 % 7, row / 2, ["p", "q"][row % 2])).collect();
    let text = format!("x,who,y\n{rows}");
    let (data, notes) = load(&text, &TableOptions::default()).unwrap();
    assert_eq!(data.features, ["x"]);
    assert!(
        notes.iter().any(|note| note.contains("`who` is left out") && note.contains("--category who")),
        "{notes:?}"
    );
    let said = TableOptions { categories: vec!["who".into()], ..TableOptions::default() };
    assert_eq!(load(&text, &said).unwrap().0.input.unwrap().columns[1].kind.describe(), "one of 20 categories");
}
