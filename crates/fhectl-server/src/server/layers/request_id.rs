//! Every request has an id, which its reply repeats: the client's where it is a plain one, else a new one.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use fhectl_core::fhe::Entropy;
use fhectl_core::fhe::random::OsEntropy;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that a client may choose.
const MAX_LENGTH: usize = 64;

/// A request's id; on every request. Letters, digits and `-_.`, so that it can stand in a log as it is.
#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(REQUEST_ID).filter(|value| is_plain(value)).cloned().unwrap_or_else(|| {
            let random = u128::from_le_bytes(OsEntropy.seed().0) as u64;
            HeaderValue::from_str(&format!("{random:016x}")).expect("hexadecimal digits")
        }))
    }
}

fn is_plain(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: &'static str) -> String {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(sent))]);
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn plain_ids_are_kept_and_others_replaced() {
        assert_eq!(id("abc-1.2_Z"), "abc-1.2_Z");
        for other in ["", "two words", "a;b", "\"quoted\""] {
            assert!(id(other).len() == 16 && id(other) != id(other), "{other}");
        }
        assert_eq!(RequestId::of(&HeaderMap::new()).as_str().len(), 16);
    }
}
