//! What a host tells of a request.

use super::Trace;
use contract::outcome::Summary;
use std::time::Duration;

/// What a host knows about a request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Its outcome.
    pub summary: &'a Summary,
    /// Id of the invocation.
    pub request_id: &'a str,
    /// Its trace, if it has one.
    pub trace: Option<&'a Trace>,
    /// Milliseconds since the Unix epoch at which the event arrived.
    pub received_at_ms: u64,
    /// From then to the answer.
    pub total_duration: Duration,
    /// Whether it was the first request of the process.
    pub is_cold_start: bool,
    /// The release channel, if one is followed.
    pub channel: Option<Channel>,
}

/// The state of a process in relation to its release channel.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// Time since the channel was last read successfully.
    pub age: Duration,
    /// Reads or preparations that failed since the last request.
    pub failures: u32,
}

impl Report<'_> {
    pub(super) fn ended_at_ms(&self) -> u64 {
        let total_ms = u64::try_from(self.total_duration.as_millis()).unwrap_or(u64::MAX);
        self.received_at_ms.saturating_add(total_ms)
    }
}
