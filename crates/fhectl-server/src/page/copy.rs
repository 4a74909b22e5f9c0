//! Copies of the page for who does not want it from the server that answers: a folder for another host, or one file.
//!
//! Either names the server, lets nothing else be asked, and checks every byte that it loads: hashes of style and script stand in
//! its tags, those of the worker and the WebAssembly modules beside them.

use super::files::{INDEX, PAGE, PageFile};
use super::html::{HEAD_TAG, SCRIPT_TAG, STYLE_TAG, linked};
use super::policy::policy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fhectl_core::digest::sha256;
use std::fmt::Write;
use url::Url;

/// The page's files for another host.
///
/// ```
/// use fhectl_server::page::Copied;
/// let copied = Copied::new(&"https://models.example:8443".parse().unwrap());
/// let html = copied.single_file();
/// assert!(html.contains("connect-src https://models.example:8443"));
/// ```
pub struct Copied {
    /// The server's URL as the page has it, without a slash at its end.
    server: String,
    origin: String,
}

impl Copied {
    /// Of a page that asks the server at `url`, an `http` or `https` URL.
    pub fn new(url: &Url) -> Self {
        Self { server: url.as_str().trim_end_matches('/').to_owned(), origin: url.origin().ascii_serialization() }
    }

    /// All files of a folder for a web server, with their names.
    pub fn folder(&self) -> Vec<(&'static str, Vec<u8>)> {
        // The worker is started from text that was checked, which is a blob.
        let policy = self.policy("'self'", "'self'", "'self' ");
        let hashes = PAGE.files.iter().fold(String::new(), |mut text, file| {
            let _ = write!(text, "{} {} ", file.name, file.integrity());
            text
        });
        let more = format!("<meta name=\"fhectl-integrity\" content=\"{}\">", hashes.trim_end());
        let html = linked(INDEX.replace(HEAD_TAG, &self.head(&policy, &more)), "");
        let files = PAGE.files.iter().map(|file| (file.name, file.bytes.to_vec()));
        std::iter::once(("index.html", html.into_bytes())).chain(files).collect()
    }

    /// All of it in one file, which browsers open from disk.
    pub fn single_file(&self) -> String {
        let text = |name| PAGE.file(name).map(|file| String::from_utf8_lossy(file.bytes)).unwrap_or_default();
        // A script's text ends at the first `</script`, wherever it stands.
        let script = format!("\n{}", text("page.js").replace("</script", "<\\/script"));
        let style = format!("\n{}", text("page.css"));
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(sha256(text.as_bytes())));
        let policy = self.policy(&hash(&script), &hash(&style), "");
        let inlined = |file: &PageFile| {
            let name = file.name;
            format!("<script type=\"text/plain\" data-file=\"{name}\">{}</script>\n", STANDARD.encode(file.bytes))
        };
        let data: String = PAGE
            .files
            .iter()
            .filter(|file| file.name == "worker.js" || file.name.ends_with(".wasm"))
            .map(inlined)
            .collect();
        INDEX
            .replace(HEAD_TAG, &self.head(&policy, ""))
            .replace(STYLE_TAG, &format!("<style>{style}</style>"))
            .replace(SCRIPT_TAG, &format!("{data}<script type=\"module\">{script}</script>"))
    }

    fn policy(&self, script: &str, style: &str, own: &str) -> String {
        policy(script, "blob:", &format!("{own}{}", self.origin), style)
    }

    fn head(&self, policy: &str, more: &str) -> String {
        let attribute = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let (policy, server) = (attribute(policy), attribute(&self.server));
        format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"fhectl-server\" content=\"{server}\">\n{more}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied() -> Copied {
        Copied::new(&"https://models.example:8443/fhe/?a=\"b\"".parse().unwrap())
    }

    #[test]
    fn a_folder_names_its_server_and_checks_all_it_loads() {
        let files = copied().folder();
        let html = String::from_utf8(files[0].1.clone()).unwrap();
        assert_eq!(files[0].0, "index.html");
        assert!(html.contains("connect-src 'self' https://models.example:8443;"), "{html}");
        assert!(html.contains(r#"<meta name="fhectl-server" content="https://models.example:8443/fhe/?a=%22b%22">"#));
        for (name, bytes) in &files[1..] {
            let hash = format!("sha256-{}", STANDARD.encode(sha256(bytes)));
            assert!(html.contains(&hash), "{name}");
        }
        assert!(html.contains(r#"href="page.css" integrity"#) && html.contains(r#"src="page.js" integrity"#));
    }

    #[test]
    fn a_single_file_holds_all_and_its_policy_lets_its_own_script_run_alone() {
        let html = copied().single_file();
        for tag in [STYLE_TAG, SCRIPT_TAG, HEAD_TAG] {
            assert!(!html.contains(tag), "{tag}");
        }
        let script = html.split_once("<script type=\"module\">").unwrap().1.split_once("</script>").unwrap().0;
        let hash = format!("script-src 'sha256-{}' 'wasm-unsafe-eval';", STANDARD.encode(sha256(script.as_bytes())));
        assert!(html.contains(&hash), "{hash}");
        let wasm = html.split_once("data-file=\"fhectl.wasm\">").unwrap().1.split_once("</script>").unwrap().0;
        assert_eq!(STANDARD.decode(wasm).unwrap(), PAGE.file("fhectl.wasm").unwrap().bytes);
        assert!(!html.contains(" src=\"") && !html.contains("'self';"));
    }
}
