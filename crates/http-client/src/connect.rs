//! From an origin to a connection: name, addresses, TCP, TLS.

use crate::{
    connection::Connection,
    error::{RefusedAddress, SendError, with_causes},
    options::ClientOptions,
    pool::Target,
    resolve::Resolve,
    tls::{Tls, certificate_problem},
    wire::Stream,
};
use contract::origin::{Host, Origin, Scheme};
use std::{
    io,
    net::{self, SocketAddr},
    time::Instant,
};
use tokio::{
    net::TcpStream,
    time::{timeout, timeout_at},
};
use tokio_rustls::client::TlsStream;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Opens connections.
pub struct Connector {
    pub resolver: Box<dyn Resolve>,
    pub tls: Tls,
    pub options: ClientOptions,
}

impl Connector {
    /// A new connection to a target, to an address that is allowed.
    pub async fn connect(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Connection, SendError> {
        let origin = &target.origin;
        let until = deadline.min(Instant::now() + self.options.connect_duration_max);
        let connecting = async {
            let addresses = self.addresses(target).await?;
            let stream = open(&addresses, until).await;
            let stream = stream.map_err(|error| unreachable(origin, &error))?;
            let connection = self.speak(origin, stream).await;
            connection.map_err(|error| unreachable(origin, &error))
        };
        match timeout_at(until.into(), connecting).await {
            Ok(result) => result,
            Err(_) => Err(unreachable(
                origin,
                &io::Error::from(io::ErrorKind::TimedOut),
            )),
        }
    }

    /// The addresses to which connections may be opened: exactly those that were checked.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, SendError> {
        let origin = &target.origin;
        let found = match &origin.host {
            Host::Address(address) => vec![SocketAddr::new(*address, origin.port)],
            Host::Name(name) => {
                let found = self.resolver.resolve(name, origin.port).await;
                found.map_err(|error| unreachable(origin, &error))?
            }
        };
        let allowed = target.addresses.allowed(&found);
        allowed.map_err(|refused| match refused {
            Some((address, class)) => SendError::NotAllowed(RefusedAddress {
                host: origin.host.clone(),
                address,
                class,
                allowed: target.addresses,
            }),
            None => SendError::NotSent(format!("`{}` has no address", origin.host)),
        })
    }

    async fn speak(&self, origin: &Origin, stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let probe: net::TcpStream = stream.try_clone()?;
        let stream = TcpStream::from_std(stream)?;
        let stream: Box<dyn Stream> = match origin.scheme {
            Scheme::Http => Box::new(stream),
            Scheme::Https => Box::new(self.tls.connect(&origin.host, stream).await?),
        };
        Connection::new(stream, probe, &self.options)
            .await
            .map_err(io::Error::other)
    }
}

fn unreachable(origin: &Origin, error: &io::Error) -> SendError {
    // No colon after the origin: redaction of a guest's log would take what follows for the value of what the host is called.
    let words = match certificate_problem(error) {
        Some(problem) => format!("the certificate of `{origin}` {problem}"),
        None => format!("no connection to `{origin}`, {}", with_causes(error)),
    };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => SendError::Refused(words),
        _ => SendError::NotSent(words),
    }
}

/// TCP to the first address that answers; each gets its part of the time.
async fn open(targets: &[SocketAddr], until: Instant) -> io::Result<TcpStream> {
    let targets = &targets[..targets.len().min(ADDRESSES_MAX)];
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    let mut left = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    for target in targets {
        let share = until.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(target)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
        left -= 1;
    }
    Err(last)
}

impl Stream for TcpStream {
    fn fails_after_sending(&self) -> bool {
        false
    }
}

/// Records of a write can have left before one of them fails.
impl Stream for TlsStream<TcpStream> {
    fn fails_after_sending(&self) -> bool {
        true
    }
}
