//! `index.html`, told where its files are and what they must be.

use super::files::{INDEX, PAGE};
use bytes::Bytes;
use std::sync::LazyLock;

/// The tags of `web/page/index.html` that are written anew.
pub const STYLE_TAG: &str = r#"<link rel="stylesheet" href="page.css">"#;
pub const SCRIPT_TAG: &str = r#"<script type="module" src="page.js"></script>"#;
pub const HEAD_TAG: &str = r#"<meta name="fhectl-server" content="">"#;

/// What a server answers `GET /` with: its files come from `page/VERSION/` below it.
pub fn served() -> Bytes {
    static SERVED: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(linked(INDEX.to_owned(), &format!("page/{}/", PAGE.version))));
    SERVED.clone()
}

/// Loads style and script from `folder`, and only if they are the ones of this binary.
pub fn linked(html: String, folder: &str) -> String {
    let integrity = |name| PAGE.file(name).map_or_else(String::new, super::PageFile::integrity);
    let (style, script) = (integrity("page.css"), integrity("page.js"));
    html.replace(STYLE_TAG, &format!(r#"<link rel="stylesheet" href="{folder}page.css" integrity="{style}">"#))
        .replace(SCRIPT_TAG, &format!(r#"<script type="module" src="{folder}page.js" integrity="{script}"></script>"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_tag_that_is_written_anew_once() {
        for tag in [STYLE_TAG, SCRIPT_TAG, HEAD_TAG] {
            assert_eq!(INDEX.matches(tag).count(), 1, "{tag}");
        }
        let html = String::from_utf8(served().to_vec()).unwrap();
        assert_eq!(html.matches(&format!("page/{}/page.", PAGE.version)).count(), 2);
        assert_eq!(html.matches(r#"integrity="sha256-"#).count(), 2);
    }

    /// A page of `default-src 'none'` runs nothing inline; a link to another host would be a request to it.
    #[test]
    fn the_page_has_nothing_inline_and_nothing_from_elsewhere() {
        for mark in
            ["<script>", "<style", " style=", " onclick=", "javascript:", "src=\"http", "<link rel=\"preconnect"]
        {
            assert!(!INDEX.contains(mark), "{mark}");
        }
    }
}
