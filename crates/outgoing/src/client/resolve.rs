//! Names of hosts to addresses.

use std::{io, net::SocketAddr};

/// Finds the addresses of a name. Asked for each new connection, and not for literal addresses.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// Addresses with this port, in the order in which to try them.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }
}
