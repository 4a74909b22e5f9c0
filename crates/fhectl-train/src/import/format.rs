//! What a file is, by its first bytes: models that are read, and what to do about those that are not.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    Onnx,
    /// XGBoost's JSON.
    XgboostJson,
    /// XGBoost's UBJSON.
    XgboostUbjson,
    /// LightGBM's text.
    Lightgbm,
    /// CatBoost's JSON.
    CatboostJson,
    /// Something else: what it is, and the line that makes a file that is read.
    Other(&'static str, &'static str),
}

pub(super) const ONNX_HINT: &str = "read are ONNX (skl2onnx, torch.onnx.export), XGBoost's save_model as .json or .ubj, LightGBM's \
                         save_model, and CatBoost's save_model with format=\"json\"";
pub(super) const SKLEARN: &str = "for scikit-learn: `open(\"model.onnx\", \"wb\").write(skl2onnx.to_onnx(model, \
                       X[:1].astype(\"float32\")).SerializeToString())`; XGBoost: `model.save_model(\"model.json\")`; \
                       LightGBM: `model.booster_.save_model(\"model.txt\")`; CatBoost: \
                       `model.save_model(\"model.json\", format=\"json\")`; PyTorch: `torch.onnx.export(model.eval(), \
                       (X[:1],), \"model.onnx\")`";
const TABLE: &str = "rows are named with --data, as CSV; the model is a file of its own";
pub(super) const TORCH: &str = "export it: `torch.onnx.export(model.eval(), (X[:1],), \"model.onnx\")`";
pub(super) const KERAS: &str = "export it: `model.export(\"model.onnx\", format=\"onnx\")` of Keras 3, or `python -m \
                     tf2onnx.convert --saved-model FOLDER --output model.onnx`";
const WEIGHTS: &str = "load them into the network that they belong to, then export that: \
                       `torch.onnx.export(model.eval(), (X[:1],), \"model.onnx\")`";
const XGBOOST: &str =
    "save the whole model: `booster.save_model(\"model.json\")`, or `model.save_model` of XGBClassifier";
const LIGHTGBM: &str = "save the whole model: `booster.save_model(\"model.txt\")`, or `model.booster_.save_model`";
const CATBOOST: &str = "save it as JSON: `model.save_model(\"model.json\", format=\"json\")`, with `pool=` where it has \
                        categories";
pub(super) const CONCRETE: &str = "its folders run on Zama's server only; import the model that it was made of: the fitted \
                        scikit-learn model through skl2onnx, or the torch network through torch.onnx.export";

const SOURCE: &str = "import the model that it was made of: scikit-learn through skl2onnx, XGBoost's, LightGBM's or CatBoost's \
                      save_model, or a network through torch.onnx.export";

/// Tells what a file is.
pub(super) fn format(bytes: &[u8]) -> Format {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let begins = |start: &[u8]| text.starts_with(start);
    match bytes {
        [] => return Format::Other("an empty file", ONNX_HINT),
        [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, ..] => {
            return Format::Other("a file as PyTorch before 1.6 saves models", TORCH);
        }
        [0x80, 2..=5, ..] => return Format::Other("a Python pickle, as pickle.dump and joblib.dump write", SKLEARN),
        [b'P', b'K', ..] => return zip(bytes),
        [0xD0, 0xCF, 0x11, 0xE0, ..] | [b'P', b'A', b'R', b'1', ..] | [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            return Format::Other("a table or an array (Excel, Parquet, NumPy), not a model", TABLE);
        }
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => return Format::Other("a model of TensorFlow Lite", KERAS),
        [0x89, b'H', b'D', b'F', ..] => return Format::Other("an HDF5 file, as Keras saves models", KERAS),
        [0x1F, 0x8B, ..]
        | [b'x', 0x01 | 0x5E | 0x9C | 0xDA, ..]
        | [0xFD, b'7', b'z', b'X', b'Z', ..]
        | [b'B', b'Z', b'h', ..]
        | [0x5D, 0, 0, ..]
        | [0x04, 0x22, 0x4D, 0x18, ..]
        | [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            return Format::Other("a compressed file, perhaps of joblib", SKLEARN);
        }
        [b'b', b'i', b'n', b'f', ..] => return Format::Other("XGBoost's old binary format", XGBOOST),
        [b'C', b'B', b'M', b'1', ..] => return Format::Other("CatBoost's binary format", CATBOOST),
        [b'G', b'G', b'U', b'F', ..] => {
            return Format::Other("a GGUF file, the weights of a large language model", WEIGHTS);
        }
        [b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'$' | b'#' | b'N', ..] => return Format::XgboostUbjson,
        [_, _, _, _, _, _, _, _, b'{', ..] if is_safetensors(bytes) => {
            return Format::Other("a safetensors file: weights without their network", WEIGHTS);
        }
        _ => {}
    }
    if begins(b"version https://git-lfs.github.com/") {
        Format::Other("a pointer of Git LFS, not the file itself", "fetch the file: `git lfs pull`")
    } else if begins(b"tree\n") || begins(b"tree\r\n") {
        Format::Lightgbm
    } else if begins(b"booster[0]") {
        Format::Other("a dump of an XGBoost model, for people to read", XGBOOST)
    } else if begins(b"<") {
        xml(text)
    } else if begins(b"ccopy_reg")
        || begins(b"csklearn")
        || begins(b"c__builtin__")
        || begins(b"(dp0")
        || begins(b"(i__main__")
    {
        Format::Other("a Python pickle of protocol 0", SKLEARN)
    } else if begins(b"[") {
        Format::Other("a dump of a model (XGBoost's dump_model writes such lists), for people to read", XGBOOST)
    } else if begins(b"{") {
        json(text)
    } else if is_text(bytes) {
        Format::Other("a text, not an ONNX model: a table, or a program", ONNX_HINT)
    } else if bytes[0] != 8 && [&b"gbtree"[..], b"gblinear"].iter().any(|name| holds(first(bytes, 1024), name)) {
        // Older than its first four bytes: parameters, then the names of the objective and the booster.
        Format::Other("XGBoost's old binary format", XGBOOST)
    } else if is_saved_model(bytes) {
        Format::Other("a SavedModel of TensorFlow", KERAS)
    } else if bytes[0] == 0x0A && [&b"Placeholder"[..], b"serving_default"].iter().any(|name| holds(bytes, name)) {
        Format::Other("a frozen graph of TensorFlow", KERAS)
    } else if bytes[0] == 0x08 && [&b"coremltools"[..], b"com.github.apple"].iter().any(|name| holds(bytes, name)) {
        Format::Other("a model of Core ML", SOURCE)
    } else {
        Format::Onnx
    }
}

/// The members that tell JSON models apart. What they hold is looked over, not kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Members {
    oblivious_trees: Option<IgnoredAny>,
    features_info: Option<IgnoredAny>,
    tree_info: Option<IgnoredAny>,
    class_name: Option<IgnoredAny>,
    type_name: Option<IgnoredAny>,
}

fn json(text: &[u8]) -> Format {
    let members: Members = serde_json::from_slice(text).unwrap_or_default();
    if members.oblivious_trees.is_some() || members.features_info.is_some() {
        Format::CatboostJson
    } else if members.tree_info.is_some() {
        Format::Other("a dump of a LightGBM model, for people to read", LIGHTGBM)
    } else if members.type_name.is_some() {
        Format::Other("a model that Concrete ML dumped", CONCRETE)
    } else if members.class_name.is_some() {
        Format::Other("the description of a network of Keras, without its weights", KERAS)
    } else {
        Format::XgboostJson
    }
}

/// Text in angle brackets.
fn xml(text: &[u8]) -> Format {
    let begins = first(text, 4096);
    if holds(begins, b"<PMML") {
        Format::Other("a model in PMML", SOURCE)
    } else if holds(begins, b"<net ") {
        Format::Other("the description of a network of OpenVINO", SOURCE)
    } else {
        Format::Other("XML or HTML, perhaps a web page that was saved in the model's place", ONNX_HINT)
    }
}

/// A zip archive, by the names that it holds.
fn zip(bytes: &[u8]) -> Format {
    // Names stand as they are in a zip archive's list, which is at its end.
    let holds = |name: &str| holds(bytes, name.as_bytes());
    if holds("circuit.mlir") || holds("serialized_processing.json") {
        Format::Other("a deployment of Concrete ML", CONCRETE)
    } else if holds("xl/workbook") {
        Format::Other("a table of Excel, not a model", TABLE)
    } else if holds("schema.json") && (holds("__main__") || holds(".npy") || holds("schema.jsonPK")) {
        Format::Other("what skops saves of scikit-learn", SKLEARN)
    } else if holds("experimental/") && holds("model.ini") {
        Format::Other("a MOJO of H2O", SOURCE)
    } else if holds("com.apple.CoreML") {
        Format::Other("a package of Core ML", SOURCE)
    } else if holds("model.weights.h5") {
        Format::Other("a model of Keras", KERAS)
    } else if holds("data.pkl") || holds("serialized_exported_program.json") || holds("models/model.json") {
        Format::Other("a zip archive as PyTorch saves models", TORCH)
    } else {
        Format::Other(
            "a zip archive",
            "unpack it and import the model in it: ONNX, XGBoost's, LightGBM's or CatBoost's",
        )
    }
}

/// Whether the first bytes are lines that people read; ONNX has control characters there.
fn is_text(bytes: &[u8]) -> bool {
    let first = first(bytes, 256);
    first.len() >= 8 && first.iter().all(|byte| !byte.is_ascii_control() || b"\t\n\r".contains(byte))
}

fn first(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[..bytes.len().min(count)]
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The length of a JSON header, then that.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some(length) = bytes.first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    (2..=bytes.len() as u64 - 8).contains(&length) && bytes[8..].starts_with(b"{\"")
}

/// A message whose first member is the version 1, and the second the graph: ONNX names its producer there.
fn is_saved_model(bytes: &[u8]) -> bool {
    let holds = |text: &[u8]| holds(bytes, text);
    bytes.starts_with(&[0x08, 0x01, 0x12])
        && (holds(b"saved_model_main_op") || holds(b"serving_default") || holds(b"__saved_model"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_they_begin_with() {
        for (wanted, bytes) in [
            (Format::XgboostJson, &b" {\"learner\": {}}"[..]),
            (Format::XgboostJson, b"{\"learner\": "),
            (Format::XgboostUbjson, b"{L\0\0\0\0\0\0\0\x07learner"),
            (Format::Lightgbm, b"tree\nversion=v4\n"),
            (Format::Lightgbm, b"tree\r\nversion=v4\r\n"),
            (Format::CatboostJson, b"{\"features_info\": {}, \"oblivious_trees\": []}"),
            (Format::Onnx, b"\x08\x08\x12\x07skl2onnx"),
        ] {
            assert_eq!(format(bytes), wanted, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_read_is_named_with_the_line_to_use() {
        let mut safetensors = 40u64.to_le_bytes().to_vec();
        safetensors.extend(b"{\"weight\":{\"dtype\":\"F32\",\"shape\":[1]}}        ");
        for (what, hint, bytes) in [
            ("empty", "skl2onnx", &b""[..]),
            ("pickle", "to_onnx", b"\x80\x04\x95"),
            ("Parquet", "CSV", b"PAR1"),
            ("Lite", "tf2onnx", b"\x1C\0\0\0TFL3"),
            ("a text", "skl2onnx", b"a,b,y\n1,2,0\n"),
            ("Concrete ML", "skl2onnx", b"{\"type_name\": \"LinearSVC\"}"),
            ("Excel", "CSV", b"PK\x03\x04..xl/workbook.xml"),
            ("Concrete ML", "skl2onnx", b"PK\x03\x04..circuit.mlir"),
            ("PyTorch", "torch.onnx.export", b"PK\x03\x04..archive/data.pkl"),
            ("Keras", "model.onnx", b"PK\x03\x04..model.weights.h5"),
            ("zip", "unpack", b"PK\x03\x04"),
            ("HDF5", "Keras", b"\x89HDF\r\n"),
            ("CatBoost's binary", "format=\"json\"", b"CBM1...."),
            ("Git LFS", "git lfs pull", b"version https://git-lfs.github.com/spec/v1\noid"),
            ("dump", "save_model", b"[\n  { \"nodeid\": 0"),
            ("dump", "save_model", b"booster[0]:\n0:[f0<1] yes=1"),
            ("LightGBM", "save_model", b"{\"name\":\"tree\",\"tree_info\":[]}"),
            ("GGUF", "export", b"GGUF\x03\0\0\0"),
            ("safetensors", "export", &safetensors),
            ("SavedModel", "tf2onnx", b"\x08\x01\x12\x0Aserving_default"),
            ("old binary", "save_model", b"binf\0"),
            ("old binary", "save_model", b"\0\0\0?\x0A\0\0\0\x0F\0\0\0binary:logistic\x06\0\0\0gbtree"),
            ("compressed", "to_onnx", b"\x1F\x8B\x08"),
            ("web page", "ONNX", b"<!DOCTYPE html>"),
            ("PMML", "skl2onnx", b"<?xml version=\"1.0\"?>\n<PMML version=\"4.4\">"),
            ("OpenVINO", "torch.onnx.export", b"<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\">"),
            ("skops", "to_onnx", b"PK\x03\x04..1.npy..schema.json"),
            ("before 1.6", "torch.onnx.export", b"\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20"),
            ("PyTorch", "torch.onnx.export", b"PK\x03\x04..serialized_exported_program.json"),
            ("protocol 0", "to_onnx", b"ccopy_reg\n_reconstructor\np0\n"),
            ("compressed", "to_onnx", b"\xFD7zXZ\0"),
            ("Core ML", "skl2onnx", b"\x08\x04\x12\x20..com.github.apple.coremltools.source"),
            ("frozen graph", "tf2onnx", b"\x0A\x20\x0A\x01x\x12\x0BPlaceholder"),
        ] {
            let Format::Other(got, line) = format(bytes) else { panic!("{what}: {:?}", format(bytes)) };
            assert!(got.contains(what) && line.contains(hint), "{what}: {got} ({line})");
        }
    }
}
