//! Test vectors of every circuit at fixed seeds, in `tests/vectors/`: what `docs/src/reference/formats.md` specifies, as bytes.
//!
//! All bytes that a client makes must equal the vectors, and so must the answers of circuits that compute with integers only.
//! The last bits of answers from bootstraps or CMUXes depend on the plan of the Fourier transform, which a process chooses by
//! measurement. These answers must decrypt to the scores of the vectors. `scripts/check_vectors.py` reads the same files
//! without this code.
//!
//! To write them again: `FHECTL_WRITE_VECTORS=1 cargo test --release --test vectors`. The seeds are for tests only.

#[path = "vectors/cases.rs"]
mod cases;
mod common;
#[path = "vectors/key_files.rs"]
mod key_files;
#[path = "vectors/transcript.rs"]
mod transcript;

use cases::{CASES, Case};
use fhectl_core::circuit::{self, CircuitSpec};
use fhectl_core::fhe::noise::{self, MIN_LWE_DIMENSION};
use fhectl_core::model::Model;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use transcript::{Files, Transcript};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn read(name: &str, file: &str) -> Vec<u8> {
    let path = folder(name).join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The case as its files have it.
fn stored(name: &str) -> Case {
    let json = |file: &str| String::from_utf8(read(name, file)).unwrap();
    Case {
        client: serde_json::from_str(&json("client.json")).unwrap(),
        server: serde_json::from_str(&json("model.json")).unwrap(),
        rows: serde_json::from_str(&json("rows.json")).unwrap(),
    }
}

/// Writes the vectors anew where that is asked for, once and before any test reads them.
fn written() {
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| {
        if std::env::var_os("FHECTL_WRITE_VECTORS").is_some_and(|value| value == "1") {
            for (name, case) in CASES {
                let case = case();
                write(name, &Transcript::new(&case).make(&case));
            }
            write(key_files::FOLDER, &key_files::make());
        }
    });
}

fn write(name: &str, files: &Files) {
    fs::create_dir_all(folder(name)).unwrap();
    for entry in fs::read_dir(folder(name)).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (file, bytes) in files {
        fs::write(folder(name).join(file), bytes).unwrap();
    }
}

/// Whether the same seeds give the same answers in every process.
fn in_whole_numbers(circuit: &CircuitSpec) -> bool {
    matches!(circuit, CircuitSpec::Linear(_) | CircuitSpec::PathCost(_) | CircuitSpec::PathCostSum(_))
}

/// How far a score may be from the clear model's: exact circuits and networks of little noise not at all.
fn tolerance(case: &Case) -> i64 {
    let (CircuitSpec::Network(params), Model::Network(model)) = (&case.client.circuit, &case.server.model) else {
        return 0;
    };
    let last = model.layers.last().unwrap();
    // Beyond eight deviations noise goes less than once in 2^45 scores; half a level is rounded away.
    let noise = 8.0 * last.noise * last.plaintext_modulus as f64;
    let level = params.score_plaintext_modulus as f64 / params.shown_levels().unwrap() as f64;
    (noise + level / 2.0) as i64
}

fn check(name: &str) {
    let case = stored(name);
    let transcript = Transcript::new(&case);
    let mut made = transcript.make(&case);
    if !in_whole_numbers(&case.client.circuit) {
        let fresh = transcript.scores(&made["answers.bin"]);
        let then = read(name, "answers.bin");
        for ((row, now), then) in case.rows.iter().zip(fresh).zip(transcript.scores(&then)) {
            let clear = case.server.model.scores(&case.client.quantize(row).unwrap());
            for (clear, (now, then)) in clear.iter().zip(now.values().iter().zip(then.values())) {
                let far = (clear - now).abs().max((clear - then).abs());
                assert!(far <= tolerance(&case), "{name}: scores {now} and {then} for {clear}");
            }
        }
        // From here on it is the stored answers whose scores are looked at.
        made.insert("scores.json", transcript.scores_json(&case, &then));
        made.insert("answers.bin", then);
    }
    for (file, bytes) in &made {
        assert!(*bytes == read(name, file), "{name}/{file} is not what is made now; see the head of tests/vectors.rs");
    }
    let files: BTreeSet<String> =
        fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, made.keys().map(|file| (*file).to_owned()).collect(), "{name}: other files");
}

#[test]
fn the_bytes_are_those_of_the_vectors() {
    written();
    CASES.iter().for_each(|(name, _)| check(name));
}

/// Answers in whole numbers stand in the vectors as the clear model has them, whatever the tolerance.
#[test]
fn the_vectors_hold_what_the_models_say() {
    written();
    for (name, _) in CASES {
        let case = stored(name);
        let transcript = Transcript::new(&case);
        for (row, scores) in case.rows.iter().zip(transcript.scores(&read(name, "answers.bin"))) {
            let clear = case.server.model.scores(&case.client.quantize(row).unwrap());
            let far = clear.iter().zip(scores.values()).map(|(a, b)| (a - b).abs()).max().unwrap();
            assert!(far <= tolerance(&case), "{name}: {scores:?} for {clear:?}");
        }
    }
}

/// Key files are drawn anew each time that they are made, so those that are there are opened.
#[test]
fn key_files_open_to_their_bits() {
    written();
    for kind in key_files::KINDS {
        let [file, bits] = kind.map(|file| read(key_files::FOLDER, file));
        assert!(key_files::opened(kind, &file) == bits, "{kind:?}");
    }
}

/// A vector of other bytes is seen: one bit of an answer's first word makes another score or none.
#[test]
fn an_altered_answer_has_other_scores() {
    written();
    let case = stored("linear");
    let transcript = Transcript::new(&case);
    let item = transcript.items(&read("linear", "answers.bin")).remove(0);
    let scores = |item: &[u8]| circuit::decode(&case.client.circuit, transcript.keys.secret(), item).unwrap();
    let mut altered = item.clone();
    // The top bit of the body, which is the last word of the first score.
    let CircuitSpec::Linear(params) = &case.client.circuit else { panic!("not linear") };
    let bit = (params.shape.lwe_dimension() + 1) * params.response_bits as usize - 1;
    altered[bit / 8] ^= 1 << (bit % 8);
    assert_ne!(scores(&item), scores(&altered));
}

/// The noise bound that `docs/src/reference/formats.md` gives as a formula.
#[test]
fn the_documents_noise_bound_is_the_codes() {
    for dimension in MIN_LWE_DIMENSION..=8192 {
        let line = (68.100_671 - 0.025_167_785 * dimension as f64).ceil() as i32;
        let bound = if line >= 13 { line } else { (line + 1).max(4) };
        assert_eq!(noise::t_uniform_bound(dimension) as i32, bound, "dimension {dimension}");
    }
}
