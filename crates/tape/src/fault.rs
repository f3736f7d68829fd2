//! Why the host answered instead of the guest, as recorded on a tape.

use contract::outcome::Fault;
use serde::Deserialize;
use std::borrow::Cow;

/// A fault by name, with its description.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FaultRecord<'a> {
    /// `refused`, `unrouted`, `unavailable`, `trap`, `deadline`, `busy`, `memory`, `stopped`, `response` or `panic`: what `Fault::kind` says.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Description for people.
    #[serde(borrow)]
    pub detail: Cow<'a, str>,
}

impl FaultRecord<'_> {
    /// The record of a fault.
    pub fn of(fault: &Fault) -> FaultRecord<'static> {
        FaultRecord {
            kind: Cow::Borrowed(fault.kind()),
            detail: Cow::Owned(fault.to_string()),
        }
    }

    /// Whether it depends on the clock, on other requests or on the channel, which a replay does not repeat.
    pub fn is_timing(&self) -> bool {
        matches!(&*self.kind, "deadline" | "busy" | "unavailable")
    }
}
