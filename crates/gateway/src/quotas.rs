//! Limits of each gateway for its clients, so that a local server refuses what the deployed one would.
//!
//! | kind | request line | one header value | request line and headers | body | event |
//! |---|---|---|---|---|---|
//! | REST API | - | - | 10,240 | 10 MB | 6 MB |
//! | HTTP API | - | - | 10,240 | 10 MB | 6 MB |
//! | function URL | - | - | - | 6 MB | 6 MB |
//! | load balancer | 16 KB | 16 KB | 64 KB | 1 MB | 6 MB |
//!
//! In bytes; `-` if AWS documents none and only [`Limits`](contract::limits::Limits) apply. The event is the JSON that Lambda accepts: a
//! body in base64 and escaped characters count as they are written there. Sources: AWS, "Quotas for configuring and running a REST API
//! in API Gateway" and "... an HTTP API ..." (total combined size of request line and header values; payload size), "Quotas for your
//! Application Load Balancers" (HTTP headers), "Use Lambda functions as targets of an Application Load Balancer" (request body), "Lambda
//! quotas" (invocation payload, synchronous).

use super::EventKind;
use contract::limits::{ALB_PAYLOAD_BYTES_MAX, KIB, LAMBDA_PAYLOAD_BYTES_MAX, MIB};

/// Limits of a gateway for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Method, target and version with the blanks between them.
    pub request_line_bytes_max: usize,
    /// The value of one header field.
    pub header_value_bytes_max: usize,
    /// Request line and header fields together.
    pub head_bytes_max: usize,
    /// Whether the names of header fields count in `head_bytes_max`, in addition to their values.
    pub counts_header_names: bool,
    /// The body as the client sends it, without transfer coding.
    pub body_bytes_max: usize,
    /// The JSON of the event that is made of the request.
    pub event_bytes_max: usize,
}

/// For gateways behind API Gateway: a head of this size fits, whichever of its values is the largest.
const API_GATEWAY: Quotas = Quotas {
    request_line_bytes_max: 10_240,
    header_value_bytes_max: 10_240,
    head_bytes_max: 10_240,
    counts_header_names: false,
    body_bytes_max: 10 * MIB,
    event_bytes_max: LAMBDA_PAYLOAD_BYTES_MAX,
};

/// AWS documents no limits for the head.
const FUNCTION_URL: Quotas = Quotas {
    request_line_bytes_max: usize::MAX,
    header_value_bytes_max: usize::MAX,
    head_bytes_max: usize::MAX,
    counts_header_names: true,
    body_bytes_max: LAMBDA_PAYLOAD_BYTES_MAX,
    event_bytes_max: LAMBDA_PAYLOAD_BYTES_MAX,
};

const LOAD_BALANCER: Quotas = Quotas {
    request_line_bytes_max: 16 * KIB,
    header_value_bytes_max: 16 * KIB,
    head_bytes_max: 64 * KIB,
    counts_header_names: true,
    body_bytes_max: ALB_PAYLOAD_BYTES_MAX,
    event_bytes_max: LAMBDA_PAYLOAD_BYTES_MAX,
};

impl Quotas {
    /// The limits of the gateway of a kind.
    pub const fn of(kind: EventKind) -> &'static Self {
        match kind {
            EventKind::Rest | EventKind::HttpApi => &API_GATEWAY,
            EventKind::FunctionUrl => &FUNCTION_URL,
            EventKind::Alb => &LOAD_BALANCER,
        }
    }
}
