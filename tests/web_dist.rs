//! What the binary sends to browsers is built from the sources that stand here: `scripts/build_web.sh` records them.

use fhectl_core::digest::sha256_hex;
use std::fs;
use std::path::Path;

const AGAIN: &str = "build it again with scripts/build_web.sh and commit web/dist";

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; {AGAIN}", path.display()))
}

fn text(path: &str) -> String {
    String::from_utf8(read(path)).unwrap()
}

#[test]
fn web_dist_is_built_from_these_sources() {
    let sources = text("web/dist/SOURCES");
    let mut seen = 0;
    for line in sources.lines() {
        let (digest, path) = line.split_once("  ").unwrap();
        assert_eq!(sha256_hex(&read(path)), digest, "{path} is not what web/dist was built from; {AGAIN}");
        seen += 1;
    }
    // Those of the core among them, by which a key is made.
    assert!(seen > 100 && sources.contains("  crates/fhectl-core/src/fhe/encrypt.rs\n"), "{seen} files");
}

#[test]
fn web_dist_is_built_from_the_locked_crates() {
    let (build, lock) = (text("web/dist/BUILD"), text("Cargo.lock"));
    let crates: Vec<&str> = build.lines().filter_map(|line| line.strip_prefix("crate: ")).collect();
    assert!(crates.iter().any(|one| one.starts_with("wasm-bindgen ")), "{build}");
    for one in crates {
        let (name, version) = one.split_once(' ').unwrap();
        let locked = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&locked), "Cargo.lock has another {name} than {version}; {AGAIN}");
    }
}

#[test]
fn scripts_have_their_glue_and_modules_are_modules() {
    // One compiler made both modules: the glue in the scripts is theirs.
    let (page, worker) = (text("web/dist/page.js"), text("web/dist/worker.js"));
    for script in [page, worker] {
        assert!(script.contains("__wbindgen") || script.contains("__wbg_"), "a script without its glue; {AGAIN}");
    }
    for module in ["fhectl.wasm", "fhectl-simd.wasm"] {
        assert_eq!(read(&format!("web/dist/{module}"))[..4], *b"\0asm");
    }
}
