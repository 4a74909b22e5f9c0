//! What people take for a bundle now and then: told by name, with what to do.

/// What a file or an archive's entry says of itself.
pub(super) struct Stranger {
    /// What it is.
    pub what: &'static str,
    pub hint: &'static str,
}

/// First bytes of files that are no archive of ours.
const STARTS: &[(&[u8], Stranger)] = &[
    (
        b"version https://git-lfs",
        Stranger {
            what: "a Git LFS pointer, not the file",
            hint: "`git lfs pull` fetches the file that it stands for",
        },
    ),
    (b"<!DOCTYPE", PAGE),
    (b"<!doctype", PAGE),
    (b"<html", PAGE),
    (
        b"\x1f\x8b",
        Stranger {
            what: "a gzip file",
            hint: "unpack it; a model of fhectl is a folder with client.zip and server.zip",
        },
    ),
];

const PAGE: Stranger = Stranger {
    what: "a web page",
    hint: "something else than the file was downloaded: a page of a login or an error, say; open it to see",
};

const CONCRETE_ML: Stranger = Stranger {
    what: "a deployment of Concrete ML",
    hint: "it is compiled for other keys; export the model that it was made from (scikit-learn by skl2onnx, PyTorch by \
           torch.onnx) and take that with `fhectl create import`",
};

/// Entries of archives that are none of ours.
const ENTRIES: &[(&str, Stranger)] = &[
    ("client.specs.json", CONCRETE_ML),
    ("circuit.mlir", CONCRETE_ML),
    ("serialized_processing.json", CONCRETE_ML),
    (
        "[Content_Types].xml",
        Stranger { what: "an Office document", hint: "a model of fhectl is a folder with client.zip and server.zip" },
    ),
    (
        "data.pkl",
        Stranger {
            what: "weights of PyTorch",
            hint: "export the network with torch.onnx, then `fhectl create import`",
        },
    ),
];

/// What a file is by its first bytes, if it is none of ours.
pub(super) fn by_start(bytes: &[u8]) -> Option<&'static Stranger> {
    STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, stranger)| stranger)
}

/// What an archive is by the name of one of its entries, if it is none of ours.
pub(super) fn by_entry(name: &str) -> Option<&'static Stranger> {
    let last = name.rsplit('/').next().unwrap_or(name);
    ENTRIES.iter().find(|(entry, _)| *entry == last).map(|(_, stranger)| stranger)
}
