//! TLS in the process: rustls with ring, a certificate that can change while the server runs.

use super::reload::Reloading;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// A server's certificate chain and private key.
pub struct TlsIdentity {
    certified: Arc<CertifiedKey>,
    files: Vec<PathBuf>,
}

impl TlsIdentity {
    /// Reads a chain (leaf first) and its key, both PEM. A server that is given the result reads the files again when
    /// they change.
    ///
    /// # Errors
    /// `tls_invalid` where a file cannot be read, holds no certificate or no key, or the two do not belong together.
    pub fn from_files(cert: &Path, key: &Path) -> Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| {
                invalid(error.to_string(), "check the path and its permissions").context(path.display())
            })
        };
        let own = Self::from_pem(&read(cert)?, &read(key)?)
            .map_err(|error| error.context(format!("{} and {}", cert.display(), key.display())))?;
        Ok(Self { files: vec![cert.to_owned(), key.to_owned()], ..own })
    }

    /// As [`TlsIdentity::from_files`], from their contents.
    ///
    /// # Errors
    /// As [`TlsIdentity::from_files`].
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self> {
        let chain = CertificateDer::pem_slice_iter(cert)
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| invalid(format!("the certificate: {error}"), PEM))?;
        if chain.is_empty() {
            return Err(invalid("there is no certificate".into(), PEM));
        }
        // What the parser says of a key is not passed on: it might quote it.
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| invalid("there is no private key that can be read".into(), PEM))?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(|error| invalid(error.to_string(), "give the certificate and the key that was made for it"))?;
        Ok(Self { certified: Arc::new(certified), files: Vec::new() })
    }
}

const PEM: &str =
    "give PEM files: --tls-cert with BEGIN CERTIFICATE (the chain, leaf first), --tls-key with BEGIN PRIVATE KEY";

fn invalid(what: String, hint: &str) -> Error {
    Error::new(ErrorCode::TlsInvalid, what).hint(hint)
}

/// The identity in force, for handshakes and for the watch over its files.
#[derive(Clone)]
pub(super) struct Identity(Arc<Reloading<TlsIdentity>>);

impl Identity {
    pub fn new(first: TlsIdentity) -> Self {
        let files = first.files.clone();
        Self(Arc::new(Reloading::new("TLS certificate", first, files, |contents| {
            TlsIdentity::from_pem(&contents[0], &contents[1])
        })))
    }

    pub fn refresh(&self) {
        self.0.refresh();
    }

    /// # Errors
    /// `tls_invalid` where the library supports no protocol version, which it does.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string(), "this build has no usable TLS"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current().certified.clone())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    /// A certificate and its key, PEM.
    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        (own.pem(), key.serialize_pem())
    }

    #[test]
    fn half_of_a_new_pair_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let (cert, key) = pair();
        std::fs::write(&cert_file, cert).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let identity = Identity::new(TlsIdentity::from_files(&cert_file, &key_file).unwrap());
        let in_force = || identity.0.current().certified.cert[0].clone();
        let first = in_force();
        let (cert, key) = pair();
        std::fs::write(&cert_file, cert).unwrap();
        identity.refresh();
        assert_eq!(in_force(), first);
        std::fs::write(&key_file, key).unwrap();
        identity.refresh();
        assert_ne!(in_force(), first);
    }
}
