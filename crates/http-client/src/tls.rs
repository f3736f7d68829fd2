//! TLS to servers, with certificates checked.

use contract::origin::Host;
use rustls::{
    CertificateError, ClientConfig, Error as TlsError, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    io,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Who may vouch for servers.
#[derive(Clone, Debug, Default)]
pub enum Authorities {
    /// Those that the system trusts, or those in the file that the environment variable `SSL_CERT_FILE` names.
    #[default]
    System,
    /// These certificates, each in DER.
    Der(Vec<Vec<u8>>),
    /// These certificates, in PEM.
    Pem(&'static [u8]),
}

/// The configuration of TLS, which is made at the first connection that needs it: reading the system's certificates takes milliseconds.
pub struct Tls {
    authorities: Authorities,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts these authorities only.
    pub fn new(authorities: Authorities) -> Self {
        Self {
            authorities,
            config: OnceLock::new(),
        }
    }

    /// TLS through a TCP stream, to the server that its certificate says.
    pub async fn connect(
        &self,
        host: &Host,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            Host::Address(address) => ServerName::IpAddress((*address).into()),
        };
        let config = self.config().map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(self.config.get_or_init(|| Arc::new(config)).clone())
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let (certificates, cause) = self.authorities.certificates()?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        if !roots.is_empty() {
            return Ok(roots);
        }
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        Err(format!("there are no trusted certificates{cause}"))
    }
}

/// What is wrong with the certificate of a server, and what to do, if that is why there is no connection.
pub fn certificate_problem(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<TlsError>()?;
    let TlsError::InvalidCertificate(error) = error else {
        return None;
    };
    Some(match error {
        CertificateError::UnknownIssuer => {
            "is signed by nobody who is trusted here; to trust its issuer, name a file with the issuer's certificate in the variable `SSL_CERT_FILE` of the host"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired; the service has to renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; check the clock of this machine".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for other names than this one; check the URL".to_owned()
        }
        other => format!("cannot be trusted, {other}"),
    })
}

impl Authorities {
    /// How many there are that can be read.
    pub fn count(&self) -> Result<usize, String> {
        let (certificates, _) = self.certificates()?;
        let mut roots = RootCertStore::empty();
        Ok(roots.add_parsable_certificates(certificates).0)
    }

    /// All of them, and what was wrong with the first that the system does not give.
    fn certificates(&self) -> Result<(Vec<CertificateDer<'_>>, Option<String>), String> {
        match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                let error = found.errors.first().map(ToString::to_string);
                Ok((found.certs, error))
            }
            Self::Der(certificates) => {
                let certificates = certificates.iter().map(Vec::as_slice);
                Ok((certificates.map(CertificateDer::from).collect(), None))
            }
            Self::Pem(text) => {
                let certificates: Result<Vec<_>, _> =
                    CertificateDer::pem_slice_iter(text).collect();
                Ok((certificates.map_err(|error| error.to_string())?, None))
            }
        }
    }
}
