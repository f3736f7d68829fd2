//! Other services, for the guests of a host.

use crate::{
    grants::Grants,
    port::{NoOutgoing, OutgoingHttp},
};
use std::sync::Arc;

/// Gives each guest of a host what it may call.
pub trait GrantServices: Send + Sync {
    /// What a guest with these grants may call.
    fn granted(&self, grants: &Arc<Grants>) -> Arc<dyn OutgoingHttp>;
}

/// Whatever is granted, nothing is sent.
impl GrantServices for NoOutgoing {
    fn granted(&self, _: &Arc<Grants>) -> Arc<dyn OutgoingHttp> {
        Arc::new(Self)
    }
}
