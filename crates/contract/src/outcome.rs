//! What came of a request, as hosts report it and tapes hold it. Beside `service` and `runtime`, so that it can be written down where nothing
//! runs.

use crate::{digest::Digest, http::Request, log::LogRecord};
use std::time::Duration;

/// An answer with what a host reports about it.
#[derive(Debug)]
pub struct Answer<T = Vec<u8>> {
    /// The JSON that goes back to the gateway; from `Service::exchange` what the gateway's client gets.
    pub payload: T,
    /// For access lines, metrics and people.
    pub summary: Summary,
}

/// One request in short. Holds nothing sensitive: no query, header or body.
#[derive(Debug)]
pub struct Summary {
    /// As the guest and the client saw it.
    pub request_id: String,
    /// As sent; empty where the request was refused before it was known.
    pub method: String,
    /// Percent-encoded, without query; empty where the request was refused before it was known.
    pub path: String,
    /// The gateway's route, or the path where it knows none.
    pub route: String,
    /// The status that the client gets.
    pub status: u16,
    /// Why the host answered in the guest's place, if it did.
    pub fault: Option<Fault>,
    /// SHA-256 of the component that was asked; nothing where the request was refused before.
    pub guest: Option<Digest>,
    /// The guest's log lines.
    pub logs: Vec<LogRecord>,
    /// Functions of the guest that were active when it failed, the innermost first.
    pub backtrace: Vec<String>,
    /// What the guest used; nothing if it did not run.
    pub usage: Usage,
    /// What the store did for it.
    pub storage: StorageReport,
}

impl Summary {
    /// What is known of a request before anybody has answered it.
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

    /// The same of a request that could not be read: it has no path.
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

/// Why the host answered in the guest's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request broke a rule or a limit; the guest did not see it.
    #[error("request refused: {0}")]
    Refused(String),
    /// No guest is there for the path.
    #[error("no guest serves this path")]
    Unrouted,
    /// The channel gives no guest that may serve.
    #[error("no guest may serve: the host's log says what is wrong with the channel")]
    Unavailable,
    /// The guest gave no answer.
    #[error(transparent)]
    Guest(#[from] Failure),
    /// The guest gave an answer that must not be sent.
    #[error("the guest's answer is invalid: {0}")]
    Response(String),
    /// The host has a defect; the process goes on.
    #[error("the host panicked: {0}")]
    Panic(String),
}

impl Fault {
    /// Its name: the same one in the log, on tapes and in documents.
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
            Self::Response(_) => "response",
            Self::Panic(_) => "panic",
        }
    }
}

/// Why there is no answer. The texts are for clients and logs alike: they say nothing of the host's insides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guest trapped: a panic, an overflowing stack, an access out of bounds. Holds wasmtime's words for it.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// Time ran out.
    #[error("the guest did not answer in time")]
    Deadline,
    /// No instance became free in time.
    #[error("no instance became free in time")]
    Busy,
    /// The guest trapped after it was refused memory.
    #[error("the guest exceeded its memory limit of {0} bytes")]
    Memory(usize),
    /// The guest called the host in a way that it must not.
    #[error("the guest was stopped: {0}")]
    Stopped(Stop),
}

/// Why the host stopped a guest in the middle of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Over `host_calls_max`.
    #[error("too many calls to the host")]
    HostCalls,
    /// Over `storage_calls_max`.
    #[error("too many storage calls")]
    StorageCalls,
    /// One call or answer carried more than `HOST_CALL_BYTES_MAX`.
    #[error("too much data in one call")]
    CallBytes,
    /// Asked for more random bytes at once than the host gives.
    #[error("too many random bytes in one call")]
    RandomBytes,
    /// Wrote more output at once than the stream permitted.
    #[error("too many bytes of output in one call")]
    OutputBytes,
    /// Called `wasi:cli/exit`.
    #[error("it called exit")]
    Exit,
    /// Called `poll` with nothing to wait for, which the interface forbids.
    #[error("it polled an empty list")]
    EmptyPoll,
    /// Called `poll` with a list of more than it can hold.
    #[error("it polled too long a list")]
    PollList,
}

/// What one request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// From the call to the answer, waiting for an instance included.
    pub total_duration: Duration,
    /// Of this, waiting for the store.
    pub storage_duration: Duration,
    /// Storage functions called.
    pub storage_calls: u32,
    /// All host functions called.
    pub host_calls: u32,
    /// Largest size of the guest's linear memory.
    pub memory_bytes_peak: usize,
    /// Instructions, roughly, where the engine counts them: the same on every machine.
    pub fuel: Option<u64>,
}

/// Texts kept in [`StorageReport::faults`].
const FAULTS_MAX: usize = 8;

/// What the store did for one request, for the operator. Nothing of it reaches the guest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageReport {
    /// Capacity units that the table charged, reads and writes together (AWS: `ConsumedCapacity`); 0 for local stores.
    pub capacity_units: f64,
    /// Answers that asked to slow down, including those after which a retry got through.
    pub throttles: u32,
    /// Requests to the store that repeated an earlier one.
    pub retries: u32,
    /// Why calls failed, in the store's own words: may name tables and addresses, never contents or credentials.
    pub faults: Vec<String>,
}

impl StorageReport {
    /// Notes why a call failed. The first few are kept: a guest that tries again and again does not fill the log.
    pub fn add_fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }
}
