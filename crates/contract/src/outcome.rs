//! The outcome of a request, as hosts report it and tapes record it. Kept outside of `service` and `runtime`, so that it can be written
//! without a runtime.

use crate::{digest::Digest, http::Request, log::LogRecord};
use std::time::Duration;

/// A response, with what a host reports about it.
#[derive(Debug)]
pub struct Answer<T = Vec<u8>> {
    /// The JSON for the gateway, or what it is made from.
    pub payload: T,
    /// For access lines, metrics and users.
    pub summary: Summary,
}

impl<T> Answer<T> {
    /// The same with another payload.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            payload: convert(self.payload),
            summary: self.summary,
        }
    }
}

/// A summary of one request. Contains nothing sensitive: no query, header or body.
#[derive(Debug)]
pub struct Summary {
    /// As the guest and the client saw it.
    pub request_id: String,
    /// As sent; empty if the request was refused before it was known.
    pub method: String,
    /// Percent-encoded, without query; empty if the request was refused before it was known.
    pub path: String,
    /// The gateway's route, or the path if it has none.
    pub route: String,
    /// The status that the client gets.
    pub status: u16,
    /// Why the host answered instead of the guest, if it did.
    pub fault: Option<Fault>,
    /// SHA-256 of the component that was called; `None` if the request was refused before.
    pub guest: Option<Digest>,
    /// The guest's log lines.
    pub logs: Vec<LogRecord>,
    /// Functions of the guest that were active when it failed, the innermost first.
    pub backtrace: Vec<String>,
    /// What the guest used; `None` if it did not run.
    pub usage: Usage,
    /// What the store did for the request.
    pub storage: StorageReport,
}

impl Summary {
    /// What is known of a request before it is answered.
    pub fn of_request(request: &Request, route: String) -> Self {
        Self {
            path: request.path.clone(),
            ..Self::new(
                request.context.request_id.clone(),
                request.method.clone(),
                route,
            )
        }
    }

    /// The same for a request that could not be read: it has no path.
    pub fn new(request_id: String, method: String, route: String) -> Self {
        Self {
            request_id,
            method,
            path: String::new(),
            route,
            status: 0,
            fault: None,
            guest: None,
            logs: Vec::new(),
            backtrace: Vec::new(),
            usage: Usage::default(),
            storage: StorageReport::default(),
        }
    }
}

/// Why the host answered instead of the guest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request broke a rule or a limit; the guest did not see it.
    #[error("request refused: {0}")]
    Refused(String),
    /// No guest serves the path.
    #[error("no guest serves this path")]
    Unrouted,
    /// The channel has no guest that may serve.
    #[error("no guest may serve: the host's log says what is wrong with the channel")]
    Unavailable,
    /// The guest returned no response.
    #[error(transparent)]
    Guest(#[from] Failure),
    /// The guest returned a response that must not be sent.
    #[error("the guest's answer is invalid: {0}")]
    Response(String),
    /// The host has a bug; the process continues.
    #[error("the host panicked: {0}")]
    Panic(String),
}

impl Fault {
    /// Its name, which is the same in the log, on tapes and in documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Unrouted => "unrouted",
            Self::Unavailable => "unavailable",
            Self::Guest(Failure::Trap(_)) => "trap",
            Self::Guest(Failure::Deadline) => "deadline",
            Self::Guest(Failure::Busy) => "busy",
            Self::Guest(Failure::Memory(_)) => "memory",
            Self::Guest(Failure::Stopped(_)) => "stopped",
            Self::Response(_) | Self::Guest(Failure::NoResponse(_)) => "response",
            Self::Panic(_) => "panic",
        }
    }
}

/// Why there is no response. The texts are for clients and logs alike: they reveal nothing about the host's internals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guest trapped: a panic, a stack overflow, an access out of bounds. Contains wasmtime's message.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// Time ran out.
    #[error("the guest did not answer in time")]
    Deadline,
    /// No instance became free in time.
    #[error("no instance became free in time")]
    Busy,
    /// The guest trapped after an allocation was refused.
    #[error("the guest exceeded its memory limit of {0} bytes")]
    Memory(usize),
    /// The guest called the host in a way that is not allowed.
    #[error("the guest was stopped: {0}")]
    Stopped(Stop),
    /// A component of `wasi:http` returned without a whole response.
    #[error("the guest gave no response: {0}")]
    NoResponse(NoResponse),
}

/// Why a component of `wasi:http` that returned has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResponse {
    /// It never called `response-outparam.set`.
    #[error("it returned without calling `response-outparam.set`")]
    NotSet,
    /// It passed an error to `response-outparam.set`.
    #[error("it answered with the error `{0}`")]
    Error(&'static str),
    /// It dropped the body of its response, or returned, before `outgoing-body.finish`.
    #[error("it did not finish the body of its response")]
    UnfinishedBody,
    /// It finished the body of its response, which is shorter than its `content-length`.
    #[error("the body of its response is shorter than its content-length")]
    BodyLength,
}

/// Why the host stopped a guest during a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// More than `host_calls_max`.
    #[error("too many calls to the host")]
    HostCalls,
    /// More than `storage_calls_max`.
    #[error("too many storage calls")]
    StorageCalls,
    /// More than `outgoing_calls_max`.
    #[error("too many requests to other services")]
    OutgoingCalls,
    /// More than `OUTGOING_BYTES_MAX` in the bodies of requests to other services and of their responses.
    #[error("too much data in requests to other services and their responses")]
    OutgoingBytes,
    /// More than `SECRET_CALLS_MAX`.
    #[error("too many calls about secrets")]
    SecretCalls,
    /// More than `SECRET_MESSAGES_BYTES_MAX` in the messages that are signed and verified.
    #[error("too much data in messages that are signed or verified")]
    SecretMessages,
    /// One call or response with more than `HOST_CALL_BYTES_MAX`.
    #[error("too much data in one call")]
    CallBytes,
    /// Requested more random bytes at once than allowed.
    #[error("too many random bytes in one call")]
    RandomBytes,
    /// Wrote more output at once than the stream allowed.
    #[error("too many bytes of output in one call")]
    OutputBytes,
    /// Called `wasi:cli/exit`.
    #[error("it called exit")]
    Exit,
    /// Called `poll` with an empty list, which the interface forbids.
    #[error("it polled an empty list")]
    EmptyPoll,
    /// Waited for the response to a request whose body it has not finished: it would wait for ever.
    #[error("it waits for the response to a request whose body it has not finished")]
    UnfinishedRequest,
    /// Called `poll` with more entries than allowed.
    #[error("it polled too long a list")]
    PollList,
    /// Wrote bodies of HTTP messages with more than `response_body_bytes_max` bytes together.
    #[error("it wrote more bytes to bodies than a response may have")]
    BodyBytes,
    /// Gave the host more text for HTTP messages than `HTTP_TEXT_BYTES_MAX`.
    #[error("too much text in header fields")]
    HttpText,
}

/// What one request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// From the call to the response, including the wait for an instance.
    pub total_duration: Duration,
    /// The part of it spent waiting for the store.
    pub storage_duration: Duration,
    /// Number of calls to storage functions.
    pub storage_calls: u32,
    /// The part of it spent waiting for other services.
    pub outgoing_duration: Duration,
    /// Number of requests to other services.
    pub outgoing_calls: u32,
    /// Number of calls to all host functions.
    pub host_calls: u32,
    /// Largest size of the guest's linear memory.
    pub memory_bytes_peak: usize,
    /// Approximate number of instructions, if the engine counts them: the same on every machine.
    pub fuel: Option<u64>,
}

/// Number of texts kept in [`StorageReport::faults`].
const FAULTS_MAX: usize = 8;

/// What the store did for one request, for the operator. The guest does not see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageReport {
    /// Capacity units that the table charged, reads and writes together (AWS: `ConsumedCapacity`); 0 for local stores.
    pub capacity_units: f64,
    /// Responses that asked to slow down, including those followed by a successful retry.
    pub throttles: u32,
    /// Requests to the store that repeated an earlier one.
    pub retries: u32,
    /// Why calls failed, in the store's own words: may name tables and addresses, but never contents or credentials.
    pub faults: Vec<String>,
}

impl StorageReport {
    /// Records why a call failed. Only the first few are kept, so that a guest that keeps trying does not fill the log.
    pub fn add_fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }
}
