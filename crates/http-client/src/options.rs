//! What a client is made with.

use std::time::Duration;

/// Bounds of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// For resolving a name, opening a connection, and TLS, together.
    pub connect_duration_max: Duration,
    /// Fields of the head of a response.
    pub headers_max: usize,
    /// Bytes of the head of a response. At least 8 KiB, as hyper demands.
    pub head_bytes_max: usize,
    /// Connections to one target that wait for the next request.
    pub idle_connections_max: usize,
    /// Connections to all targets that wait for the next request.
    pub idle_connections_of_all_max: usize,
    /// How long a connection waits for the next request.
    pub idle_duration_max: Duration,
}

/// For a few services that are called often.
impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_duration_max: Duration::from_secs(5),
            headers_max: 128,
            head_bytes_max: 64 << 10,
            idle_connections_max: 1_024,
            idle_connections_of_all_max: 1_024,
            idle_duration_max: Duration::from_secs(60),
        }
    }
}
