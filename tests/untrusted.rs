//! Answers that fail their checks, through the real binary: the run goes on to its last row and then ends with an error.

mod common;
mod live;
#[path = "common/process.rs"]
mod process;
#[path = "common/proxy.rs"]
mod proxy;

use live::{Fixture, Live};
use process::{run, stderr, stdout};
use proxy::{Proxy, Tamper};
use std::path::Path;
use std::process::Output;

const ROWS: usize = 400;

/// A server, a client's folder, and rows for it.
struct Scene {
    model: Fixture,
    live: Live,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let model = Fixture::tiny();
        let live = Live::plain(&[&model]);
        let folder = tempfile::tempdir().unwrap();
        let mut rows = String::from("f0,f1,f2,f3,f4,f5,y\n");
        for row in model.rows(ROWS) {
            let cells: Vec<String> = row.iter().map(u32::to_string).collect();
            rows += &format!("{},a\n", cells.join(","));
        }
        std::fs::write(folder.path().join("rows.csv"), rows).unwrap();
        Self { model, live, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, proxy: &Proxy, arguments: &[&str]) -> Output {
        let (keys, models, url) = (self.path("keys"), self.path("none"), proxy.url());
        let (command, rest) = arguments.split_first().unwrap();
        run(&[&[*command, "tiny", "--url", &url, "--models", &models, "--keys", &keys], rest].concat())
    }

    /// Predicts all rows; the lines of the table, and how the command ended.
    fn predict(&self, proxy: &Proxy) -> (Vec<String>, Output) {
        let (rows, table) = (self.path("rows.csv"), self.path("table.csv"));
        let output = self.run(proxy, &["predict", "--input", &rows, "--output", &table]);
        let text = std::fs::read_to_string(Path::new(&table)).unwrap();
        (text.lines().skip(1).map(str::to_owned).collect(), output)
    }
}

#[track_caller]
fn assert_untrusted(output: &Output, batches: &str, what: &str) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in ["error[answers_untrusted]", batches, what, "hint: "] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

const EMPTY: &str = ",,,";

#[test]
fn another_clients_key_is_told_at_the_end_and_no_batch_is_missing() {
    let scene = Scene::new();
    let other = Fixture::with_key(scene.model.bundle.clone());
    scene.live.upload(&other, 1).ok();

    let honest = Proxy::start(scene.live.address, Tamper::Nothing);
    let (lines, output) = scene.predict(&honest);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(lines.len() == ROWS && !lines.iter().any(|line| line == EMPTY));
    let batches = honest.inferences();
    assert!(batches >= 3, "{batches} batches");

    let proxy = Proxy::start(scene.live.address, Tamper::Key(other.key_id()));
    let (lines, output) = scene.predict(&proxy);
    assert_untrusted(&output, &format!("{batches} batches"), "another evaluation key");
    assert_eq!(proxy.inferences(), batches);
    assert!(lines.len() == ROWS && lines.iter().all(|line| line == EMPTY));
}

#[test]
fn a_key_that_is_passed_off_as_the_clients_is_seen_by_the_tag() {
    let scene = Scene::new();
    let other = Fixture::with_key(scene.model.bundle.clone());
    scene.live.upload(&other, 1).ok();
    let proxy = Proxy::start(scene.live.address, Tamper::KeyAndItsName(other.key_id()));
    let (lines, output) = scene.predict(&proxy);
    assert_untrusted(&output, "cannot be trusted", "a tag came back changed");
    assert!(proxy.inferences() >= 3 && lines.len() == ROWS);
    // The first batch has a tag.
    assert!(lines[..20].iter().all(|line| line == EMPTY));
}

#[test]
fn one_damaged_batch_leaves_the_others() {
    let scene = Scene::new();
    let (all, output) = scene.predict(&Proxy::start(scene.live.address, Tamper::Nothing));
    assert!(output.status.success());
    let proxy = Proxy::start(scene.live.address, Tamper::Answers(1));
    let (lines, output) = scene.predict(&proxy);
    assert_untrusted(&output, "one batch of answers", "digest");
    assert!(proxy.inferences() >= 3);
    let empty: Vec<usize> = (0..ROWS).filter(|row| lines[*row] == EMPTY).collect();
    assert!(!empty.is_empty() && empty[0] > 0 && empty.len() < ROWS / 2);
    assert!(empty.windows(2).all(|two| two[1] == two[0] + 1));
    assert!((0..ROWS).all(|row| lines[row] == EMPTY || lines[row] == all[row]));
}

#[test]
fn play_goes_on_to_the_last_row_and_counts_what_was_answered() {
    let scene = Scene::new();
    let (rows, json) = (scene.path("rows.csv"), scene.path("figures.json"));
    for jobs in ["1", "3"] {
        let proxy = Proxy::start(scene.live.address, Tamper::Answers(2));
        let arguments = ["play", "--data", &rows, "--samples", "8", "--jobs", jobs, "--export-json", &json];
        let output = scene.run(&proxy, &arguments);
        assert_untrusted(&output, "one batch of answers", "digest");
        assert_eq!(proxy.inferences(), 8);
        let text = stdout(&output);
        let (before, end) = text.split_once("Accuracy on 7 samples").expect("an accuracy on seven rows");
        assert!(!before.contains("trusted"), "told before the end: {text}");
        assert!(end.contains("Rows without an answer that can be trusted, not counted here: 1"), "{text}");
        let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        assert_eq!((&figures["samples"], &figures["unanswered"]), (&7.into(), &1.into()));
    }
}
