//! The page's files, with what HTTP and browsers want to know of each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fhectl_core::digest::{Sha256, sha256, to_hex};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

/// The page, before it is told where its files are.
pub const INDEX: &str = include_str!("../../../../web/dist/index.html");

/// What the page loads, and the client by itself, for pages of others: name, media type, contents.
const FILES: [(&str, &str, &[u8]); 6] = [
    ("page.css", "text/css; charset=utf-8", include_bytes!("../../../../web/dist/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_bytes!("../../../../web/dist/page.js")),
    ("client.js", "text/javascript; charset=utf-8", include_bytes!("../../../../web/dist/client.js")),
    ("worker.js", "text/javascript; charset=utf-8", include_bytes!("../../../../web/dist/worker.js")),
    ("fhectl.wasm", "application/wasm", include_bytes!("../../../../web/dist/fhectl.wasm")),
    ("fhectl-simd.wasm", "application/wasm", include_bytes!("../../../../web/dist/fhectl-simd.wasm")),
];

/// All files; read once.
pub static PAGE: LazyLock<Page> = LazyLock::new(|| Page::new(&FILES));

/// The page's files. They are loaded from a path that bears their version, so browsers keep them and never mix two versions.
pub struct Page {
    /// Changes with every byte of every file: 16 hexadecimal digits.
    pub version: String,
    pub files: Vec<PageFile>,
}

/// One file.
pub struct PageFile {
    pub name: &'static str,
    pub media_type: &'static str,
    pub bytes: &'static [u8],
    digest: [u8; 32],
    gzip: OnceLock<Bytes>,
}

impl Page {
    fn new(files: &[(&'static str, &'static str, &'static [u8])]) -> Self {
        let file = |&(name, media_type, bytes): &_| {
            let bytes: &'static [u8] = bytes;
            PageFile { name, media_type, bytes, digest: sha256(bytes), gzip: OnceLock::new() }
        };
        let files: Vec<PageFile> = files.iter().map(file).collect();
        let mut all = Sha256::new();
        for file in &files {
            all.update(file.digest);
        }
        Self { version: to_hex(&all.finish()[..8]), files }
    }

    pub fn file(&self, name: &str) -> Option<&PageFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl PageFile {
    /// As HTML's `integrity` has it.
    pub fn integrity(&self) -> String {
        format!("sha256-{}", STANDARD.encode(self.digest))
    }

    /// Names the contents, for `etag`.
    pub fn tag(&self) -> String {
        to_hex(&self.digest[..16])
    }

    /// The contents in gzip's format. Takes some ten milliseconds the first time.
    pub fn gzip(&self) -> Bytes {
        self.gzip.get_or_init(|| gzip(self.bytes)).clone()
    }
}

/// `bytes` in gzip's format, as small as it goes. The same on every machine: no name and no time are in it.
pub fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    /// What a phone loads before it can ask: the page with one of the two modules.
    #[test]
    fn the_page_weighs_little() {
        let size = |name: &str| PAGE.file(name).unwrap().gzip().len();
        for name in ["fhectl.wasm", "fhectl-simd.wasm"] {
            let rest =
                gzip(INDEX.as_bytes()).len() + ["page.css", "page.js", "worker.js"].map(size).iter().sum::<usize>();
            assert!(size(name) <= 250_000, "{name}: {} bytes", size(name));
            assert!(size(name) + rest <= 400_000, "{} bytes with {name}", size(name) + rest);
        }
    }

    #[test]
    fn what_is_packed_is_what_was_there() {
        for file in &PAGE.files {
            let mut bytes = Vec::new();
            GzDecoder::new(&file.gzip()[..]).read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, file.bytes, "{}", file.name);
        }
    }

    #[test]
    fn a_version_changes_with_every_file() {
        let one = Page::new(&[("a", "", b"1"), ("b", "", b"2")]);
        for other in [[("a", "", &b"0"[..]), ("b", "", b"2")], [("a", "", b"1"), ("b", "", b"0")]] {
            assert_ne!(one.version, Page::new(&other).version);
        }
        assert_eq!(one.version.len(), 16);
    }
}
