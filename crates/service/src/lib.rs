//! From a gateway event to the response that the gateway expects, in three layers: parse, handle, respond.
//!
//! | layer | from | to | function |
//! |---|---|---|---|
//! | parse | an event | a request, or why it is refused | [`Service::parse`], [`Service::parse_composed`] |
//! | handle | either of them | a checked reply and a summary | [`Service::handle`] |
//! | respond | a reply | what the gateway reads, or what its client gets | [`Reply::into_json`], [`Reply::into_delivery`] |
//!
//! [`Service::invoke`] is the sum of the three, for Lambda and for replays. A host that is its own gateway calls [`Service::handle`] with what it
//! composed. [`Recorder`] decorates both and records requests. [`Router`] chooses among several guests.
//!
//! ```no_run
//! use contract::seed::Seed;
//! use runtime::Runtime;
//! use service::{Invocation, Service};
//! use std::{sync::Arc, time::{Duration, Instant}};
//! use storage::{CursorKey, MemoryStorage, Tenant};
//!
//! # async fn example(runtime: Runtime, event: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let storage = Tenant::new(Arc::new(MemoryStorage::new()), "items".parse()?, CursorKey::new([0; 32]));
//! let service = Service::new(runtime, Arc::new(storage));
//! // Whatever the outcome follows from besides guest, event and store: a replay passes the recorded values.
//! let invocation = Invocation {
//!     received_at_ms: 1_767_225_600_000,
//!     seed: Seed::new([7; 32]),
//!     deadline: Instant::now() + Duration::from_secs(5),
//!     trace_header: None,
//! };
//! let answer = service.invoke(event, invocation).await?;
//! println!("{} {}", answer.summary.method, answer.summary.status);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/embed.rs` is a whole program.
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
mod faults;
mod outcomes;
mod recording;
mod routed;

pub use deployment::Deployment;
pub use outcomes::Outcomes;
pub use recording::{Recorder, Recording};
pub use routed::RoutedRequest;

use contract::{
    digest::Digest,
    http::Request,
    limits::Limits,
    outcome::{Answer, Fault, Summary},
    seed::Seed,
};
use gateway::{Event, EventError, ParseContext, RefusedError, Reply, compose::Composed};
use runtime::Runtime;
use std::{sync::Arc, time::Instant};
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
pub struct Invocation {
    /// Milliseconds since the Unix epoch at which the host received the event.
    pub received_at_ms: u64,
    /// Source of everything random in this request.
    pub seed: Seed,
    /// When the response must be ready.
    pub deadline: Instant,
    /// A trace header for calls to the store (AWS: `X-Amzn-Trace-Id`).
    pub trace_header: Option<String>,
}

/// The result of parsing an HTTP event: a request, or why it is refused before any guest runs.
pub type ParsedEvent = Result<Event, Box<RefusedError>>;

impl Service {
    /// A single guest that uses `storage`, which must already be its own view of the store.
    pub fn new(runtime: Runtime, storage: Arc<dyn Storage>) -> Self {
        Self::of(Deployment::new(runtime, storage))
    }

    /// A single guest.
    pub fn of(deployment: Deployment) -> Self {
        Self {
            guests: Guests::One(Arc::new(deployment)),
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
            Guests::One(deployment) => Some(deployment.runtime().digest()),
            Guests::Routed(_) => None,
        }
    }

    /// Limits of every request.
    pub fn limits(&self) -> Limits {
        match &self.guests {
            Guests::One(deployment) => *deployment.runtime().limits(),
            Guests::Routed(router) => router.limits(),
        }
    }

    /// What is removed from every path.
    pub fn base_path(&self) -> Option<&str> {
        self.base_path.as_deref()
    }

    /// Answers one event with the JSON that its gateway reads. Every HTTP request gets an HTTP response; anything else is a [`EventError`]
    /// that names it.
    pub async fn invoke(&self, event: &[u8], invocation: Invocation) -> Result<Answer, EventError> {
        let event = self.parse(event, &invocation)?;
        let answer = self.handle(event, invocation).await;
        Ok(answer.map(Reply::into_json))
    }

    /// Parses an event.
    pub fn parse(&self, event: &[u8], invocation: &Invocation) -> Result<ParsedEvent, EventError> {
        match gateway::parse(event, &self.parse_context(invocation), &self.limits()) {
            Ok(event) => Ok(Ok(event)),
            Err(EventError::Http(refusal)) => Ok(Err(refusal)),
            Err(rejection @ (EventError::NotJson { .. } | EventError::NotHttp(_))) => {
                Err(rejection)
            }
        }
    }

    /// The same for an event that was composed here; its JSON is not needed.
    pub fn parse_composed(&self, event: Composed<'_>, invocation: &Invocation) -> ParsedEvent {
        event.into_event(&self.parse_context(invocation), &self.limits())
    }

    /// Lets a guest handle a request; if there is none, or it gives no valid response, a problem document takes its place.
    pub async fn handle(&self, event: ParsedEvent, invocation: Invocation) -> Answer<Reply> {
        match self.route(event) {
            Ok(request) => request.run(invocation).await,
            Err(answer) => *answer,
        }
    }

    /// The first half of [`handle`](Self::handle): the request with its deployment, or the response if there is none.
    pub fn route(&self, event: ParsedEvent) -> Result<RoutedRequest, Box<Answer<Reply>>> {
        let event = event.map_err(|refusal| Box::new(faults::answer_to_refused(*refusal)))?;
        let deployment = match &self.guests {
            Guests::One(deployment) => Ok(deployment.clone()),
            Guests::Routed(router) => router.choose(&event.request).ok_or_else(|| router.fault()),
        };
        match deployment {
            Ok(deployment) => Ok(RoutedRequest::new(deployment, event)),
            Err(fault) => {
                let summary = Summary::of_request(&event.request, event.route);
                Err(Box::new(faults::answer(&event.origin, summary, fault)))
            }
        }
    }

    fn parse_context<'a>(&'a self, invocation: &'a Invocation) -> ParseContext<'a> {
        ParseContext {
            received_at_ms: invocation.received_at_ms,
            seed: &invocation.seed,
            base_path: self.base_path.as_deref(),
        }
    }
}
