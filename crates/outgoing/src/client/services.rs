//! The client of all guests of a host.

use super::granted::GrantedClient;
use crate::{
    grants::Grants,
    port::{NoOutgoing, OutgoingHttp},
    services::GrantServices,
    signing::RequestSigner,
};
use contract::limits::{
    OUTGOING_CONNECT_DURATION_MAX, OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX,
    OUTGOING_IDLE_CONNECTIONS_MAX, OUTGOING_IDLE_CONNECTIONS_OF_ALL_MAX,
    OUTGOING_IDLE_DURATION_MAX,
};
use http_client::{ClientOptions, HttpClient};
use std::{fmt, sync::Arc};

/// Bounds of a client for guests.
pub const CLIENT_OPTIONS: ClientOptions = ClientOptions {
    connect_duration_max: OUTGOING_CONNECT_DURATION_MAX,
    headers_max: OUTGOING_HEADERS_MAX,
    head_bytes_max: OUTGOING_HEADERS_BYTES_MAX,
    idle_connections_max: OUTGOING_IDLE_CONNECTIONS_MAX,
    idle_connections_of_all_max: OUTGOING_IDLE_CONNECTIONS_OF_ALL_MAX,
    idle_duration_max: OUTGOING_IDLE_DURATION_MAX,
};

/// Sends requests; all guests share the connections. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    client: Arc<HttpClient>,
    signer: Option<Arc<dyn RequestSigner>>,
}

impl Services {
    /// With a client of its own, and what signs requests of grants that say `sign`.
    pub fn new(signer: Option<Arc<dyn RequestSigner>>) -> Self {
        Self {
            client: Arc::new(HttpClient::new(CLIENT_OPTIONS)),
            signer,
        }
    }
}

impl GrantServices for Services {
    fn granted(&self, grants: &Arc<Grants>) -> Arc<dyn OutgoingHttp> {
        if grants.is_empty() {
            return Arc::new(NoOutgoing);
        }
        Arc::new(GrantedClient::new(
            self.client.clone(),
            grants.clone(),
            self.signer.clone(),
        ))
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Services").finish_non_exhaustive()
    }
}
