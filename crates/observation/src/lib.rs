//! What is observed of a request that ran again, what is expected of it, and how the two differ.
//!
//! An [`Observation`] has what is known of a run in one normal form, whatever gateway the event came from and whether a case, a tape or
//! a guest is its source. [`compare()`] names the places where two observations differ by JSON pointers, except those that are [`Ignored`].
//! Cases, tapes, live replays and the gate before a promotion all use it. The consequences of a difference, the source of events,
//! and the display of differences are up to the caller; nothing here runs a guest.
//!
//! ```
//! use observation::{IgnoreRule, Ignored, Observation, compare, normal_payload};
//!
//! let observed = |response: &str| Observation {
//!     response: Some(normal_payload(response.as_bytes())),
//!     ..Observation::default()
//! };
//! let expected = observed(r#"{"statusCode": 200, "headers": {"Date": "Mon"}, "body": "{\"n\": 1}"}"#);
//! let actual = observed(r#"{"statusCode": 200, "multiValueHeaders": {"date": ["Tue"]}, "body": "{\"n\": 2}"}"#);
//! let rules: Vec<IgnoreRule> = vec!["header:date".parse()?];
//! let differences = compare(&expected, &actual, &Ignored::by(&rules));
//! assert_eq!(differences.notes(), ["/body/n: expected 1, got 2"]);
//! # Ok::<(), observation::IgnoreRuleError>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod case;
mod case_inputs;
mod compare;
mod course;
mod difference;
mod event;
mod ignore;
mod observation;

pub use case::{AFTER_FILE, BEFORE_FILE, Case, CaseError, EVENT_FILE, INPUTS_FILE, RESPONSE_FILE};
pub use case_inputs::CaseInputs;
pub use compare::{Differences, compare};
pub use course::{CourseChange, calls_change, cost_notes, has_same_outline, logs_change};
pub use difference::{DIFFERENCES_MAX, Difference, DifferenceList, DifferingPart, ItemKey};
pub use event::{EventHead, SyntaxError, head};
pub use gateway::{
    normal::{normal_payload, normal_rejection, normal_response, readable_response},
    summary::{RequestLine, request_line},
};
pub use ignore::{IgnoreRule, IgnoreRuleError, Ignored, Noise};
pub use observation::{Cost, Observation, ObservedCall, Part};

/// The time of a replayed event without a time of its own: 2026-01-01T00:00:00Z, in milliseconds since the Unix epoch.
pub const EVENT_TIME_DEFAULT_MS: u64 = 1_767_225_600_000;
