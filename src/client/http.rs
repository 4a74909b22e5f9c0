//! HTTP with one server: the sockets and the sleeping of conversations.

use super::proxy::{name_of, proxy_for};
use super::tls::TlsConnector;
use super::trouble::Trouble;
use fhectl_core::client::conversation::{Conversation, Driver, Method, Next, Reply, Request, Single};
use fhectl_core::error::{Error, ErrorCode, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;

/// The certificates of a PEM file of authorities.
///
/// # Errors
/// `ca_invalid` where it cannot be read or holds none.
pub fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let invalid = |what: String| {
        Error::new(ErrorCode::CaInvalid, format!("{}: {what}", path.display()))
            .hint("give a PEM file with the certificate of the authority that signed the server's, or the server's own")
    };
    let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<std::result::Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| invalid(error.to_string()))?;
    if certificates.is_empty() { Err(invalid("there is no certificate in it".into())) } else { Ok(certificates) }
}

/// The longest reply that is read: a batch of answers, with room for its header and a tag.
const MAX_REPLY: u64 = 68 << 20;

/// A connection pool to one server.
pub struct Http {
    agent: Agent,
    base: String,
    token: Option<String>,
    /// What to call the proxy on the way, where there is one.
    proxy: Option<String>,
}

impl Http {
    /// `authorities` are the only certificates that a server's must be or lead to; with none, those of the web are.
    ///
    /// # Errors
    /// `url_invalid` where the URL is not `http://` or `https://`, `ca_invalid` where no authority can be used.
    pub fn new(url: &str, token: Option<String>, authorities: Vec<CertificateDer<'static>>) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        if !(base.starts_with("http://") || base.starts_with("https://")) || base.len() < 9 {
            return Err(Error::new(ErrorCode::UrlInvalid, format!("`{url}` is not a server's URL"))
                .hint("give it as http://host:port or https://host"));
        }
        let proxy = proxy_for(&base);
        let named = proxy.as_ref().map(name_of);
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::WebPki).build())
            .proxy(proxy)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(600)))
            .user_agent(concat!("fhectl/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = if authorities.is_empty() {
            config.new_agent()
        } else {
            let tls = TlsConnector::new(authorities).map_err(|error| {
                Error::new(ErrorCode::CaInvalid, error.to_string()).hint("give another certificate with --ca-cert")
            })?;
            Agent::with_parts(config, tls.chain(), DefaultResolver::default())
        };
        Ok(Self { agent, base, token, proxy: named })
    }

    /// Leads a conversation to its end. `before` sees it before each of its requests is sent for the first time.
    ///
    /// # Errors
    /// `no_server`, or what ends the conversation.
    pub fn converse<C: Conversation>(&self, conversation: C, mut before: impl FnMut(&C)) -> Result<C::Output> {
        let mut driver = Driver::new(conversation, &self.base);
        before(driver.conversation());
        loop {
            let next = match self.send(&driver.request()) {
                Ok(reply) => driver.handle_reply(reply)?,
                Err(error) => {
                    let trouble = Trouble::of(&error, &self.base, self.proxy.as_deref());
                    let next = driver.handle_lost(trouble.transient, &trouble.what);
                    next.map_err(|error| trouble.hint.into_iter().fold(error, Error::hint))?
                }
            };
            match next {
                Next::Send => before(driver.conversation()),
                Next::Wait(pause) => sleep(pause),
                Next::Done(output) => return Ok(output),
            }
        }
    }

    /// # Errors
    /// `no_server`, or what the server says.
    pub fn get(&self, path: &str) -> Result<Reply> {
        self.converse(Single(Request::new(Method::Get, path)), |_| {})
    }

    /// # Errors
    /// As [`Http::get`].
    pub fn put(&self, path: &str, body: &[u8]) -> Result<Reply> {
        self.converse(Single(Request::new(Method::Put, path).body(body)), |_| {})
    }

    /// One request and its whole reply: a connection that breaks half way through is no reply.
    fn send(&self, request: &Request<'_>) -> Result<Reply, ureq::Error> {
        let url = format!("{}{}", self.base, request.path);
        let authorization = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let own = authorization.iter().map(|value| ("authorization", value.as_str()));
        let all: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).chain(own).collect();
        macro_rules! with_headers {
            ($request:expr) => {
                all.iter().fold($request, |request, (name, value)| request.header(*name, *value))
            };
        }
        let mut response = match request.method {
            Method::Get => with_headers!(self.agent.get(&url)).call(),
            Method::Delete => with_headers!(self.agent.delete(&url)).call(),
            Method::Put => with_headers!(self.agent.put(&url)).send(request.body),
            Method::Post => with_headers!(self.agent.post(&url)).send(request.body),
        }?;
        let body = response.body_mut().with_config().limit(MAX_REPLY).read_to_vec()?;
        let text = |value: &ureq::http::HeaderValue| value.to_str().ok().map(str::to_owned);
        let headers = response.headers().iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?)));
        Ok(Reply::new(response.status().as_u16(), headers.collect(), body))
    }
}
