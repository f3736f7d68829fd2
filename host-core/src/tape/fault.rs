//! Why the host answered in the guest's place, as a tape says it.

#[cfg(feature = "runtime")]
use crate::{
    runtime::{Failure, Stop},
    service::Fault,
};
use serde::Deserialize;
use std::borrow::Cow;

/// A fault by name, with its words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FaultRecord<'a> {
    /// `refused`, `unrouted`, `trap`, `deadline`, `busy`, `memory`, `stopped`, `response` or `panic`.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// For people.
    #[serde(borrow)]
    pub detail: Cow<'a, str>,
}

impl FaultRecord<'_> {
    /// The record of a fault.
    #[cfg(feature = "runtime")]
    pub fn of(fault: &Fault) -> FaultRecord<'static> {
        FaultRecord {
            kind: Cow::Borrowed(kind(fault)),
            detail: Cow::Owned(fault.to_string()),
        }
    }

    /// Whether it depends on the clock or on other requests, which a replay does not repeat.
    pub fn is_timing(&self) -> bool {
        matches!(&*self.kind, "deadline" | "busy")
    }
}

#[cfg(feature = "runtime")]
fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Refused(_) => "refused",
        Fault::Unrouted => "unrouted",
        Fault::Guest(Failure::Trap(_)) => "trap",
        Fault::Guest(Failure::Deadline) => "deadline",
        Fault::Guest(Failure::Busy) => "busy",
        Fault::Guest(Failure::Memory(_)) => "memory",
        Fault::Guest(Failure::Stopped(
            Stop::HostCalls
            | Stop::StorageCalls
            | Stop::CallBytes
            | Stop::RandomBytes
            | Stop::Exit
            | Stop::EmptyPoll,
        )) => "stopped",
        Fault::Response(_) => "response",
        Fault::Panic(_) => "panic",
    }
}
