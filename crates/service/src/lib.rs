//! From a gateway event to the response that the gateway expects: the one path that every host uses.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod catch;
mod deployment;
mod outcomes;
mod recording;

use contract::outcome::{Answer, Failure, Fault, Summary};
pub use deployment::Deployment;
pub use outcomes::Outcomes;
pub use recording::invoke_recorded;

use contract::{
    digest::Digest,
    http::{Request, Response},
    limits::Limits,
    seed::Seed,
};
use gateway::{
    self, InvalidResponse, Origin, Rejection,
    compose::Composed,
    deliver::{BinaryMedia, Delivery, deliver_response},
    problem,
};
use runtime::{Run, Runtime};
use std::{pin::pin, sync::Arc, time::Instant};
use storage::Storage;

/// Guests with their stores, ready for events. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    guests: Guests,
    base_path: Option<Arc<str>>,
}

#[derive(Clone)]
enum Guests {
    One(Arc<Deployment>),
    Routed(Arc<dyn Router>),
}

/// Decides which guest answers a request.
pub trait Router: Send + Sync {
    /// Limits of requests before their guest is known: the highest of all guests.
    fn limits(&self) -> Limits;

    /// The guest that answers; `None` if there is none. Called once for each valid request, and never waits.
    fn choose(&self, request: &Request) -> Option<Arc<Deployment>>;

    /// Why no guest answers, if that is so.
    fn fault(&self) -> Fault {
        Fault::Unrouted
    }
}

/// What an event cannot contain. Injected, so that a replay repeats it.
pub struct Arrival {
    /// Milliseconds since the Unix epoch at which the host received the event.
    pub received_at_ms: u64,
    /// Source of everything random in this request.
    pub seed: Seed,
    /// When the response must be ready.
    pub deadline: Instant,
    /// A trace header for calls to the store (AWS: `X-Amzn-Trace-Id`).
    pub trace_header: Option<String>,
}

/// Status and text for the client: only what it can act on. The rest is for the operator's log.
fn status_and_detail(fault: &Fault, status_of_refusal: u16) -> (u16, &str) {
    match fault {
        Fault::Refused(detail) => (status_of_refusal, detail),
        Fault::Unrouted => (404, "nothing is served under this path"),
        Fault::Unavailable => (503, "the service is not available"),
        Fault::Guest(Failure::Deadline) => (504, "the service did not answer in time"),
        Fault::Guest(Failure::Busy) => (503, "the service is busy; try again"),
        Fault::Guest(Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_)) => {
            (500, "the service failed while it handled the request")
        }
        Fault::Response(_) => (500, "the service gave an answer that cannot be sent"),
        Fault::Panic(_) => (500, "the service failed while it handled the request"),
    }
}

impl Service {
    /// A single guest that uses `storage`, which must already be its own view of the store.
    pub fn new(runtime: Runtime, storage: Arc<dyn Storage>) -> Self {
        Self {
            guests: Guests::One(Arc::new(Deployment::new(runtime, storage))),
            base_path: None,
        }
    }

    /// Guests among which `router` chooses for each request.
    pub fn routed(router: Arc<dyn Router>) -> Self {
        Self {
            guests: Guests::Routed(router),
            base_path: None,
        }
    }

    /// Removes a leading part like `/shop`, which a custom domain's mapping adds, from every path.
    #[must_use]
    pub fn with_base_path(mut self, base_path: &str) -> Self {
        self.base_path = Some(base_path.into());
        self
    }

    /// SHA-256 of the component that answers, if it is always the same one.
    pub fn guest(&self) -> Option<Digest> {
        match &self.guests {
            Guests::One(deployment) => Some(deployment.runtime.digest()),
            Guests::Routed(_) => None,
        }
    }

    /// Limits of every request.
    pub fn limits(&self) -> Limits {
        match &self.guests {
            Guests::One(deployment) => *deployment.runtime.limits(),
            Guests::Routed(router) => router.limits(),
        }
    }

    /// What is removed from every path.
    pub fn base_path(&self) -> Option<&str> {
        self.base_path.as_deref()
    }

    /// Answers one event. Every HTTP request gets an HTTP response; anything else is a [`Rejection`] that names it.
    pub async fn invoke(&self, event: &[u8], arrival: Arrival) -> Result<Answer, Rejection> {
        self.invoke_with(event, arrival, |deployment| deployment.storage.clone())
            .await
    }

    /// The same with another view of the store for this event, for example one that records. `view` is called once with the guest that
    /// answers, if any does.
    pub async fn invoke_with(
        &self,
        event: &[u8],
        arrival: Arrival,
        view: impl FnOnce(&Deployment) -> Arc<dyn Storage>,
    ) -> Result<Answer, Rejection> {
        let event = gateway::parse(event, &self.injected(&arrival), &self.limits());
        self.dispatch(event, arrival, view, gateway::respond).await
    }

    /// Answers an event that was composed here, and returns what the gateway's client gets. It is equivalent to writing the event as JSON,
    /// [`invoke`](Self::invoke) and [`deliver`](gateway::deliver::deliver), but without writing and parsing JSON.
    pub async fn exchange(
        &self,
        event: Composed<'_>,
        arrival: Arrival,
        binary: &BinaryMedia<'_>,
    ) -> Result<Answer<Delivery>, Rejection> {
        let event = gateway::take_apart(event, &self.injected(&arrival), &self.limits());
        let view = |deployment: &Deployment| deployment.storage.clone();
        let finish =
            |origin: &Origin, response: Response| deliver_response(origin, response, binary);
        self.dispatch(event, arrival, view, finish).await
    }

    fn injected<'a>(&'a self, arrival: &'a Arrival) -> gateway::Arrival<'a> {
        gateway::Arrival {
            received_at_ms: arrival.received_at_ms,
            seed: &arrival.seed,
            base_path: self.base_path.as_deref(),
        }
    }

    /// Calls a guest. `finish` converts its response to the result.
    async fn dispatch<T: Default>(
        &self,
        event: Result<gateway::Event, Rejection>,
        arrival: Arrival,
        view: impl FnOnce(&Deployment) -> Arc<dyn Storage>,
        finish: impl Fn(&Origin, Response) -> Result<T, InvalidResponse>,
    ) -> Result<Answer<T>, Rejection> {
        let gateway::Event {
            request,
            origin,
            route,
            ..
        } = match event {
            Ok(event) => event,
            Err(Rejection::Http(refusal)) => {
                let fault = Fault::Refused(refusal.detail.clone());
                let origin = refusal.origin;
                return Ok(answer_for(
                    origin,
                    summary_of_refusal(*refusal, fault),
                    finish,
                ));
            }
            Err(rejection @ (Rejection::NotJson { .. } | Rejection::NotHttp(_))) => {
                return Err(rejection);
            }
        };
        let deployment = match &self.guests {
            Guests::One(deployment) => Ok(deployment.clone()),
            Guests::Routed(router) => router.choose(&request).ok_or_else(|| router.fault()),
        };
        let mut summary = Summary::of_request(&request, route);
        Ok(match deployment {
            Ok(deployment) => {
                let storage = view(&deployment);
                answer(
                    &deployment,
                    storage,
                    request,
                    origin,
                    arrival,
                    summary,
                    finish,
                )
                .await
            }
            Err(fault) => {
                summary.fault = Some(fault);
                answer_for(origin, summary, finish)
            }
        })
    }
}

async fn answer<T: Default>(
    deployment: &Deployment,
    storage: Arc<dyn Storage>,
    request: Request,
    origin: Origin,
    arrival: Arrival,
    mut summary: Summary,
    finish: impl Fn(&Origin, Response) -> Result<T, InvalidResponse>,
) -> Answer<T> {
    summary.guest = Some(deployment.runtime.digest());
    if let Some(detail) = deployment.refuses(&request) {
        summary.status = 413;
        summary.fault = Some(Fault::Refused(detail));
        return answer_for(origin, summary, finish);
    }
    let deadline = deployment.deadline(arrival.deadline);
    let client = deployment.client(&request);
    let turn = match deployment.turn(deadline).await {
        Ok(turn) => turn,
        Err(failure) => {
            summary.fault = Some(failure.into());
            return answer_for(origin, summary, finish);
        }
    };
    let run = Run {
        storage,
        seed: arrival.seed,
        deadline,
        trace_header: arrival.trace_header,
    };
    let handling = pin!(deployment.runtime.handle(request, run)); // too large to be moved for every request
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
    drop(turn);
    let payload = response.and_then(|response| {
        summary.status = response.status;
        finish(&origin, response).map_err(|error| Fault::Response(error.to_string()))
    });
    deployment.note(client, payload.as_ref().err(), &summary.usage);
    match payload {
        Ok(payload) => Answer { payload, summary },
        Err(fault) => {
            summary.fault = Some(fault);
            answer_for(origin, summary, finish)
        }
    }
}

/// The summary of a request that no guest gets.
fn summary_of_refusal(refusal: gateway::Refusal, fault: Fault) -> Summary {
    Summary {
        status: refusal.status,
        fault: Some(fault),
        ..Summary::new(refusal.request_id, refusal.method, refusal.route)
    }
}

/// The problem document for a summary with a fault.
fn answer_for<T: Default>(
    origin: Origin,
    mut summary: Summary,
    finish: impl Fn(&Origin, Response) -> Result<T, InvalidResponse>,
) -> Answer<T> {
    let status_of_refusal = summary.status;
    let response: Response = match &summary.fault {
        Some(fault) => {
            let (status, detail) = status_and_detail(fault, status_of_refusal);
            problem::response(status, detail, &summary.request_id)
        }
        None => problem::response(status_of_refusal, "", &summary.request_id),
    };
    summary.status = response.status;
    // A problem document satisfies all rules for responses.
    let payload = finish(&origin, response).unwrap_or_default();
    Answer { payload, summary }
}
