//! The rules of hosts for requests to other services.

use crate::contract::outgoing::{Error, Request};
use alloc::borrow::ToOwned;
use outgoing::{OutgoingRequest, ParsedRequest};

/// Refuses what a host never sends, whatever it grants.
pub(super) fn check(request: &Request) -> Result<(), Error> {
    let parsed = ParsedRequest::new(OutgoingRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        timeout: request.timeout,
    });
    match parsed {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::InvalidRequest(error.detail().to_owned())),
    }
}
