//! Folders that are given in a model's place: what they are, by the names in them, and what to do.

use super::format::{self, CONCRETE, Format, KERAS, ONNX_HINT, SKLEARN, TORCH};
use fhectl_core::error::{Error, ErrorCode};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Of a folder's names no more are looked at.
const MOST: usize = 4096;
/// The bytes of a file that its kind is told by.
const BEGINNING: u64 = 1 << 20;

const HUGGING_FACE: &str = "transformers of this kind are out of reach of encrypted inference; export a small classifier of dense \
                            layers or convolutions with torch.onnx.export, or train a linear model or trees on embeddings that the \
                            client computes";
const SPARK: &str =
    "export the fitted pipeline to ONNX with onnxmltools.convert_sparkml, or train it with scikit-learn or XGBoost";
const OWN: &str = "it is made already: `fhectl serve FOLDER` runs it, `fhectl inspect FOLDER` says what it is";
const COREML: &str = "import the model that it was made of: scikit-learn through skl2onnx, XGBoost's or LightGBM's save_model, or a \
                      network through torch.onnx.export";

/// The refusal of a folder, which names what it is.
pub(super) fn refused(folder: &Path) -> Error {
    let shown = folder.display();
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST) {
        names.insert(entry.file_name().to_string_lossy().into_owned());
    }
    let (what, hint) = kind(folder, &names);
    Error::new(ErrorCode::ImportFormat, format!("{shown} is a folder: {what}")).hint(hint)
}

fn kind(folder: &Path, names: &BTreeSet<String>) -> (String, String) {
    let has = |name: &str| names.contains(name);
    let ends =
        |endings: &[&str]| names.iter().find(|name| endings.iter().any(|ending| name.to_lowercase().ends_with(ending)));
    let told = |what: &str, hint: &str| (what.to_owned(), hint.to_owned());
    let concrete = |name: &str| matches!(begins(folder, name), Format::Other(_, hint) if hint == CONCRETE);
    if has("circuit.mlir") || has("serialized_processing.json") || concrete("client.zip") || concrete("server.zip") {
        return told("a deployment of Concrete ML", CONCRETE);
    }
    if has("client.zip") && has("server.zip") {
        return told("a model that fhectl has made", OWN);
    }
    if has("saved_model.pb") || has("saved_model.pbtxt") {
        return told("a SavedModel of TensorFlow", KERAS);
    }
    if has("Manifest.json") && has("Data") {
        return told("a package of Core ML", COREML);
    }
    let weights = ends(&[".safetensors", ".gguf"]).is_some()
        || ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "adapter_config.json"].into_iter().any(has);
    if (has("config.json") && (weights || has("tokenizer.json") || has("tokenizer_config.json")))
        || has("adapter_config.json")
    {
        return told("a model of Hugging Face", HUGGING_FACE);
    }
    if has("metadata") && (has("stages") || has("data") || has("bestModel")) {
        return told("a model of Spark ML", SPARK);
    }
    // What can be read goes before what it was saved with.
    let readable: Vec<&String> = names.iter().filter(|name| is_read(folder, name)).take(9).collect();
    if let Some(first) = readable.first() {
        let list: Vec<String> = readable.iter().take(8).map(|name| format!("`{}`", name.escape_debug())).collect();
        let more = if readable.len() > 8 { ", ..." } else { "" };
        return (
            format!("it holds {}{more}", list.join(", ")),
            format!("name the model's file: fhectl create import {}", folder.join(first).display()),
        );
    }
    if has("MLmodel") {
        return told("a model that MLflow saved, without a file that is read", SKLEARN);
    }
    if ends(&[".pkl", ".pickle", ".joblib", ".skops"]).is_some() {
        return told("it holds a Python pickle, or what skops saves", SKLEARN);
    }
    if ends(&[".pt", ".pth", ".pt2", ".ckpt", ".safetensors"]).is_some() {
        return told("it holds weights of PyTorch", TORCH);
    }
    if ends(&[".h5", ".hdf5", ".keras", ".ckpt.index", ".tflite", ".pb"]).is_some() || has("checkpoint") {
        return told("it holds a model of Keras or TensorFlow", KERAS);
    }
    if names.is_empty() {
        return told("it is empty", ONNX_HINT);
    }
    told("no file of a model that is read is in it", ONNX_HINT)
}

/// Whether a file of the folder is a model that is read, by its ending and its first bytes.
fn is_read(folder: &Path, name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    ["onnx", "json", "ubj", "txt", "xgb", "lgb", "model"].contains(&ending.as_str())
        && folder.join(name).is_file()
        && match begins(folder, name) {
            Format::Other(..) => false,
            // JSON of any kind looks like XGBoost's.
            Format::XgboostJson => holds_learner(folder, name),
            Format::Onnx => ending == "onnx",
            _ => true,
        }
}

fn holds_learner(folder: &Path, name: &str) -> bool {
    beginning(folder, name).windows(9).any(|window| window == b"\"learner\"")
}

fn begins(folder: &Path, name: &str) -> Format {
    format::format(&beginning(folder, name))
}

fn beginning(folder: &Path, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let path = folder.join(name);
    // Pipes and devices may never end.
    if path.is_file()
        && let Ok(file) = File::open(path)
    {
        let _ = file.take(BEGINNING).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_what_is_in_them() {
        let learner = &b"{\"learner\": {}, \"version\": [3, 0, 0]}"[..];
        for (what, hint, files) in [
            (
                "Concrete ML",
                "skl2onnx",
                &[("client.zip", &b"PK\x03\x04..serialized_processing.json"[..]), ("server.zip", b"PK")][..],
            ),
            ("fhectl has made", "serve", &[("client.zip", b"PK\x03\x04..client.json"), ("server.zip", b"PK\x03\x04")]),
            ("SavedModel", "tf2onnx", &[("saved_model.pb", b"\x08\x01")]),
            ("Hugging Face", "torch.onnx.export", &[("config.json", b"{}"), ("model.safetensors", b"")]),
            ("`model.onnx`", "create import", &[("model.onnx", b"\x08\x08\x12\x07skl2onnx"), ("rows.csv", b"a,b\n")]),
            (
                "`model.json`",
                "create import",
                &[("MLmodel", b"flavors:\n"), ("model.json", learner), ("package.json", b"{}")],
            ),
            ("MLflow", "to_onnx", &[("MLmodel", b"flavors:\n"), ("model.pkl", b"\x80\x04")]),
            ("pickle", "to_onnx", &[("model.joblib", b"\x80\x04")]),
            ("PyTorch", "torch.onnx.export", &[("best.pth", b"PK")]),
            ("Keras", "export", &[("model.keras", b"PK")]),
            ("empty", "skl2onnx", &[]),
            ("no file of a model", "skl2onnx", &[("rows.csv", b"a,b\n1,2\n"), ("settings.json", b"{\"a\": 1}")]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
            let error = refused(folder.path());
            assert!(error.message.contains(what), "{what}: {}", error.message);
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{what}: {:?}", error.hint);
        }
    }
}
