//! Names of hosts to addresses.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Names that are looked up at a time: the system's resolver takes a thread for each, which stays behind when a request ends before it.
const LOOKUPS_MAX: usize = 32;

/// Finds the addresses of a name. Asked for each new connection, and not for literal addresses.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// Addresses with this port, in the order in which to try them.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let lookups = self.lookups.clone();
        let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let lookup = spawn_blocking(move || {
            // Until the thread is free, however early the request ends.
            let _permit = permit;
            (name.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect)
        });
        lookup.await.map_err(io::Error::other)?
    }
}
