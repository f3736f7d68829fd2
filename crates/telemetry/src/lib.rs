//! What a host in the cloud writes about its work: one JSON object a line, as Lambda's log levels and CloudWatch's embedded metric format want it.
//!
//! Everything here is a pure function from what happened to bytes. No line holds a body, a header or a query. Guests are responsible for what they
//! log, but a guest's line cannot pass for a line or a metric of the host.
//!
//! Every line begins with `timestamp` (RFC 3339), `level`, `message`, `requestId` (Lambda's invocation), `gatewayRequestId` (the event's, which
//! guest and client see), `traceId` (X-Ray) and `guest` (the first digits of its digest); those that are unknown are left out.
//!
//! ```
//! use contract::log::LogLevel;
//! use telemetry::{Ids, Telemetry};
//!
//! let telemetry = Telemetry {
//!     level: LogLevel::Info,
//!     metrics_namespace: "Tenon".to_owned(),
//!     function: "items".to_owned(),
//! };
//! let line = telemetry.note(1_767_225_600_000, LogLevel::Warn, "started late", &Ids::default(), &[]);
//! assert_eq!(
//!     String::from_utf8_lossy(&line),
//!     "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"level\":\"WARN\",\"message\":\"started late\"}\n",
//! );
//! assert!(telemetry.note(0, LogLevel::Debug, "too detailed", &Ids::default(), &[]).is_empty());
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod line;
mod metrics;
mod report;
mod request;
mod trace;

pub use metrics::{DIMENSION, Metric, Unit};
pub use report::{Channel, Report};
pub use trace::Trace;

use contract::{digest::Digest, log::LogLevel};
use line::Line;
use serde_json::Value;

/// Digits of a guest's digest in a line: enough to distinguish releases.
const GUEST_DIGITS: usize = 12;

/// Settings of all lines of one process.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Less severe lines are left out; summaries never are.
    pub level: LogLevel,
    /// The CloudWatch namespace of the metrics.
    pub metrics_namespace: String,
    /// Name of the function, which is the only dimension of the metrics.
    pub function: String,
}

/// Members of all lines about one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids<'a> {
    /// The id of the invocation, from Lambda.
    pub request_id: Option<&'a str>,
    /// The id of the event, as guest and client see it.
    pub gateway_request_id: Option<&'a str>,
    /// Root of the X-Ray trace.
    pub trace_id: Option<&'a str>,
    /// The guest that answered.
    pub guest: Option<Digest>,
}

impl Telemetry {
    /// One line about the host itself, or about an event that was not a request; empty if the level is too low.
    pub fn note(
        &self,
        at_ms: u64,
        level: LogLevel,
        message: &str,
        ids: &Ids<'_>,
        members: &[(&str, Value)],
    ) -> Vec<u8> {
        let mut lines = Vec::new();
        if level >= self.level {
            let mut line = Line::begin(&mut lines, at_ms, level, message, ids);
            for (name, value) in members {
                line.member(name, value);
            }
            line.end();
        }
        lines
    }
}
