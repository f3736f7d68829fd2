//! What is compared of a run.

use serde_json::Value;
use std::fmt;
use storage::StorageFunction;

/// A part of an [`Observation`] that can be shown as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the client gets.
    Response,
    /// What the request did to the store, item by item.
    Writes,
    /// What is stored afterwards.
    Stored,
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
            Self::Calls => "calls",
            Self::Call => "call",
            Self::Logs => "logs",
        }
    }

    /// The JSON pointer that leads to it. The members of a response stand at the top: `/status`, `/headers`, `/body`. Those of a single call
    /// do, too: it is told which call that is.
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Response | Self::Call => "",
            Self::Writes => "/writes",
            Self::Stored => "/stored",
            Self::Calls => "/calls",
            Self::Logs => "/logs",
        }
    }

    /// What is noise where not all places are known that are.
    pub(super) fn noisy_whole(self) -> &'static str {
        match self {
            Self::Response => "/body",
            Self::Writes | Self::Stored | Self::Calls | Self::Call | Self::Logs => self.pointer(),
        }
    }

    /// Whether it is a list of items that belong together by their keys, and not by their positions.
    pub(super) fn has_items(self) -> bool {
        match self {
            Self::Writes | Self::Stored => true,
            Self::Response | Self::Calls | Self::Call | Self::Logs => false,
        }
    }
}

/// What one run of a guest gave, in [normal form](super::normal). What is not known of a run is `None`, and is not compared: a case knows
/// the response and what is stored, a recording knows everything but what is stored, a live replay the response only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// `{status, headers, body}`, or `{rejection}` where no guest was asked.
    pub response: Option<Value>,
    /// For each item that was written or checked, in the order of keys: `{key, put | deleted | checked, preconditions, together_with?}`.
    pub writes: Option<Value>,
    /// The guest's entries afterwards: `{partition, sort, document, revision, index?, expires_at?}`.
    pub stored: Option<Value>,
    /// The storage calls.
    pub calls: Option<Vec<ObservedCall>>,
    /// The log lines: one text each.
    pub logs: Option<Vec<String>>,
    /// Why the host answered in the guest's place.
    pub fault: Option<String>,
    /// What it took.
    pub cost: Cost,
}

/// A storage call as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedCall {
    /// Which function.
    pub function: StorageFunction,
    /// Its arguments, as JSON in the spelling of tapes.
    pub arguments: String,
}

/// What a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Units of work, where they were counted.
    pub work: Option<u64>,
    /// The largest size of the guest's memory in bytes.
    pub memory_bytes_peak: Option<usize>,
    /// Storage calls.
    pub calls: Option<usize>,
}

impl Observation {
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
