//! The client of one guest.

use super::http_message;
use crate::{
    error::OutgoingError,
    grants::Grants,
    message::{OutgoingRequest, OutgoingResponse},
    port::{OutgoingHttp, earlier},
    request::ParsedRequest,
    signing::{AwsScope, RequestSigner, UnsignedRequest},
};
use contract::limits::OUTGOING_RESPONSE_BODY_BYTES_MAX;
use http_client::{HttpClient, Target, Wait};
use std::{fmt, sync::Arc, time::Instant};
use tokio::time::timeout_at;

/// Sends what is granted: reads a request strictly, finds its grant, signs it if the grant says so, and sends it.
#[derive(Clone)]
pub struct GrantedClient {
    client: Arc<HttpClient>,
    grants: Arc<Grants>,
    signer: Option<Arc<dyn RequestSigner>>,
}

impl GrantedClient {
    /// A guest's view of a client. Without a signer, requests of grants that say `sign` are [`OutgoingError::Unreachable`].
    pub fn new(
        client: Arc<HttpClient>,
        grants: Arc<Grants>,
        signer: Option<Arc<dyn RequestSigner>>,
    ) -> Self {
        Self {
            client,
            grants,
            signer,
        }
    }

    async fn signed(
        &self,
        scope: &AwsScope,
        request: ParsedRequest,
        deadline: Instant,
    ) -> Result<ParsedRequest, OutgoingError> {
        let unsigned = |words: &str| {
            OutgoingError::Unreachable(format!("no credentials for signing: {words}"))
        };
        let Some(signer) = &self.signer else {
            return Err(unsigned("this host has none"));
        };
        let url = request.url();
        let signing = signer.sign(
            scope,
            UnsignedRequest {
                method: request.method(),
                url: &url,
                headers: request.headers(),
                body: request.body(),
            },
        );
        let added = match timeout_at(deadline.into(), signing).await {
            Ok(added) => added.map_err(|words| unsigned(&words))?,
            Err(_) => return Err(unsigned("none in time")),
        };
        request.with_headers(added)
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for GrantedClient {
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let request = ParsedRequest::new(request)?;
        let deadline = earlier(request.timeout(), deadline);
        let grant = self.grants.check(&request)?;
        let request = match grant.signing() {
            Some(scope) => self.signed(scope, request, deadline).await?,
            None => request,
        };
        let target = Target {
            origin: request.origin().clone(),
            addresses: grant.addresses(),
        };
        let sending = self.client.send(
            &target,
            http_message::request(request)?,
            OUTGOING_RESPONSE_BODY_BYTES_MAX,
            Wait::Until(deadline),
        );
        http_message::response(sending.await?)
    }
}

impl fmt::Debug for GrantedClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GrantedClient")
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}
