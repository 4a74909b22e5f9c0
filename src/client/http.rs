//! HTTP with one server: errors that name themselves, and patience with a busy one.

use fhectl_core::error::{Error, Result};
use fhectl_core::protocol::api::ErrorReply;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The certificates of a PEM file of authorities.
///
/// # Errors
/// `ca_invalid` where it cannot be read or holds none.
pub fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let invalid = |what: String| {
        Error::user("ca_invalid", format!("{}: {what}", path.display()))
            .hint("give a PEM file with the certificate of the authority that signed the server's")
    };
    let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
    let items = parse_pem(&pem).collect::<std::result::Result<Vec<_>, _>>();
    let certificates: Vec<_> = items
        .map_err(|error| invalid(error.to_string()))?
        .into_iter()
        .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
        .collect();
    if certificates.is_empty() { Err(invalid("there is no certificate in it".into())) } else { Ok(certificates) }
}

/// How often a request is sent again while the server is busy, restarting or unreachable.
const TRIES: u32 = 6;
/// The longest reply that is read: a batch of answers, with room for its header and a tag.
const MAX_REPLY: u64 = 68 << 20;

/// A connection pool to one server.
pub struct Http {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// A reply that was read whole.
pub struct Reply {
    pub bytes: Vec<u8>,
    headers: HeaderMap,
}

impl Reply {
    /// A header that holds a number of microseconds, in seconds.
    pub fn micros(&self, name: &str) -> Option<f64> {
        let text = self.headers.get(name)?.to_str().ok()?;
        text.parse::<u64>().ok().map(|micros| micros as f64 * 1e-6)
    }
}

enum Method<'a> {
    Get,
    Delete,
    Put(&'a [u8]),
    Post(&'a [u8]),
}

impl Http {
    /// `authorities` are the only certificates that a server's must lead to; with none, those of the web are.
    ///
    /// # Errors
    /// `url_invalid` where the URL is not `http://` or `https://`.
    pub fn new(url: &str, token: Option<String>, authorities: Vec<Certificate<'static>>) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        if !(base.starts_with("http://") || base.starts_with("https://")) || base.len() < 9 {
            return Err(Error::user("url_invalid", format!("`{url}` is not a server's URL"))
                .hint("give it as http://host:port or https://host"));
        }
        let roots = if authorities.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&authorities) };
        let agent = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(600)))
            .user_agent(concat!("fhectl/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, base, token })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// # Errors
    /// `no_server`, or what the server says.
    pub fn get(&self, path: &str) -> Result<Reply> {
        self.send(path, &Method::Get, &[])
    }

    /// # Errors
    /// As [`Http::get`]; also `reply_invalid` where the reply is not the JSON expected.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let reply = self.get(path)?;
        serde_json::from_slice(&reply.bytes).map_err(|error| {
            Error::fault("reply_invalid", format!("{}{path} did not answer as an fhectl server: {error}", self.base))
                .hint("check the URL, and that both sides run the same fhectl release")
        })
    }

    /// # Errors
    /// As [`Http::get`].
    pub fn put(&self, path: &str, body: &[u8]) -> Result<Reply> {
        self.send(path, &Method::Put(body), &[])
    }

    /// # Errors
    /// As [`Http::get`].
    pub fn post(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Result<Reply> {
        self.send(path, &Method::Post(body), headers)
    }

    /// # Errors
    /// As [`Http::get`].
    pub fn delete(&self, path: &str) -> Result<Reply> {
        self.send(path, &Method::Delete, &[])
    }

    /// Sends until the server neither asks to come back later nor drops the connection. Every request of the
    /// protocol may be sent twice.
    fn send(&self, path: &str, method: &Method<'_>, headers: &[(&str, &str)]) -> Result<Reply> {
        let mut pause = Duration::from_millis(100);
        for attempt in 1.. {
            let outcome = self.send_once(path, method, headers);
            let retry = match &outcome {
                Ok((status, _)) => asks_to_come_back(*status),
                Err(error) => is_transient(error),
            };
            if retry && attempt < TRIES {
                let asked = outcome.ok().and_then(|(_, reply)| retry_after(&reply.headers)).unwrap_or(pause);
                sleep(asked.min(Duration::from_secs(5)));
                pause *= 2;
                continue;
            }
            let (status, reply) = outcome.map_err(|error| self.unreachable(&error))?;
            return if status.is_success() { Ok(reply) } else { Err(self.refused(status, &reply.bytes)) };
        }
        unreachable!("the last attempt returns")
    }

    /// One request and its whole reply: a connection that breaks half way through is no reply.
    fn send_once(
        &self,
        path: &str,
        method: &Method<'_>,
        headers: &[(&str, &str)],
    ) -> Result<(StatusCode, Reply), ureq::Error> {
        let url = format!("{}{path}", self.base);
        let authorization = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let own = authorization.iter().map(|value| ("authorization", value.as_str()));
        let all: Vec<(&str, &str)> = headers.iter().copied().chain(own).collect();
        macro_rules! with_headers {
            ($request:expr) => {
                all.iter().fold($request, |request, (name, value)| request.header(*name, *value))
            };
        }
        let mut response = match method {
            Method::Get => with_headers!(self.agent.get(&url)).call(),
            Method::Delete => with_headers!(self.agent.delete(&url)).call(),
            Method::Put(body) => with_headers!(self.agent.put(&url)).send(*body),
            Method::Post(body) => with_headers!(self.agent.post(&url)).send(*body),
        }?;
        let bytes = response.body_mut().with_config().limit(MAX_REPLY).read_to_vec()?;
        Ok((response.status(), Reply { bytes, headers: response.headers().clone() }))
    }

    /// What a server says in a reply that is no success.
    #[doc(hidden)]
    pub fn refused(&self, status: StatusCode, body: &[u8]) -> Error {
        let Ok(reply) = serde_json::from_slice::<ErrorReply>(body) else {
            return Error::fault("server_error", format!("{} answered {status}", self.base))
                .hint("check the URL: this does not look like an fhectl server");
        };
        let code = known_code(&reply.error.code);
        let message = format!(
            "the server refused: {} ({}, HTTP {})",
            plain(&reply.error.message),
            plain(&reply.error.code),
            status.as_u16()
        );
        let error = if status.is_server_error() { Error::fault(code, message) } else { Error::user(code, message) };
        match reply.error.hint {
            Some(hint) => error.hint(plain(&hint)),
            None => error,
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        Error::user("no_server", format!("no answer from {}: {error}", self.base))
            .hint("is the server running (`fhectl serve`), and is the URL right?")
    }
}

/// Whether a server is busy or restarting, or says so through a proxy in front of it.
fn asks_to_come_back(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether sending again may help: the connection failed, not the request.
fn is_transient(error: &ureq::Error) -> bool {
    match error {
        // Nobody listens: a restarting server is back within the pauses, a wrong URL is told soon enough.
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed => true,
        ureq::Error::Protocol(_) => true,
        _ => false,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// A server's text without control characters: what it says is shown on a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The server's codes that callers act on, as codes of ours.
fn known_code(code: &str) -> &'static str {
    const KNOWN: [&str; 17] = [
        "unauthorized",
        "key_unknown",
        "key_invalid",
        "key_incomplete",
        "key_too_large",
        "part_conflict",
        "busy",
        "model_unknown",
        "wrong_model",
        "format_version",
        "ciphertext_invalid",
        "draining",
        "rate_limited",
        "deadline",
        "quota_exceeded",
        "row_budget_spent",
        "store_unavailable",
    ];
    KNOWN.into_iter().find(|known| *known == code).unwrap_or("server_error")
}
