//! Bundles as two lines of text, `client.json` and `model.json`: what a fuzzer changes, and the zip files around them.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Number, Value, json};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// `client.zip` and `server.zip` of two documents, with the id that belongs to them.
pub fn zips(client_json: &str, model_json: &str) -> (Vec<u8>, Vec<u8>) {
    let id = id(client_json, model_json);
    let own = [("client.json", client_json), ("id", &id), ("model.json", model_json)];
    (zip(&own[..2]), zip(&own))
}

/// The id of a bundle: `docs/src/reference/formats.md` and `bundle::ModelId` say how it is made.
fn id(client_json: &str, model_json: &str) -> String {
    let length = (client_json.len() as u64).to_le_bytes();
    let parts = [b"fhectl bundle\n", length.as_slice(), client_json.as_bytes(), model_json.as_bytes()];
    Sha256::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A mutator for [`libfuzzer_sys::fuzz_mutator`]: mostly changes values within the documents, which stay JSON; now and then
/// bytes.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed));
    match changed(&data[..size], &mut dice) {
        Some(text) if text.len() <= max_size && dice.below(8) != 0 => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

fn changed(data: &[u8], dice: &mut Dice) -> Option<String> {
    let lines = std::str::from_utf8(data).ok()?.lines();
    let mut documents: Vec<Value> = lines.map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
    for _ in 0..=dice.below(3) {
        let other = documents.get(dice.below(documents.len()))?.clone();
        let at = dice.below(documents.len());
        change(&mut documents[at], &other, dice);
    }
    Some(documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"))
}

/// Changes one value somewhere in the document, small parts as often as large ones.
fn change(value: &mut Value, other: &Value, dice: &mut Dice) {
    let children = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if children > 0 && dice.below(8) != 0 {
        let at = dice.below(children);
        let child = match value {
            Value::Array(items) => &mut items[at],
            Value::Object(fields) => fields.values_mut().nth(at).expect("one of them"),
            _ => unreachable!("others have no children"),
        };
        return change(child, other, dice);
    }
    match value {
        _ if dice.below(12) == 0 => *value = part(other, dice).clone(),
        _ if dice.below(12) == 0 => *value = json!([null, true, 0, "", [], {}, [[]], 0.5])[dice.below(8)].clone(),
        Value::Number(number) => *number = changed_number(number, dice),
        Value::String(text) => *text = WORDS[dice.below(WORDS.len())].to_owned(),
        Value::Bool(flag) => *flag = !*flag,
        Value::Null => *value = changed_number(&1.into(), dice).into(),
        Value::Array(items) if items.is_empty() => items.push(part(other, dice).clone()),
        Value::Array(items) => {
            let at = dice.below(items.len());
            match dice.below(6) {
                0 => items.truncate(at),
                1 => drop(items.remove(at)),
                2 => items.swap(0, at),
                3 => items.extend_from_within(at..),
                // As many as another limit may be: what is short to say and long to compute.
                4 => items.resize(1 << dice.below(9), items[at].clone()),
                _ => items.insert(at, items[at].clone()),
            }
        }
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let Some(name) = names.get(dice.below(names.len().max(1))) else { return };
            match dice.below(3) {
                0 => drop(fields.remove(name)),
                1 => fields[name] = fields[&names[dice.below(names.len())]].clone(),
                _ => drop(fields.insert(WORDS[dice.below(WORDS.len())].to_owned(), part(other, dice).clone())),
            }
        }
    }
}

/// Some value of a document.
fn part<'a>(value: &'a Value, dice: &mut Dice) -> &'a Value {
    let child = match value {
        _ if dice.below(4) == 0 => None,
        Value::Array(items) if !items.is_empty() => items.get(dice.below(items.len())),
        Value::Object(fields) if !fields.is_empty() => fields.values().nth(dice.below(fields.len())),
        _ => None,
    };
    child.map_or(value, |child| part(child, dice))
}

/// Numbers at which something may end: next to the one that was there, powers of two, the ends of types.
fn changed_number(number: &Number, dice: &mut Dice) -> Number {
    let (whole, real) = (number.as_i64().unwrap_or(1), number.as_f64().unwrap_or(1.0));
    let power = 1u64 << dice.below(64);
    match dice.below(12) {
        0 => whole.wrapping_add(1).into(),
        1 => whole.wrapping_sub(1).into(),
        2 => whole.wrapping_mul(2).into(),
        3 => (whole / 2).into(),
        4 => whole.wrapping_neg().into(),
        5 => (dice.below(70) as u64).into(),
        6 | 7 => power.into(),
        8 => (power - 1).into(),
        9 => (power as i64).wrapping_neg().into(),
        10 => [0, u64::MAX, i64::MAX as u64, 1 << 31, (1 << 31) - 1, u64::from(u32::MAX)][dice.below(6)].into(),
        _ => {
            let reals = [real + 0.5, real * 1e300, real * 1e-300, f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 1e-5];
            Number::from_f64(reals[dice.below(8)]).unwrap_or_else(|| 0.into())
        }
    }
}

/// Names and tags of the format.
const WORDS: [&str; 62] = [
    "",
    ".",
    "x\u{7}",
    "linear",
    "path-cost",
    "path-cost-sum",
    "leaf-sum",
    "cmux-forest",
    "table",
    "network",
    "nothing",
    "size",
    "model",
    "edges",
    "affine",
    "scale",
    "normalize",
    "l1",
    "l2",
    "max",
    "tree",
    "forest",
    "logit",
    "share",
    "margin",
    "dense",
    "conv",
    "sparse",
    "split",
    "leaf",
    "rule",
    "circuit",
    "map",
    "step",
    "preparation",
    "inner",
    "score_unit",
    "score_offset",
    "score_scale",
    "offsets",
    "scales",
    "norm",
    "low",
    "levels",
    "inputs",
    "channels",
    "rows",
    "height",
    "width",
    "filters",
    "kernel",
    "stride",
    "padding",
    "outputs",
    "thresholds",
    "weights",
    "biases",
    "trees",
    "nodes",
    "activation",
    "noise_flooding",
    "evaluation",
];

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % limit.max(1) as u64) as usize
    }
}
