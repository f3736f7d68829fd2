//! From a gateway event to the answer that the gateway expects: the one path that every host takes.

mod catch;

use crate::{
    gateway::{self, EventKind, InvalidResponse, Origin, Rejection},
    http::{Request, Response},
    problem,
    runtime::{Failure, LogRecord, Run, Runtime, Usage},
    seed::Seed,
    storage::{Storage, StorageReport},
};
use std::{sync::Arc, time::Instant};

/// A guest with its store, ready for events. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    runtime: Runtime,
    storage: Arc<dyn Storage>,
    base_path: Option<Arc<str>>,
}

/// What an event cannot say itself. Injected, so that a replay repeats it.
pub struct Arrival {
    /// Milliseconds since the Unix epoch at which the host received the event.
    pub received_at_ms: u64,
    /// Source of everything random in this request.
    pub seed: Seed,
    /// When the answer has to be there.
    pub deadline: Instant,
    /// What calls to the store carry on, so that a trace spans them (AWS: `X-Amzn-Trace-Id`).
    pub trace_header: Option<String>,
}

/// An answer with what a host reports about it.
#[derive(Debug)]
pub struct Answer {
    /// The JSON that goes back to the gateway.
    pub payload: Vec<u8>,
    /// For access lines, metrics and people.
    pub summary: Summary,
}

/// One request in short. Holds nothing sensitive: no query, header or body.
#[derive(Debug)]
pub struct Summary {
    /// Which gateway asked.
    pub kind: EventKind,
    /// As the guest and the client saw it.
    pub request_id: String,
    /// As sent; empty where the request was refused before it was known.
    pub method: String,
    /// Percent-encoded, without query; empty where the request was refused before it was known.
    pub path: String,
    /// The status that the client gets.
    pub status: u16,
    /// Why the host answered in the guest's place, if it did.
    pub fault: Option<Fault>,
    /// The guest's log lines.
    pub logs: Vec<LogRecord>,
    /// What the guest used; nothing if it did not run.
    pub usage: Usage,
    /// What the store did for it.
    pub storage: StorageReport,
}

/// Why the host answered in the guest's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request broke a rule or a limit; the guest did not see it.
    #[error("request refused: {0}")]
    Refused(String),
    /// The guest gave no answer.
    #[error(transparent)]
    Guest(#[from] Failure),
    /// The guest gave an answer that must not be sent.
    #[error("the guest's answer is invalid: {0}")]
    Response(#[from] InvalidResponse),
    /// The host has a defect; the process goes on.
    #[error("the host panicked: {0}")]
    Panic(String),
}

impl Fault {
    /// Status and words for the client: what it can do something about. The rest is for the operator's log.
    fn answer(&self, status_of_refusal: u16) -> (u16, &str) {
        match self {
            Self::Refused(detail) => (status_of_refusal, detail),
            Self::Guest(Failure::Deadline) => (504, "the service did not answer in time"),
            Self::Guest(Failure::Busy) => (503, "the service is busy; try again"),
            Self::Guest(Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_)) => {
                (500, "the service failed while it handled the request")
            }
            Self::Response(_) => (500, "the service gave an answer that cannot be sent"),
            Self::Panic(_) => (500, "the service failed while it handled the request"),
        }
    }
}

impl Service {
    /// A guest answering from `storage`, which is its own view of the store.
    pub fn new(runtime: Runtime, storage: Arc<dyn Storage>) -> Self {
        Self {
            runtime,
            storage,
            base_path: None,
        }
    }

    /// Takes a leading part like `/shop`, as a custom domain's mapping adds it, off every path.
    #[must_use]
    pub fn with_base_path(mut self, base_path: &str) -> Self {
        self.base_path = Some(base_path.into());
        self
    }

    /// The guest that answers.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Answers one event. Whatever was an HTTP request gets an HTTP answer; anything else is a [`Rejection`] that names it.
    pub async fn invoke(&self, event: &[u8], arrival: Arrival) -> Result<Answer, Rejection> {
        let Arrival {
            received_at_ms,
            seed,
            deadline,
            trace_header,
        } = arrival;
        let injected = gateway::Arrival {
            received_at_ms,
            seed: &seed,
            base_path: self.base_path.as_deref(),
        };
        let gateway::Event {
            request, origin, ..
        } = match gateway::parse(event, &injected, self.runtime.limits()) {
            Ok(event) => event,
            Err(Rejection::Http(refusal)) => {
                let fault = Fault::Refused(refusal.detail.clone());
                return Ok(answer_for(
                    refusal.origin,
                    Summary::of_refusal(*refusal, fault),
                ));
            }
            Err(rejection @ (Rejection::NotJson { .. } | Rejection::NotHttp(_))) => {
                return Err(rejection);
            }
        };
        Ok(self
            .answer(
                request,
                origin,
                Run {
                    storage: self.storage.clone(),
                    seed,
                    deadline,
                    trace_header,
                },
            )
            .await)
    }

    async fn answer(&self, request: Request, origin: Origin, run: Run) -> Answer {
        let mut summary = Summary::of_request(&request, origin.kind);
        let response = match catch::panics(self.runtime.handle(request, run)).await {
            Ok(outcome) => {
                summary.logs = outcome.logs;
                summary.usage = outcome.usage;
                summary.storage = outcome.storage;
                outcome.result.map_err(Fault::Guest)
            }
            Err(message) => Err(Fault::Panic(message)),
        };
        let payload = response.and_then(|response| {
            summary.status = response.status;
            Ok(gateway::respond(&origin, response)?)
        });
        match payload {
            Ok(payload) => Answer { payload, summary },
            Err(fault) => {
                summary.fault = Some(fault);
                answer_for(origin, summary)
            }
        }
    }
}

/// The problem document for a summary with a fault.
fn answer_for(origin: Origin, mut summary: Summary) -> Answer {
    let status_of_refusal = summary.status;
    let response: Response = match &summary.fault {
        Some(fault) => {
            let (status, detail) = fault.answer(status_of_refusal);
            problem::response(status, detail, &summary.request_id)
        }
        None => problem::response(status_of_refusal, "", &summary.request_id),
    };
    summary.status = response.status;
    // A problem document is within every rule of an answer.
    let payload = gateway::respond(&origin, response).unwrap_or_default();
    Answer { payload, summary }
}

impl Summary {
    fn of_request(request: &Request, kind: EventKind) -> Self {
        Self {
            kind,
            request_id: request.context.request_id.clone(),
            method: request.method.clone(),
            path: request.path.clone(),
            status: 0,
            fault: None,
            logs: Vec::new(),
            usage: Usage::default(),
            storage: StorageReport::default(),
        }
    }

    fn of_refusal(refusal: gateway::Refusal, fault: Fault) -> Self {
        Self {
            kind: refusal.origin.kind,
            request_id: refusal.request_id,
            method: String::new(),
            path: String::new(),
            status: refusal.status,
            fault: Some(fault),
            logs: Vec::new(),
            usage: Usage::default(),
            storage: StorageReport::default(),
        }
    }
}
