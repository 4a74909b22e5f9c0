//! Which certificates a server may show where the user named its authority.

use super::certificate::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Takes what the named authorities signed, and one of the named certificates itself.
///
/// Of a named certificate, dates and name are checked, and the handshake proves that the server has its key. Whether it says
/// that it is an authority's does not matter: the user said whose it is.
#[derive(Debug)]
pub(super) struct AuthorityVerifier {
    named: Vec<CertificateDer<'static>>,
    signed: Arc<WebPkiServerVerifier>,
}

impl AuthorityVerifier {
    /// # Errors
    /// Where none of them is a certificate.
    pub fn new(named: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(named.iter().cloned());
        let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { named, signed })
    }
}

impl ServerCertVerifier for AuthorityVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.named.contains(end_entity) {
            return self.signed.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        }
        let own = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < own.not_before {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > own.not_after {
            return Err(CertificateError::Expired.into());
        }
        // The subject's name counts where there are no others, as it always did outside of browsers.
        if !own.has_alternative_names && own.common_name.is_some_and(|common| is_name(common, name)) {
            return Ok(ServerCertVerified::assertion());
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// Whether a common name is the server's: the same, or `*` for the first part of a name.
fn is_name(text: &str, name: &ServerName<'_>) -> bool {
    let host = name.to_str();
    let (text, host) = (text.trim_end_matches('.'), host.trim_end_matches('.'));
    let parent = match name {
        ServerName::DnsName(_) => host.split_once('.').map(|(_, parent)| parent),
        _ => None,
    };
    let is_wildcard_of = |parent: &str| text.strip_prefix("*.").is_some_and(|rest| rest.eq_ignore_ascii_case(parent));
    !text.is_empty()
        && (text.eq_ignore_ascii_case(host)
            || parent.is_some_and(|parent| parent.contains('.') && is_wildcard_of(parent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_is_the_hosts_or_a_wildcard_of_it() {
        let is = |text: &str, host: &'static str| is_name(text, &ServerName::try_from(host).unwrap());
        for (text, host) in
            [("Host.example", "host.example"), ("10.0.0.1", "10.0.0.1"), ("*.host.example", "a.host.example")]
        {
            assert!(is(text, host), "{text} {host}");
        }
        for (text, host) in [
            ("", "host.example"),
            ("host", "host.example"),
            ("*.example", "host.example"),
            ("*.host.example", "a.b.host.example"),
            ("*.0.0.1", "10.0.0.1"),
            ("*", "host.example"),
        ] {
            assert!(!is(text, host), "{text} {host}");
        }
    }
}
