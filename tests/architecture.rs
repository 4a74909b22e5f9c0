//! What no compiler can keep: the order of modules inside a crate, and what has no name in some of them.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of `fhectl-core` in layer order: each may use only those before it.
const CORE: [&str; 8] = ["error", "model", "fhe", "circuit", "bundle", "protocol", "client", "server_model"];
/// Of `fhectl-train`, of `fhectl-server` and of the command line.
const OTHERS: [&[&str]; 3] = [&["data", "train", "import"], &["store", "server"], &["client", "report", "commands"]];

fn sources(of: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(of), &mut out);
    assert!(out.len() > 10, "{of}");
    out
}

/// The module of a crate that a file belongs to.
fn module(of: &str, path: &Path) -> String {
    let inner = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join(of)).unwrap();
    inner.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// A file's code without its tests and comments.
fn code(path: &Path, text: &str) -> String {
    if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs")) {
        return String::new();
    }
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap().split("#[cfg(all(test").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_uses_only_modules_below_it() {
    let crates = ["crates/fhectl-core/src", "crates/fhectl-train/src", "crates/fhectl-server/src", "src"];
    for (of, order) in crates.into_iter().zip([&CORE[..]].into_iter().chain(OTHERS)) {
        for (path, text) in sources(of) {
            let Some(rank) = order.iter().position(|known| *known == module(of, &path)) else { continue };
            let code = code(&path, &text);
            for above in &order[rank + 1..] {
                let used = format!("crate::{above}::");
                assert!(!code.contains(&used), "{} uses {above}, a module above its own", path.display());
            }
        }
    }
}

#[test]
fn only_fhe_names_tfhe() {
    let of = "crates/fhectl-core/src";
    for (path, text) in sources(of) {
        if module(of, &path) != "fhe" {
            assert!(!code(&path, &text).contains("tfhe::"), "{} names tfhe", path.display());
        }
    }
}

#[test]
fn the_core_has_no_sockets_and_no_clock() {
    for (path, text) in sources("crates/fhectl-core/src") {
        let code = code(&path, &text);
        for banned in ["std::net", "SystemTime", "Instant", "std::thread"] {
            assert!(!code.contains(banned), "{} has {banned}", path.display());
        }
    }
}

#[test]
fn secrets_have_no_debug() {
    for (path, text) in sources("crates/fhectl-core/src") {
        for secret in ["pub struct GlweSecret", "pub struct ClientKey ", "pub struct ClientKeys"] {
            if let Some(at) = text.find(secret) {
                let attributes = text[..at].rsplit("\n\n").next().unwrap();
                assert!(!attributes.contains("derive"), "{}: {secret} derives something", path.display());
            }
        }
    }
}
