//! A guest in service: with its view of the store, its limits, and the outcomes of its last requests.

use super::{Outcomes, outcomes};
use contract::{
    http::Request,
    outcome::{Failure, Fault, Usage},
};
use outgoing::{NoOutgoing, OutgoingHttp};
use runtime::Runtime;
use secrets::{GuestSecrets, NoSecrets};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::Storage;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout_at,
};

/// A guest with its view of the store.
pub struct Deployment {
    runtime: Runtime,
    storage: Arc<dyn Storage>,
    outgoing: Arc<dyn OutgoingHttp>,
    secrets: Arc<dyn GuestSecrets>,
    duration_max: Option<Duration>,
    permits: Option<Arc<Semaphore>>,
    outcomes: Option<Box<Outcomes>>,
}

impl Deployment {
    /// A guest that uses `storage`, which must already be its own view of the store.
    pub fn new(runtime: Runtime, storage: Arc<dyn Storage>) -> Self {
        Self {
            runtime,
            storage,
            outgoing: Arc::new(NoOutgoing),
            secrets: Arc::new(NoSecrets),
            duration_max: None,
            permits: None,
            outcomes: None,
        }
    }

    /// Lets it call other services.
    #[must_use]
    pub fn with_outgoing(mut self, outgoing: Arc<dyn OutgoingHttp>) -> Self {
        self.outgoing = outgoing;
        self
    }

    /// Gives it its secrets. What fills them into its requests is part of [`with_outgoing`](Self::with_outgoing).
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn GuestSecrets>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Limits the duration of each request of this guest, however late its invocation's deadline is.
    #[must_use]
    pub fn with_duration_max(mut self, duration_max: Duration) -> Self {
        self.duration_max = Some(duration_max);
        self
    }

    /// Limits the number of concurrent requests of all guests that share `permits`.
    #[must_use]
    pub fn with_permits(mut self, permits: Arc<Semaphore>) -> Self {
        self.permits = Some(permits);
        self
    }

    /// Records the outcomes of the last requests, for the decision about a fallback.
    #[must_use]
    pub fn with_outcomes(mut self) -> Self {
        self.outcomes = Some(Box::default());
        self
    }

    /// The guest.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Its view of the store.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// What sends its requests to other services.
    pub fn outgoing(&self) -> &Arc<dyn OutgoingHttp> {
        &self.outgoing
    }

    /// What it may ask about its secrets.
    pub fn secrets(&self) -> &Arc<dyn GuestSecrets> {
        &self.secrets
    }

    /// Outcomes of its last requests, if they are recorded.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        self.outcomes.as_deref()
    }

    /// Why this guest does not accept a request. Everything that is the same for all guests was checked when the event was parsed.
    pub(super) fn refuses(&self, request: &Request) -> Option<String> {
        let bytes_max = self.runtime.limits().request_body_bytes_max;
        (request.body.len() > bytes_max)
            .then(|| format!("body takes more than the {bytes_max} bytes allowed"))
    }

    /// Why a response of this guest is not sent although the gateway would accept it.
    pub(super) fn check_response(&self, body_bytes: usize) -> Result<(), Fault> {
        let bytes_max = self.runtime.limits().response_body_bytes_max;
        if body_bytes <= bytes_max {
            return Ok(());
        }
        Err(Fault::Response(format!(
            "body takes {body_bytes} bytes, {bytes_max} are allowed"
        )))
    }

    pub(super) fn deadline(&self, of_invocation: Instant) -> Instant {
        match self.duration_max {
            Some(duration_max) => of_invocation.min(Instant::now() + duration_max),
            None => of_invocation,
        }
    }

    /// Waits for a permit, if they are limited.
    pub(super) async fn acquire(
        &self,
        deadline: Instant,
    ) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        let Some(permits) = &self.permits else {
            return Ok(None);
        };
        match timeout_at(deadline.into(), permits.acquire()).await {
            // The semaphore is never closed.
            Ok(permit) => Ok(permit.ok()),
            Err(_) => Err(Failure::Busy),
        }
    }

    /// The client, if outcomes are recorded.
    pub(super) fn client(&self, request: &Request) -> u32 {
        match &self.outcomes {
            Some(_) => outcomes::client(request),
            None => 0,
        }
    }

    pub(super) fn note(&self, client: u32, fault: Option<&Fault>, usage: &Usage) {
        if let Some(outcomes) = &self.outcomes {
            outcomes.note(
                client,
                fault.is_some_and(|fault| is_the_guests(fault, usage)),
            );
        }
    }
}

/// Whether the failure may be the guest's fault.
fn is_the_guests(fault: &Fault, usage: &Usage) -> bool {
    match fault {
        Fault::Guest(
            Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_) | Failure::NoResponse(_),
        )
        | Fault::Response(_) => true,
        // A store or another service that does not answer makes every guest run out of time.
        Fault::Guest(Failure::Deadline) => {
            usage.storage_duration + usage.outgoing_duration < usage.total_duration / 2
        }
        Fault::Guest(Failure::Busy)
        | Fault::Refused(_)
        | Fault::Unrouted
        | Fault::Unavailable
        | Fault::Panic(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_version_might_do_better_counts() {
        let slow_store = Usage {
            total_duration: Duration::from_secs(10),
            storage_duration: Duration::from_secs(9),
            ..Usage::default()
        };
        let deadline = Fault::Guest(Failure::Deadline);
        assert!(is_the_guests(
            &deadline,
            &Usage {
                storage_duration: Duration::ZERO,
                ..slow_store
            }
        ));
        assert!(!is_the_guests(&deadline, &slow_store));
        assert!(is_the_guests(
            &Fault::Guest(Failure::Trap("unreachable".into())),
            &slow_store
        ));
        assert!(!is_the_guests(&Fault::Guest(Failure::Busy), &slow_store));
    }
}
