//! Gateway events to requests, and responses to what the gateway expects.
//!
//! Everything here is a pure function: no clock, no generator, no environment. The kind of an event determines the shape of its answer, so the
//! [`Origin`] travels with the request. [`parse`] is total: any bytes give a request, or a [`EventError`] that says what is wrong and where.
//! [`compose`] and [`deliver`] play the gateway's own part, for the local host and for tests. Where gateway and host are the same process, nothing
//! is written as JSON in between: [`Composed::into_event`](compose::Composed::into_event) and [`Reply::into_delivery`] follow the same rules as
//! [`parse`] and [`deliver`](deliver::deliver). No other crate knows the members of events and responses: [`message`] says what they hold, [`summary`]
//! what an event asks for and when it was made, and [`normal`] gives the responses of all gateways one form in which they can be compared.
//!
//! ```
//! use contract::{http::Response, limits::Limits, seed::Seed};
//! use gateway::{ParseContext, parse, respond};
//!
//! let event = br#"{
//!     "version": "2.0", "routeKey": "GET /items", "rawPath": "/items", "rawQueryString": "limit=2", "headers": {},
//!     "requestContext": {"http": {"method": "GET", "path": "/items"}, "requestId": "r-1", "stage": "$default"},
//!     "isBase64Encoded": false
//! }"#;
//! let context = ParseContext { received_at_ms: 0, seed: &Seed::new([7; 32]), base_path: None };
//! let parsed = parse(event, &context, &Limits::default())?;
//! assert_eq!((parsed.request.method.as_str(), parsed.request.path.as_str()), ("GET", "/items"));
//!
//! let response = Response { status: 204, headers: Vec::new(), body: Vec::new() };
//! let answer = respond(&parsed.origin, response)?;
//! assert!(answer.starts_with(br#"{"statusCode":204"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What each kind of event cannot carry, so that a guest cannot rely on it:
//!
//! | kind | lost |
//! |---|---|
//! | REST API | order of different parameters and headers; spelling of the query (it is decoded) |
//! | HTTP API | spelling of the path (it is decoded, in effect twice, and cut at an encoded `?`); repetition of headers |
//! | function URL | repetition of headers |
//! | load balancer | order of different parameters and headers; in single-value mode all but the last of repeated ones |
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod compose;
pub mod deliver;
mod diagnose;
mod encode;
mod envelope;
mod foreign;
mod identity;
mod kind;
mod media;
pub mod message;
pub mod normal;
mod normalise;
mod path;
pub mod problem;
mod quotas;
mod respond;
mod route;
mod shape;
pub mod summary;
mod time;

pub use foreign::Foreign;
pub use kind::{EventKind, EventKindError};
pub use media::REST_BINARY_TYPES;
pub use normalise::parse;
pub use quotas::Quotas;
pub use respond::{Reply, ResponseError, respond};
pub use route::for_logs as path_for_logs;

use contract::{
    http::{Request, Response},
    seed::Seed,
};
use json::JsonProblem;

/// The origin of a request: everything that its response's shape depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which gateway.
    pub kind: EventKind,
    /// Load balancers only: the target group has multi-value headers enabled, and reads only those in the response.
    pub multi_value: bool,
}

impl Origin {
    /// The usual origin of a kind; for a load balancer with multi-value headers.
    pub fn new(kind: EventKind) -> Self {
        Self {
            kind,
            multi_value: kind.has_multi_value_setting(),
        }
    }
}

/// A parsed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The guest's request.
    pub request: Request,
    /// What the response needs to know.
    pub origin: Origin,
    /// The event's own time in milliseconds since the Unix epoch, if it has one. Load balancer events have none.
    pub time_epoch_ms: Option<u64>,
    /// The gateway's route, like `/items/{id}`; the path if the gateway has no routes. For logs; without a query.
    pub route: String,
}

/// A request id is 1 to this many bytes of visible ASCII.
const REQUEST_ID_BYTES_MAX: usize = 256;

/// What an event cannot contain.
#[derive(Clone, Copy, Debug)]
pub struct ParseContext<'a> {
    /// Milliseconds since the Unix epoch at which the host received the event.
    pub received_at_ms: u64,
    /// Seed of the request id if the event has no usable one.
    pub seed: &'a Seed,
    /// A leading part of the path, like `/shop`, that a custom domain's mapping adds. Removed if present, and passed on to the guest.
    pub base_path: Option<&'a str>,
}

impl ParseContext<'_> {
    /// The event's own id if it is usable, otherwise one from the seed.
    pub(crate) fn request_id(&self, id: Option<&str>) -> String {
        match id {
            Some(id)
                if id.len() <= REQUEST_ID_BYTES_MAX
                    && id.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                id.to_owned()
            }
            Some(_) | None => self.seed.request_id(),
        }
    }
}

/// Why an event did not become a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The bytes are not JSON, or exceed the limits of the reader that classifies them.
    #[error(
        "event {verdict}: {problem} at line {line} column {column}; pass the event exactly as the gateway sent it",
        verdict = .problem.verdict()
    )]
    NotJson {
        /// What is wrong with them.
        problem: JsonProblem,
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 at the beginning of a line.
        column: usize,
    },
    /// JSON, but not an HTTP request from a gateway.
    #[error("event is {0}, not an HTTP request; {hint}", hint = .0.hint())]
    NotHttp(Foreign),
    /// An HTTP request that is answered with an error instead of being run.
    #[error("{} event answered with {}: {}", .0.origin.kind, .0.status, .0.detail)]
    Http(Box<RefusedError>),
}

/// An HTTP request that must not reach the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedError {
    /// Determines the response's shape.
    pub origin: Origin,
    /// 400, 413, 414 or 431.
    pub status: u16,
    /// What was wrong and where.
    pub detail: String,
    /// Id of the request, as the guest would have seen it.
    pub request_id: String,
    /// As sent; empty if it could not be read.
    pub method: String,
    /// As [`Event::route`]; empty if it could not be read.
    pub route: String,
}

impl RefusedError {
    /// The response to send, as a problem document.
    pub fn response(&self) -> Response {
        problem::response(self.status, &self.detail, &self.request_id)
    }
}
