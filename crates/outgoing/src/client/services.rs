//! Other services, for all guests of a host.

use super::{granted::GrantedClient, http_client::HttpClient};
use crate::{
    grants::Grants,
    port::{NoOutgoing, OutgoingHttp},
    services::GrantServices,
    signing::RequestSigner,
};
use std::{fmt, sync::Arc};

/// Gives each guest what it may call; all of them share the connections. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    client: Arc<HttpClient>,
    signer: Option<Arc<dyn RequestSigner>>,
}

impl Services {
    /// With a client, and what signs requests of grants that say `sign`.
    pub fn new(client: HttpClient, signer: Option<Arc<dyn RequestSigner>>) -> Self {
        Self {
            client: Arc::new(client),
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
