//! A request with the guest that handles it.

use crate::{Deployment, Invocation, catch, faults};
use contract::{
    http::{Request, has_content},
    outcome::{Answer, Fault, Summary},
};
use gateway::{Event, Origin, Reply};
use outgoing::OutgoingHttp;
use runtime::Run;
use secrets::GuestSecrets;
use std::{pin::pin, sync::Arc};
use storage::Storage;

/// A request with the deployment that was chosen for it and the view of the store that the guest will use.
pub struct RoutedRequest {
    deployment: Arc<Deployment>,
    storage: Arc<dyn Storage>,
    outgoing: Arc<dyn OutgoingHttp>,
    secrets: Arc<dyn GuestSecrets>,
    request: Request,
    origin: Origin,
    summary: Summary,
}

impl RoutedRequest {
    pub(super) fn new(deployment: Arc<Deployment>, event: Event) -> Self {
        let mut summary = Summary::of_request(&event.request, event.route);
        summary.guest = Some(deployment.runtime().digest());
        let outgoing = deployment.outgoing();
        Self {
            storage: deployment.storage().clone(),
            outgoing: outgoing
                .for_client(&event.request)
                .unwrap_or_else(|| outgoing.clone()),
            secrets: deployment.secrets().clone(),
            deployment,
            request: event.request,
            origin: event.origin,
            summary,
        }
    }

    /// The chosen deployment.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Replaces the view of the store for this request, for example by one that records the calls.
    #[must_use]
    pub fn with_storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }

    /// What sends the guest's requests to other services.
    pub fn outgoing(&self) -> &Arc<dyn OutgoingHttp> {
        &self.outgoing
    }

    /// Replaces what sends the guest's requests to other services, for example by a view that records them.
    #[must_use]
    pub fn with_outgoing(mut self, outgoing: Arc<dyn OutgoingHttp>) -> Self {
        self.outgoing = outgoing;
        self
    }

    /// Replaces what answers the guest's calls about its secrets, for example by a view that records them.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn GuestSecrets>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Runs the guest within its limits; if it gives no valid response, a problem document takes its place.
    pub async fn run(self, invocation: Invocation) -> Answer<Reply> {
        let Self {
            deployment,
            storage,
            outgoing,
            secrets,
            request,
            origin,
            mut summary,
        } = self;
        if let Some(detail) = deployment.refuses(&request) {
            summary.status = 413;
            return faults::answer(&origin, summary, Fault::Refused(detail));
        }
        let deadline = deployment.deadline(invocation.deadline);
        let client = deployment.client(&request);
        let permit = match deployment.acquire(deadline).await {
            Ok(permit) => permit,
            Err(failure) => return faults::answer(&origin, summary, failure.into()),
        };
        let run = Run {
            storage,
            outgoing,
            secrets,
            seed: invocation.seed,
            deadline,
            trace_header: invocation.trace_header,
        };
        let handling = pin!(deployment.runtime().handle(request, run)); // too large to be moved for every request
        let response = match catch::panics(handling).await {
            Ok(outcome) => {
                summary.logs = outcome.logs;
                summary.backtrace = outcome.backtrace;
                summary.usage = outcome.usage;
                summary.storage = outcome.storage;
                outcome.result.map_err(Fault::Guest)
            }
            Err(message) => Err(Fault::Panic(message)),
        };
        drop(permit);
        let reply = response.and_then(|response| {
            summary.status = response.status;
            // The gateway drops what a status without content has.
            let body_bytes = match has_content(response.status) {
                true => response.body.len(),
                false => 0,
            };
            let reply = Reply::new(&origin, response)
                .map_err(|error| Fault::Response(error.to_string()))?;
            deployment.check_response(body_bytes)?;
            Ok(reply)
        });
        deployment.note(client, reply.as_ref().err(), &summary.usage);
        match reply {
            Ok(payload) => Answer { payload, summary },
            Err(fault) => faults::answer(&origin, summary, fault),
        }
    }
}
