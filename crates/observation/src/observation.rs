//! What is compared of a run.

use serde_json::Value;
use std::fmt;
use storage::StorageFunction;

/// A part of an [`Observation`] that can be shown as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The response to the client.
    Response,
    /// The writes of the request, item by item.
    Writes,
    /// The stored entries afterwards.
    Stored,
    /// The requests to other services, in their order.
    Outgoing,
    /// The storage calls, in their order.
    Calls,
    /// The arguments of one storage call.
    Call,
    /// The log lines, in their order.
    Logs,
}

impl Part {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Writes => "writes",
            Self::Stored => "stored",
            Self::Outgoing => "outgoing requests",
            Self::Calls => "calls",
            Self::Call => "call",
            Self::Logs => "logs",
        }
    }

    /// The JSON pointer of the part. The members of a response are at the top level: `/status`, `/headers`, `/body`. So are those of a
    /// single call, whose number is stated separately.
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Response | Self::Call => "",
            Self::Writes => "/writes",
            Self::Stored => "/stored",
            Self::Outgoing => "/outgoing",
            Self::Calls => "/calls",
            Self::Logs => "/logs",
        }
    }

    /// What counts as noise if not all differing places are known.
    pub(super) fn noisy_whole(self) -> &'static str {
        match self {
            Self::Response => "/body",
            Self::Writes
            | Self::Stored
            | Self::Outgoing
            | Self::Calls
            | Self::Call
            | Self::Logs => self.pointer(),
        }
    }

    /// What it is a list of, if its elements are matched by more than their positions.
    pub(super) fn list(self) -> Option<List> {
        match self {
            Self::Writes | Self::Stored => Some(List::Items),
            Self::Outgoing => Some(List::Requests),
            Self::Response | Self::Calls | Self::Call | Self::Logs => None,
        }
    }
}

/// A list whose elements are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// By their keys.
    Items,
    /// By method and URL, in their order.
    Requests,
}

/// The results of one run of a guest, in normal form (see [`normal_response`](crate::normal_response)). What is not known of a run
/// is `None`, and is not compared: a case has the response and the stored entries, a recording everything but the stored entries, a live replay
/// the response only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// `{status, headers, body}`, or `{rejection}` if no guest was called.
    pub response: Option<Value>,
    /// For each item that was written or checked, ordered by key: `{key, put | deleted | checked, preconditions, together_with?}`.
    pub writes: Option<Value>,
    /// The guest's entries afterwards: `{partition, sort, document, revision, index?, expires_at?}`.
    pub stored: Option<Value>,
    /// The requests to other services: `{method, url, headers?, body?}` each.
    pub outgoing: Option<Value>,
    /// The storage calls.
    pub calls: Option<Vec<ObservedCall>>,
    /// The log lines: one text each.
    pub logs: Option<Vec<String>>,
    /// Why the host answered instead of the guest.
    pub fault: Option<String>,
    /// Its cost.
    pub cost: Cost,
}

/// A storage call as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedCall {
    /// The function.
    pub function: StorageFunction,
    /// Its arguments, as JSON in the format of tapes.
    pub arguments: String,
}

/// The cost of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Units of work, if they were counted.
    pub work: Option<u64>,
    /// The largest size of the guest's memory in bytes.
    pub memory_bytes_peak: Option<usize>,
    /// Number of storage calls.
    pub calls: Option<usize>,
}

impl Observation {
    /// Whether the host answered instead of the guest: because of a rule or a limit, or because the guest failed.
    pub fn is_of_host(&self) -> bool {
        let response = self.response.as_ref();
        let is_rejection = response.is_some_and(|response| response.get("rejection").is_some());
        self.fault.is_some() || is_rejection
    }

    /// The status of the response, if there is one.
    pub fn status(&self) -> Option<u16> {
        let status = self.response.as_ref()?.get("status")?.as_u64()?;
        u16::try_from(status).ok()
    }
}

impl fmt::Display for ObservedCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.function, self.arguments)
    }
}
