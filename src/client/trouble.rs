//! Why there is no reply, in a person's terms.

use rustls::{AlertDescription, CertificateError, Error as Tls};
use std::io;

/// What stood between client and server.
pub(super) struct Trouble {
    /// What happened.
    pub what: String,
    /// What to do, where it is known better than that the server may be away.
    pub hint: Option<&'static str>,
    /// Whether sending again may help: the connection failed, not the request.
    pub transient: bool,
}

impl Trouble {
    /// `proxy` is what to call the proxy on the way, where there is one.
    pub fn of(error: &ureq::Error, url: &str, proxy: Option<&str>) -> Self {
        let mut trouble = match tls_error(error) {
            Some(error) if is_its_own_authority(error) => Self {
                what: "the server's certificate is its own authority".to_owned(),
                hint: Some(NAME_IT),
                transient: false,
            },
            Some(error) => Self { what: error.to_string(), hint: tls_hint(error), transient: false },
            None => Self { what: error.to_string(), hint: None, transient: is_transient(error) },
        };
        if let Some(proxy) = proxy {
            trouble.what = format!("through {proxy}: {}", trouble.what);
            trouble.hint = trouble.hint.or(Some(
                "does the proxy reach this server? NO_PROXY=HOST leaves it out, and unsetting the variable leaves it out of all",
            ));
        } else if trouble.hint.is_none() && url.starts_with("http://") && spoke(error) {
            trouble.hint =
                Some("what answers there does not speak HTTP; where the server has TLS, its URL begins with https://");
        }
        trouble
    }
}

/// Whether something answered, if not with HTTP.
fn spoke(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Protocol(_) => true,
        ureq::Error::Io(error) => {
            matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
        }
        _ => false,
    }
}

fn is_transient(error: &ureq::Error) -> bool {
    // Nobody listens: a restarting server is back within the pauses, a wrong URL is told soon enough.
    matches!(error, ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_))
}

/// The handshake's own error, which comes as one of reading.
fn tls_error(error: &ureq::Error) -> Option<&Tls> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

const NAME_IT: &str = "no authority that is trusted here signed the server's certificate; --ca-cert FILE.pem names one, or the \
                       server's certificate itself";

/// Whether a certificate was refused for being an authority's, as `openssl req -x509` makes them.
fn is_its_own_authority(error: &Tls) -> bool {
    // The library that says so is another one's: only its words come here.
    matches!(error, Tls::InvalidCertificate(CertificateError::Other(other)) if other.to_string().contains("CaUsedAsEndEntity"))
}

fn tls_hint(error: &Tls) -> Option<&'static str> {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    Some(match error {
        Tls::InvalidCertificate(UnknownIssuer) => NAME_IT,
        Tls::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the certificate is for another name than the URL's; use one of its names in --url, or make it with the right one \
             (openssl req -x509 ... -addext subjectAltName=DNS:host,IP:10.0.0.1)"
        }
        Tls::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the certificate's time is over: the server's operator renews it (or this machine's clock is wrong)"
        }
        Tls::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "the certificate is not valid yet: is this machine's clock right?"
        }
        Tls::InvalidCertificate(_) => "the server's certificate cannot be used; its operator makes another one",
        Tls::InvalidMessage(_) => {
            "what answers there does not speak TLS; where the server has none, its URL begins with http://"
        }
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            "the server wants another version of TLS; want 1.2 or 1.3"
        }
        Tls::AlertReceived(_) => "the server ended the handshake; its log says why",
        _ => return None,
    })
}
