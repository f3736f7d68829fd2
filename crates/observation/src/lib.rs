//! Replaying events: under which circumstances an event is run again, what is expected of the outcome, and how it differs.
//!
//! An outcome is a function of component, event, time, seed and stored state. So time and seed of a replay are fixed: the time is the
//! event's own, or [`EVENT_TIME_DEFAULT_MS`] where the event has none, and the seed follows from one base seed and the position
//! of the event ([`exchange_seed`]). Where events come from, how many run at once and how differences look is the caller's
//! business.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod case;
mod compare;
mod event;
mod ignore;

pub use case::{AFTER_FILE, BEFORE_FILE, Case, CaseError, EVENT_FILE, RESPONSE_FILE};
pub use compare::{
    ANSWER, DIFFERENCES_MAX, Difference, DifferenceList, Mismatch, STORE, readable_response,
};
pub use event::{EventHead, SyntaxError, head};
pub use gateway::summary::{RequestLine, request_line};
pub use ignore::{IgnoreRule, InvalidRule};

/// The time of a replayed event that does not say when it was received: 2026-01-01T00:00:00Z, in milliseconds since the Unix epoch.
pub const EVENT_TIME_DEFAULT_MS: u64 = 1_767_225_600_000;
