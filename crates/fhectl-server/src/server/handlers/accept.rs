//! What a client can take, by its `Accept` headers.

use axum::http::{HeaderMap, HeaderName};

/// Whether a header lists one of `names` with a weight above zero; `absent` where there is no such header.
pub(super) fn accepts(headers: &HeaderMap, header: &HeaderName, names: &[&str], absent: bool) -> bool {
    let mut lists = headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).peekable();
    if lists.peek().is_none() {
        return absent;
    }
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
        let refused =
            |part: &str| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
        named && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    #[test]
    fn what_is_listed_with_a_weight_is_admitted() {
        let html = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]);
            accepts(&headers, &header::ACCEPT, &["text/html", "*/*"], true)
        };
        for yes in ["text/html", "application/json, TEXT/HTML;q=0.1", "*/*", "text/html,application/xhtml+xml;q=0.9"] {
            assert!(html(yes), "{yes}");
        }
        for no in ["application/json", "", "text/html;q=0", "text/html ; q=0.000", "text/htmlx", ";;,,"] {
            assert!(!html(no), "{no}");
        }
        assert!(accepts(&HeaderMap::new(), &header::ACCEPT, &["text/html"], true));
        assert!(!accepts(&HeaderMap::new(), &header::ACCEPT_ENCODING, &["gzip"], false));
    }
}
