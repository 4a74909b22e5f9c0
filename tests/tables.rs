//! Tables as people have them, from `create` to `predict`, through the real binary.

#[path = "common/process.rs"]
mod process;

use process::{folder, mistake, succeed};
use std::fmt::Write;
use std::fs;

/// Passengers: a gap in every seventh age, two sexes, three ports, a date, a comment that differs in every row. Who
/// survives follows from sex and age but for every eleventh.
fn passengers(rows: usize, separator: char, comma: bool) -> String {
    let columns = ["id", "age", "sex", "port", "since", "comment", "survived"];
    let mut text = columns.join(&separator.to_string()) + "\n";
    for row in 0..rows {
        let age = (row * 37 % 80) as f64 + 0.5;
        let female = row * 7 % 13 < 6;
        let lives = (female && age < 60.0) != (row % 11 == 0);
        let age = if row % 7 == 0 { String::new() } else { age.to_string() };
        let cells = [
            row.to_string(),
            if comma { age.replace('.', ",") } else { age },
            if female { "female" } else { "male" }.to_owned(),
            ["Cork", "Paris", "York"][row % 3].to_owned(),
            format!("19{:02}-0{}-11", row % 90, row % 9 + 1),
            format!("remark {row}"),
            if lives { "yes" } else { "no" }.to_owned(),
        ];
        let _ = writeln!(text, "{}", cells.join(&separator.to_string()));
    }
    text
}

fn figure(text: &str, start: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no `{start}`: {text}"));
    line.trim().parse().unwrap()
}

#[test]
fn words_gaps_and_dates_train_and_predict() {
    let (_folder, at) = folder();
    fs::write(at("train.csv"), passengers(600, ';', true)).unwrap();
    fs::write(at("test.csv"), passengers(40, ',', false)).unwrap();
    for kind in ["tree", "forest", "boost", "logreg"] {
        let (data, out) = (at("train.csv"), at("models"));
        let said = succeed(&["create", kind, "--data", &data, "--out", &out, "--name", kind, "--drop", "id"]);
        assert!(said.contains("column `sex` (one of 2 categories)"), "{said}");
        assert!(figure(&said, "quantised accuracy:") > 0.85, "{kind}: {said}");
        assert!(said.contains("class yes: recall 0."), "{said}");
        let told = said.lines().find(|line| line.starts_with("client.zip, which is public, holds of the rows: "));
        assert!(told.is_some_and(|told| told.contains("names of categories, names of classes")), "{said}");

        let model = format!("{}/{kind}", at("models"));
        let out = succeed(&["predict", &model, "--input", &at("test.csv"), "--keep", "id,port", "--keys", &at("keys")]);
        let mut lines = out.lines();
        assert!(lines.next().unwrap().starts_with("id,port,prediction,score_no,score_yes"), "{out}");
        let labels: Vec<String> =
            passengers(40, ',', false).lines().skip(1).map(|row| row.rsplit(',').next().unwrap().to_owned()).collect();
        let right = lines.zip(&labels).filter(|(line, label)| line.split(',').nth(2) == Some(label)).count();
        assert!(right >= 30, "{kind}: {right} of 40 right");
        let card = fs::read_to_string(format!("{model}/README.md")).unwrap();
        assert!(card.contains("the names of the categories of `sex`, `port`"), "{card}");
        assert!(card.contains("the values that stand for missing ones"), "{card}");
    }
}

#[test]
fn texts_become_weighted_words() {
    let (_folder, at) = folder();
    let mut text = "body,label\n".to_owned();
    for row in 0..400 {
        let (words, label) = match row % 2 {
            0 => (["win money now", "free money offer", "claim your free prize"][row % 3], "spam"),
            _ => (["see you at lunch", "the meeting is at noon", "notes of the meeting"][row % 3], "ham"),
        };
        let _ = writeln!(text, "\"{words}, number {}\",{label}", row % 17);
    }
    fs::write(at("mails.csv"), text).unwrap();
    let make = |extra: &[&str]| {
        let (data, out) = (at("mails.csv"), at("m"));
        let create =
            ["create", "logreg", "--data", &data, "--out", &out, "--name", "mails", "--force", "--text", "body"];
        succeed(&[&create[..], extra].concat())
    };
    assert!(figure(&make(&[]), "quantised accuracy:") > 0.99);
    fs::write(at("new.csv"), "body\nfree money for you\nlunch at noon\n").unwrap();
    let out = succeed(&["predict", &format!("{}/mails", at("m")), "--input", &at("new.csv"), "--keys", &at("keys")]);
    let classes: Vec<&str> = out.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(classes, ["spam", "ham"]);
    // Hashed, client.zip holds no word of the mails.
    make(&["--hash-text", "--text-words", "256"]);
    let inspected = succeed(&["inspect", &format!("{}/mails", at("m")), "--json"]);
    assert!(!inspected.contains("lunch") && !inspected.contains("prize"), "{inspected}");
}

#[test]
fn rows_that_do_not_suit_are_skipped_or_stop() {
    let (_folder, at) = folder();
    let rows: String = (0..60).map(|row| format!("{},{},{}\n", row % 10, row % 7, u8::from(row % 10 > 4))).collect();
    fs::write(at("train.csv"), format!("a,b,y\n{rows}")).unwrap();
    succeed(&["create", "logreg", "--data", &at("train.csv"), "--out", &at("m"), "--name", "m"]);
    fs::write(at("new.csv"), "a,b,note\n9,1,x\n,2,y\nabc,2,z\n500,0,w\n").unwrap();
    let model = format!("{}/m", at("m"));
    let (input, keys) = (at("new.csv"), at("keys"));
    let arguments = ["predict", &model, "--input", &input, "--keys", &keys];
    let error = mistake("csv_cell", &arguments);
    assert!(error.contains("row 2: column `a` is missing") && error.contains("--on-error skip"), "{error}");
    let out = succeed(&[&arguments[..], &["--on-error", "skip", "--keep", "note"]].concat());
    let cells: Vec<Vec<&str>> = out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(cells[0], ["note", "prediction", "score_0", "score_1", "outside"]);
    assert_eq!((cells[1][1], cells[2][1], cells[3][1], cells[4][1]), ("1", "", "", "1"));
    // Kept cells, and the feature that lies beyond the grid.
    assert_eq!((cells[2][0], cells[1][4], cells[4][4]), ("y", "", "a"));
}

#[test]
fn a_range_lets_a_linear_model_reach_farther() {
    let (_folder, at) = folder();
    let rows: String = (0..200).map(|row| format!("{},{}\n", row % 10, 3 * (row % 10))).collect();
    fs::write(at("train.csv"), format!("a,y\n{rows}")).unwrap();
    fs::write(at("far.csv"), "a\n5\n40\n").unwrap();
    let predicted = |name: &str, extra: &[&str]| -> Vec<f64> {
        let (data, out) = (at("train.csv"), at("m"));
        let create = ["create", "linreg", "--data", &data, "--out", &out, "--name", name];
        succeed(&[&create[..], extra].concat());
        let model = format!("{}/{name}", at("m"));
        let out = succeed(&["predict", &model, "--input", &at("far.csv"), "--keys", &at("keys")]);
        out.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
    };
    let near = predicted("near", &["--margin", "0"]);
    assert!((near[0] - 15.0).abs() < 0.5 && near[1] < 30.0, "{near:?}");
    // Half of the range farther, unless another margin is asked for.
    let usual = predicted("usual", &[]);
    assert!((usual[0] - 15.0).abs() < 0.5 && (usual[1] - 42.0).abs() < 0.5, "{usual:?}");
    let wide = predicted("wide", &["--margin", "4"]);
    assert!((wide[1] - 120.0).abs() < 1.0, "{wide:?}");
    let far = predicted("far", &["--range", "a=0:50"]);
    assert!((far[0] - 15.0).abs() < 0.5 && (far[1] - 120.0).abs() < 1.0, "{far:?}");
}

#[test]
fn every_kind_of_file_gives_the_same_model_and_predictions() {
    let (_folder, at) = folder();
    let fixture = |name: &str| format!("{}/tests/fixtures/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut wanted = None;
    for name in ["table.csv", "snappy.parquet", "named-index.parquet", "lz4.feather", "polars.arrow", "large.arrows"] {
        // One name, which a model's card tells.
        let file = at(&format!("rows.{}", name.rsplit_once('.').unwrap().1));
        fs::copy(fixture(name), &file).unwrap();
        let (model, out) = (format!("{}/m", at("models")), at("models"));
        let create = ["create", "tree", "--data", &file, "--out", &out, "--name", "m", "--force"];
        succeed(&[&create[..], &["--dates", "day,moment", "--test-data", &file]].concat());
        let made = fs::read(format!("{model}/server.zip")).unwrap();
        let predicted = succeed(&["predict", &model, "--input", &file, "--keep", "port,whole", "--keys", &at("keys")]);
        assert_eq!(predicted.lines().count(), 91);
        let (bytes, predictions) = wanted.get_or_insert_with(|| (made.clone(), predicted.clone()));
        assert!(*bytes == made, "{name} gives another model");
        assert_eq!(*predictions, predicted, "{name}");
        if name != "table.csv" {
            let played = succeed(&["play", &model, "--data", &file, "--samples", "5"]);
            assert!(played.contains("100.00 % of answers"), "{played}");
        }
    }
    // What is inside decides, whatever the name says.
    fs::copy(fixture("zstd.parquet"), at("rows.csv")).unwrap();
    let (model, input) = (format!("{}/m", at("models")), at("rows.csv"));
    assert_eq!(
        succeed(&["predict", &model, "--input", &input, "--keep", "port,whole", "--keys", &at("keys")]),
        wanted.unwrap().1
    );
}

/// A table of two columns and labels; the first cells are `cell(row)`.
fn odd(cell: impl Fn(usize) -> String) -> String {
    let row = |row: usize| format!("{},{},{}\n", cell(row), row % 7, ["no", "yes"][usize::from(row % 10 > 4)]);
    (0..120).fold("a,b,y\n".to_owned(), |text, at| text + &row(at))
}

#[test]
fn odd_tables_are_read() {
    let (_folder, at) = folder();
    let plain = odd(|row| (row % 10).to_string());
    let cases = [
        ("line ends", plain.replace('\n', "\r\n"), ""),
        ("separators at the ends of lines", plain.replace('\n', ",,\n"), ""),
        ("separators at the ends of rows", plain.replace('\n', ",\n").replacen(",\n", "\n", 1), ""),
        (
            "line ends within cells",
            odd(|row| format!("\"{}\n kind\"", ["low", "high"][row % 10 / 5])),
            "one of 2 categories",
        ),
        ("tickets", odd(|row| if row % 3 == 0 { format!("PC {row}") } else { row.to_string() }), "`a` is left out: "),
        ("weights", odd(|row| format!("{}.{} kg", row, row % 10)), "numbers with words, such as `"),
        (
            "American dates",
            odd(|row| format!("0{}/1{}/2024", row % 9 + 1, row % 7)),
            "`a` is left out: dates that are not written as",
        ),
        ("classes in two cases", plain.replace("8,1,yes", "8,1,YES"), "`YES` and `yes` are two classes"),
    ];
    for (what, text, said) in cases {
        fs::write(at("t.csv"), &text).unwrap();
        let (data, out) = (at("t.csv"), at("m"));
        let output = process::run(&["create", "tree", "--data", &data, "--out", &out, "--name", "t", "--force"]);
        let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && all.contains(said), "{what}: {all}");
        succeed(&["predict", &format!("{}/t", at("m")), "--input", &data, "--keys", &at("keys")]);
    }
}

#[test]
fn what_is_wrong_with_a_table_is_told_by_row_and_cell() {
    let (_folder, at) = folder();
    let plain = odd(|row| (row % 10).to_string());
    let cases = [
        (odd(|row| format!("\u{2212}{row}")), "csv_cell", "row 1: column `a`: `\u{2212}0`", "plain hyphen"),
        (odd(|row| format!("1 {}", 200 + row)), "csv_cell", "row 1: column `a`: `1 200`", "thousands"),
        (
            odd(|row| if row == 70 { "12%".into() } else { row.to_string() }),
            "csv_cell",
            "row 71: column `a`",
            "percent",
        ),
        (format!("Report of May\n{plain}"), "csv_header", "`Report of May`, has one cell", "delete what stands above"),
        (format!("# made by hand\n{}", plain.replace(',', ";")), "csv_header", "those below have 3", "delete what"),
        (plain.replace(',', ":"), "csv_columns", "no column beside the target `a:b:y`", "nothing else"),
        (plain.replacen("5,", "\"5,", 1), "csv_ragged", "line 121", "opened and not closed"),
        (
            odd(|_| " \"big, red\"".into()).replacen(" \"", "x, \"", 1),
            "csv_ragged",
            "row 1: 5 cells",
            "take away the space",
        ),
        (plain.replacen("0,0,no", "0,0,NA", 1), "csv_cell", "row 1: column `y` is missing: `NA`", "drop those"),
        (format!("{plain}7,1\n"), "csv_ragged", "row 121: 2 cells, the header has 3", "as many cells"),
    ];
    for (text, code, message, hint) in cases {
        fs::write(at("t.csv"), &text).unwrap();
        let error = mistake(code, &["create", "tree", "--data", &at("t.csv"), "--out", &at("m"), "--name", "t"]);
        assert!(error.contains(message) && error.contains(hint), "{message}: {error}");
    }
}
