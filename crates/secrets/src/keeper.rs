//! The secrets of all guests of a host.

use crate::{
    cache::{SecretOptions, Secrets},
    declaration::SecretDeclarations,
    filler::SecretFiller,
    provide::{GuestAccess, ProvideSecrets},
    sources::SecretSources,
};
use outgoing::OutgoingHttp;
use std::{fmt, sync::Arc};

/// Gives each guest the secrets that are declared for it. Guests share the sources, but no value. Cheap to clone.
#[derive(Clone)]
pub struct SecretKeeper {
    sources: Arc<dyn SecretSources>,
    options: SecretOptions,
}

impl SecretKeeper {
    /// Reads nothing until a guest uses a secret.
    pub fn new(sources: Arc<dyn SecretSources>, options: SecretOptions) -> Self {
        Self { sources, options }
    }
}

impl ProvideSecrets for SecretKeeper {
    fn provide(
        &self,
        declarations: &Arc<SecretDeclarations>,
        client: Arc<dyn OutgoingHttp>,
    ) -> GuestAccess {
        // Also without declarations: a placeholder of an unknown secret must not be sent as it is.
        let declarations = SecretDeclarations::clone(declarations);
        let secrets = Secrets::new(declarations, self.sources.clone(), self.options.clone());
        GuestAccess {
            outgoing: Arc::new(SecretFiller::new(secrets.clone(), client)),
            secrets: Arc::new(secrets),
        }
    }
}

impl fmt::Debug for SecretKeeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretKeeper")
            .finish_non_exhaustive()
    }
}
