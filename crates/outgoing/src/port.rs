//! The port.

use crate::{OutgoingError, OutgoingRequest, OutgoingResponse};
use std::time::Instant;

/// Sends requests of guests.
#[async_trait::async_trait]
pub trait OutgoingHttp: Send + Sync {
    /// Sends one request and waits for its whole response, until `deadline` at the latest.
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError>;
}

/// For guests without grants: refuses every request.
#[derive(Clone, Copy, Debug)]
pub struct NoOutgoing;

#[async_trait::async_trait]
impl OutgoingHttp for NoOutgoing {
    async fn send(
        &self,
        _: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        Err(OutgoingError::NotGranted(
            "this guest may call no other service".to_owned(),
        ))
    }
}
