//! The page for browsers: `GET /`, and the files that it loads.

use super::accept::accepts;
use crate::page::{PAGE, PageFile, policy, served};
use crate::server::openapi::Refusals;
use crate::server::reply::{Answer, not_found};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use fhectl_core::digest::{sha256, to_hex};
use fhectl_core::error::{Error, ErrorCode};
use serde::Deserialize;
use std::sync::LazyLock;
use utoipa::IntoParams;

/// What the page may do: run and ask its own server, and nothing else. No other page has it in a frame.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!("{}; frame-ancestors 'none'", policy("'self'", "'self'", "'self'", "'self'"));
    HeaderValue::try_from(policy).expect("ASCII")
});

/// Asked for at every visit: it names the files' version.
const REVALIDATED: &str = "no-cache";
/// Never asked for again: another version has another path.
const KEPT: &str = "public, max-age=31536000, immutable";

/// `GET /`
#[utoipa::path(
    get, path = "/", tag = "page", operation_id = "page", security(()),
    description = "A page for people: a client of all models here, in the browser. Not where the server runs with --no-page.",
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 304, description = "The page that the browser has is this one"),
        Refusals,
    )
)]
pub(in crate::server) async fn page(headers: HeaderMap) -> Answer {
    if !accepts(&headers, &header::ACCEPT, &["text/html", "text/*", "*/*"], true) {
        return Err(Error::new(ErrorCode::NotAcceptable, "what stands here is a page of text/html")
            .hint("programs ask /v1/models, or send the endpoint form with POST /")
            .into());
    }
    static TAG: LazyLock<String> = LazyLock::new(|| to_hex(&sha256(&served())[..16]));
    let contents = Contents { tag: &TAG, media_type: "text/html; charset=utf-8", cache: REVALIDATED };
    Ok(contents.reply(&headers, served()))
}

/// Where a file of the page is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::server) struct FilePath {
    /// The version that `GET /` names.
    version: String,
    /// The file's name.
    name: String,
}

/// `GET /page/{version}/{name}`
#[utoipa::path(
    get, path = "/page/{version}/{name}", tag = "page", operation_id = "page_file", security(()),
    description = "A file of the page. Not where the server runs with --no-page.",
    params(FilePath),
    responses(
        (
            status = 200, description = "The file",
            content(("text/javascript"), ("text/css"), ("application/wasm")),
        ),
        (status = 304, description = "The file that the browser has is this one"),
        Refusals,
    )
)]
pub(in crate::server) async fn file(Path(FilePath { version, name }): Path<FilePath>, headers: HeaderMap) -> Answer {
    let file = PAGE.file(&name).filter(|_| version == PAGE.version);
    let file = file.ok_or_else(|| not_found().hint("load the page again: the server has another version of it"))?;
    let tag = file.tag();
    if accepts(&headers, &header::ACCEPT_ENCODING, &["gzip", "*"], false) {
        let packed = tokio::task::spawn_blocking(|| PageFile::gzip(file)).await;
        let packed = packed.map_err(|_| Error::new(ErrorCode::Internal, "compressing a file failed unexpectedly"))?;
        let contents = Contents { tag: &format!("{tag}-gzip"), media_type: file.media_type, cache: KEPT };
        let mut reply = contents.reply(&headers, packed);
        reply.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return Ok(reply);
    }
    let contents = Contents { tag: &tag, media_type: file.media_type, cache: KEPT };
    Ok(contents.reply(&headers, Bytes::from_static(file.bytes)))
}

/// What is said of a reply's bytes.
struct Contents<'a> {
    tag: &'a str,
    media_type: &'static str,
    cache: &'static str,
}

impl Contents<'_> {
    fn reply(&self, asked: &HeaderMap, bytes: Bytes) -> Response {
        let tag = format!("\"{}\"", self.tag);
        let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let known = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
        let mut reply = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, self.media_type)], bytes).into_response()
        };
        let headers = reply.headers_mut();
        // Hexadecimal digits in quotes are a header's value.
        headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
        for (name, value) in [
            (header::CACHE_CONTROL, self.cache),
            (header::VARY, "accept, accept-encoding"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (
                HeaderName::from_static("permissions-policy"),
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
        reply
    }
}
