//! TLS to servers, with certificates checked.

use crate::origin::Host;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use std::{
    io,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The configuration of TLS, which is made at the first connection that needs it: reading the system's certificates takes milliseconds.
#[derive(Default)]
pub struct Tls {
    /// Instead of the system's.
    authorities: Option<Vec<CertificateDer<'static>>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts these authorities only.
    pub fn with_authorities(authorities: Vec<CertificateDer<'static>>) -> Self {
        Self {
            authorities: Some(authorities),
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
        let mut roots = RootCertStore::empty();
        let system;
        let (certificates, errors) = match &self.authorities {
            Some(authorities) => (authorities, &Vec::new()),
            None => {
                system = rustls_native_certs::load_native_certs();
                (&system.certs, &system.errors)
            }
        };
        roots.add_parsable_certificates(certificates.iter().cloned());
        if !roots.is_empty() {
            return Ok(roots);
        }
        let cause = errors.first().map(|error| format!(": {error}"));
        let cause = cause.unwrap_or_default();
        Err(format!("this machine has no trusted certificates{cause}"))
    }
}
