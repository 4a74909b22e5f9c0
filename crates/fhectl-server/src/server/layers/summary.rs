//! What is counted and logged of a request and its reply.

use super::body_limit::BytesRead;
use crate::server::reply::Code;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use std::time::{Duration, Instant};

/// A request that is being answered.
pub(super) struct RequestSummary {
    pub method: &'static str,
    pub route: String,
    begun: Instant,
}

/// How it was answered.
pub(super) struct ReplySummary {
    pub status: u16,
    /// The code of an error.
    pub code: Option<&'static str>,
    pub took: Duration,
    /// Bytes of the request's body that came.
    pub read: u64,
    /// Bytes of the reply's body.
    pub sent: u64,
}

impl RequestSummary {
    pub fn begin(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        Self {
            method: method_label(request.method()),
            route: route.map_or("-", MatchedPath::as_str).to_owned(),
            begun: Instant::now(),
        }
    }

    pub fn end(&self, response: &Response) -> ReplySummary {
        ReplySummary {
            status: response.status().as_u16(),
            code: response.extensions().get::<Code>().map(|code| code.0),
            took: self.begun.elapsed(),
            read: response.extensions().get::<BytesRead>().map_or(0, |read| read.0),
            sent: response.body().size_hint().exact().unwrap_or(0),
        }
    }
}

/// A method as a label: what is not a method of HTTP is one value, so that clients cannot make up labels.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
