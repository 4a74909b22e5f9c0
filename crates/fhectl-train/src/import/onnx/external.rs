//! Tensors whose data lies in a file beside the model's, as `torch.onnx.export` writes them since torch 2.9.

use super::errors::{invalid, unsupported};
use super::proto::{ModelProto, TensorProto};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// Whether a tensor's data lies in another file.
pub(super) fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == EXTERNAL || !tensor.external_data.is_empty()
}

/// Puts the data of a model's external tensors into the tensors, from files of `folder`, which is the model's own; at most
/// `most` bytes in all.
///
/// Only plain names of that folder are read, and no links that lead out of it: the file says which, and nobody knows who
/// wrote it.
///
/// # Errors
/// `import_read` for a file that cannot be read, naming it; `onnx_invalid` for another name, and for offsets and lengths
/// beyond the file; `import_large` beyond `most`.
pub(super) fn fill(model: &mut ModelProto, folder: &Path, most: u64) -> Result<()> {
    let Some(graph) = &mut model.graph else { return Ok(()) };
    let of_nodes = graph.node.iter_mut().flat_map(|node| &mut node.attribute).filter_map(|part| part.t.as_mut());
    let mut left = most;
    for tensor in graph.initializer.iter_mut().chain(of_nodes).filter(|tensor| is_external(tensor)) {
        let data = read(tensor, folder, &mut left)
            .map_err(|error| error.context(format!("tensor `{}`", tensor.name.escape_debug())))?;
        tensor.raw_data = data;
        tensor.external_data.clear();
        tensor.data_location = 0;
    }
    Ok(())
}

fn read(tensor: &TensorProto, folder: &Path, left: &mut u64) -> Result<Vec<u8>> {
    let entry =
        |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => {
            let number = text.parse::<u64>();
            number.map(Some).map_err(|_| invalid(format!("its data has the {key} `{}`", text.escape_debug())))
        }
    };
    let name = entry("location").ok_or_else(|| invalid("its data lies in a file without a name"))?;
    let path = beside(folder, name)?;
    let failed = |error: std::io::Error| unreadable(name, &error.to_string());
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let length = number("length")?.unwrap_or(size.saturating_sub(offset));
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(invalid(format!(
            "its {length} bytes from {offset} on lie beyond `{}`, which has {size}",
            name.escape_debug()
        ))
        .hint("the files do not belong together: export the model again, or copy both"));
    }
    *left = left.checked_sub(length).ok_or_else(|| {
        Error::new(ErrorCode::ImportLarge, format!("the weights in `{}` are too many", name.escape_debug()))
            .hint("a model of this size cannot be computed on encrypted data")
    })?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut data = Vec::new();
    file.take(length).read_to_end(&mut data).map_err(failed)?;
    Ok(data)
}

/// The file of a plain name in the folder.
fn beside(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    if !plain || name.contains(['/', '\\', ':', '\0']) {
        return Err(unsupported(format!(
            "its data lies in `{}`, which is no file beside the model",
            name.escape_debug()
        ))
        .hint("only files of the model's own folder are read: save the model with its weights beside it or inside"));
    }
    let folder = fs::canonicalize(folder).map_err(|error| unreadable(name, &error.to_string()))?;
    let path = fs::canonicalize(folder.join(name)).map_err(|error| unreadable(name, &error.to_string()))?;
    if path.parent() != Some(folder.as_path()) || !path.is_file() {
        return Err(unsupported(format!(
            "its data in `{}` is a link out of the folder, or no file",
            name.escape_debug()
        ))
        .hint("copy the file itself into the model's folder"));
    }
    Ok(path)
}

fn unreadable(name: &str, why: &str) -> Error {
    Error::new(ErrorCode::ImportRead, format!("its data lies in `{}`: {why}", name.escape_debug()))
        .hint("torch.onnx.export writes weights to a file beside the model: keep both in one folder under their names")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::onnx::proto::{GraphProto, StringStringEntry};

    fn model(entries: &[(&str, &str)]) -> ModelProto {
        let entry = |(key, value): &(&str, &str)| StringStringEntry { key: (*key).into(), value: (*value).into() };
        let tensor = TensorProto {
            dims: vec![2],
            data_type: 1,
            name: "w".into(),
            external_data: entries.iter().map(entry).collect(),
            data_location: EXTERNAL,
            ..TensorProto::default()
        };
        let graph = GraphProto { initializer: vec![tensor], ..GraphProto::default() };
        ModelProto { graph: Some(graph), ..ModelProto::default() }
    }

    #[test]
    fn data_beside_the_model_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("m.data"), (0u8..12).collect::<Vec<u8>>()).unwrap();
        let mut own = model(&[("location", "m.data"), ("offset", "4"), ("length", "8")]);
        fill(&mut own, folder.path(), 8).unwrap();
        let tensor = &own.graph.as_ref().unwrap().initializer[0];
        assert_eq!(tensor.raw_data, [4, 5, 6, 7, 8, 9, 10, 11]);
        assert!(!is_external(tensor));
        let mut rest = model(&[("location", "m.data"), ("offset", "4")]);
        fill(&mut rest, folder.path(), 100).unwrap();
        assert_eq!(rest.graph.unwrap().initializer[0].raw_data.len(), 8);
    }

    #[test]
    fn other_files_and_places_beyond_them_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("models");
        fs::create_dir_all(folder.join("deeper")).unwrap();
        fs::write(outer.path().join("secret"), [0; 8]).unwrap();
        fs::write(folder.join("m.data"), [0; 8]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        let code = |entries: &[(&str, &str)]| {
            let error = fill(&mut model(entries), &folder, 8).unwrap_err();
            assert!(error.hint.is_some() && error.message.contains("tensor `w`"), "{error}");
            error.code
        };
        for name in ["../secret", "/etc/passwd", "deeper/../../secret", ".", "..", "", "deeper", "./m.data", "c:\\x"] {
            assert_eq!(code(&[("location", name)]), ErrorCode::OnnxUnsupported, "{name}");
        }
        #[cfg(unix)]
        assert_eq!(code(&[("location", "link")]), ErrorCode::OnnxUnsupported);
        assert_eq!(code(&[("location", "none.data")]), ErrorCode::ImportRead);
        assert_eq!(code(&[("offset", "0")]), ErrorCode::OnnxInvalid);
        for (offset, length) in [("0", "9"), ("8", "1"), ("18446744073709551615", "1"), ("-1", "4"), ("x", "4")] {
            let entries = [("location", "m.data"), ("offset", offset), ("length", length)];
            assert_eq!(code(&entries), ErrorCode::OnnxInvalid, "{offset} {length}");
        }
        let error = fill(&mut model(&[("location", "m.data")]), &folder, 7).unwrap_err();
        assert_eq!(error.code, ErrorCode::ImportLarge);
    }
}
