//! The rules of the house, kept by reading the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms in layer order: each may use only those before it.
const ROOMS: [&str; 14] = [
    "error", "model", "fhe", "circuit", "bundle", "protocol", "data", "train", "import", "store", "server", "client",
    "report", "commands",
];

fn sources() -> Vec<(PathBuf, String)> {
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
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 40);
    out
}

fn room(path: &Path) -> String {
    let inner = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
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
fn a_room_uses_only_rooms_below_it() {
    for (path, text) in sources() {
        let Some(rank) = ROOMS.iter().position(|known| *known == room(&path)) else { continue };
        for (at, _) in text.match_indices("crate::") {
            let used: String = text[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(used_rank) = ROOMS.iter().position(|known| *known == used) else { continue };
            let in_tests = !code(&path, &text).contains(&format!("crate::{used}"));
            assert!(used_rank <= rank || in_tests, "{} uses {used}, a room above its own", path.display());
        }
    }
}

#[test]
fn only_fhe_names_tfhe() {
    for (path, text) in sources() {
        if room(&path) != "fhe" {
            assert!(!code(&path, &text).contains("tfhe::"), "{} names tfhe", path.display());
        }
    }
}

#[test]
fn the_servers_side_cannot_name_a_secret_key() {
    let mut checked = 0;
    for (path, text) in sources() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let servers = ["server", "store"].contains(&room(&path).as_str())
            || [
                "evaluate.rs",
                "rerandomize.rs",
                "external_product.rs",
                "pbs.rs",
                "cmux.rs",
                "list.rs",
                "switch.rs",
                "plan.rs",
                "program.rs",
                "simulate.rs",
            ]
            .contains(&name.as_str());
        if servers {
            checked += 1;
            let code = code(&path, &text);
            for secret in ["GlweSecret", "ClientKey", "::secret"] {
                assert!(!code.contains(secret), "{} names {secret}", path.display());
            }
        }
    }
    assert!(checked > 10);
}

#[test]
fn rooms_below_the_server_print_nothing_and_open_no_socket() {
    for (path, text) in sources() {
        if ["model", "fhe", "circuit", "bundle", "protocol", "data", "train", "import"].contains(&room(&path).as_str())
        {
            let code = code(&path, &text);
            for banned in ["println!", "print!", "dbg!", "std::net", "tokio", "SystemTime", "Instant"] {
                assert!(!code.contains(banned), "{} has {banned}", path.display());
            }
        }
    }
}

#[test]
fn secrets_have_no_debug() {
    for (path, text) in sources() {
        for secret in ["pub struct GlweSecret", "pub struct ClientKey ", "pub struct ClientKeys"] {
            if let Some(at) = text.find(secret) {
                let attributes = text[..at].rsplit("\n\n").next().unwrap();
                assert!(!attributes.contains("derive"), "{}: {secret} derives something", path.display());
            }
        }
    }
}
