//! The secrets of each guest of a host.

use crate::{
    declaration::SecretDeclarations,
    port::{GuestSecrets, NoSecrets},
};
use outgoing::OutgoingHttp;
use std::sync::Arc;

/// How one guest uses its secrets.
pub struct GuestAccess {
    /// What it may ask about them.
    pub secrets: Arc<dyn GuestSecrets>,
    /// What sends its requests to other services, with its secrets filled in.
    pub outgoing: Arc<dyn OutgoingHttp>,
}

/// Gives each guest of a host its secrets.
pub trait ProvideSecrets: Send + Sync {
    /// The secrets of a guest with these declarations, whose requests `client` sends.
    fn provide(
        &self,
        declarations: &Arc<SecretDeclarations>,
        client: Arc<dyn OutgoingHttp>,
    ) -> GuestAccess;
}

/// For hosts that send no requests: whatever is declared, no guest has any, and placeholders are text.
impl ProvideSecrets for NoSecrets {
    fn provide(&self, _: &Arc<SecretDeclarations>, client: Arc<dyn OutgoingHttp>) -> GuestAccess {
        GuestAccess {
            secrets: Arc::new(Self),
            outgoing: client,
        }
    }
}
