//! The page that browsers get: where it is, what it may do, how it is kept and packed, and where it is left out.

mod common;
mod live;

use fhectl_server::server::TokenSet;
use live::{Fixture, Live, Reply};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// The path of a file that the page names.
fn path_of(page: &Reply, file: &str) -> String {
    let html = String::from_utf8(page.body.clone()).unwrap();
    let before = html.split(&format!("/{file}\"")).next().unwrap();
    format!("/{}/{file}", before.rsplit('"').next().unwrap())
}

#[test]
fn browsers_get_a_page_and_programs_get_what_they_had() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    for accept in [Some(BROWSER.1), Some("text/html"), Some("*/*"), None] {
        let headers: Vec<(&str, &str)> = accept.iter().map(|value| ("accept", *value)).collect();
        let page = live.ask("GET", "/", &headers, b"").ok();
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{accept:?}");
        assert!(page.body.starts_with(b"<!doctype html>"), "{accept:?}");
    }
    live.ask("GET", "/", &[("accept", "application/json")], b"").refused(406, "not_acceptable");
    live.ask("GET", "/", &[("accept", "text/html;q=0")], b"").refused(406, "not_acceptable");
    live.ask("POST", "/", &[BROWSER], b"{}").refused(400, "json_invalid");
    live.ask("PUT", "/", &[BROWSER], b"").refused(405, "method_not_allowed");
}

#[test]
fn the_page_may_run_its_own_files_and_ask_its_own_server() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let page = live.ask("GET", "/", &[BROWSER], b"").ok();
    let mut all = vec![page];
    for (file, media) in [
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("client.js", "text/javascript; charset=utf-8"),
        ("worker.js", "text/javascript; charset=utf-8"),
        ("fhectl.wasm", "application/wasm"),
        ("fhectl-simd.wasm", "application/wasm"),
    ] {
        let folder = path_of(&all[0], "page.js");
        let reply = live.get(&folder.replace("page.js", file)).ok();
        assert_eq!(reply.header("content-type"), Some(media));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
        all.push(reply);
    }
    for reply in &all {
        // A worker has the policy of its own script.
        let policy = reply.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self'",
            "connect-src 'self'",
            "style-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|own| own == rule), "{rule} in {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains("http"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(reply.header("cross-origin-opener-policy"), Some("same-origin"));
    }
    // What is not the page keeps the policy of data.
    let models = live.get("/v1/models").ok();
    assert_eq!(models.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    assert_eq!(models.header("cache-control"), Some("no-store"));
}

#[test]
fn a_page_that_a_browser_has_is_not_sent_again_and_files_come_packed() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let page = live.ask("GET", "/", &[BROWSER], b"").ok();
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let tag = page.header("etag").unwrap().to_owned();
    let again = live.ask("GET", "/", &[BROWSER, ("if-none-match", &format!("W/{tag}, \"other\""))], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(live.ask("GET", "/", &[BROWSER, ("if-none-match", "\"other\"")], b"").status, 200);
    let path = path_of(&page, "page.js");
    let plain = live.ask("GET", &path, &[], b"").ok();
    let packed = live.ask("GET", &path, &[("accept-encoding", "br, gzip;q=0.5")], b"").ok();
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < plain.body.len());
    assert_ne!(plain.header("etag"), packed.header("etag"));
    for encoding in ["identity", "gzip;q=0", "br"] {
        let reply = live.ask("GET", &path, &[("accept-encoding", encoding)], b"").ok();
        assert_eq!(reply.header("content-encoding"), None, "{encoding}");
    }
    // Names of other versions, and of no file.
    for wrong in ["/page/0123456789abcdef/page.js", &path.replace("page.js", "index.html"), "/page/x/..%2f..%2fetc"] {
        live.get(wrong).refused(404, "not_found");
    }
}

#[test]
fn the_page_needs_no_token_and_shows_nothing_without_one() {
    let tiny = Fixture::tiny();
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.tokens = Some(TokenSet::parse("alpha-token").unwrap());
    });
    let page = live.ask("GET", "/", &[BROWSER], b"").ok();
    live.get(&path_of(&page, "page.js")).ok();
    assert!(!String::from_utf8_lossy(&page.body).contains(&tiny.bundle.spec.name));
    live.get("/v1/models").refused(401, "unauthorized");
    live.ask("POST", "/", &[BROWSER], b"{}").refused(401, "unauthorized");
    // Pages of strangers do not embed it.
    live.ask("GET", "/", &[BROWSER, ("origin", "https://evil.example")], b"").refused(403, "origin_refused");
}

#[test]
fn a_server_without_a_page_has_none() {
    let tiny = Fixture::tiny();
    let live = Live::start(&[&tiny], "memory:", |config| config.page = false);
    live.ask("GET", "/", &[BROWSER], b"").refused(405, "method_not_allowed");
    live.get("/page/0123456789abcdef/page.js").refused(404, "not_found");
    assert!(!String::from_utf8_lossy(&live.get("/v1/openapi.json").ok().body).contains("/page/"));
}
