//! The responses to clients, and the log lines for operators, when the store returns an error.

use crate::{
    http::Request,
    ports::{Host, Level, StorageError},
    problem::{Problem, Violation},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// The source of a call's text that the store finds invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The client's content: the API does not repeat the store's rules for documents (digits, depth).
    Content,
    /// The client's cursor.
    Cursor,
    /// This program.
    Program,
}

/// Seconds after which an interrupted request should be retried.
const RETRY_SECONDS: &str = "1";

/// The problem for an error, which is also logged unless it is the client's own.
pub fn from_error(
    request: &Request,
    host: &dyn Host,
    source: Source,
    error: StorageError,
) -> Problem {
    let (level, name, problem) = match error {
        StorageError::Invalid(rule) => match source {
            Source::Content => {
                let violation = Violation {
                    pointer: String::new(),
                    detail: rule.into(),
                };
                return Problem::invalid_content(Vec::from([violation]));
            }
            Source::Cursor => {
                return Problem::new(
                    400,
                    "invalid-cursor",
                    "`cursor` is not from an earlier page of this list",
                );
            }
            Source::Program => (Level::Error, format!("invalid: {rule}"), internal()),
        },
        StorageError::TooLarge(limit) => {
            return Problem::new(
                413,
                "content-too-large",
                format!("the item does not fit the store: {limit}"),
            );
        }
        StorageError::Throttled(retry_after_ms) => {
            let seconds = retry_after_ms.map_or_else(|| RETRY_SECONDS.into(), whole_seconds);
            let problem = Problem::new(
                503,
                "throttled",
                "the store asks to slow down; nothing was written",
            );
            (
                Level::Warn,
                "throttled".into(),
                problem.with("retry-after", seconds),
            )
        }
        StorageError::Unavailable => (
            Level::Error,
            "unavailable".into(),
            Problem::new(
                503,
                "unavailable",
                "the store cannot be reached; nothing was written",
            )
            .with("retry-after", RETRY_SECONDS),
        ),
        StorageError::Conflict => (Level::Warn, "conflict".into(), conflict()),
        StorageError::OutcomeUnknown => (
            Level::Error,
            "outcome-unknown".into(),
            Problem::new(
                503,
                "outcome-unknown",
                "the write ran out of time and may or may not have happened",
            )
            .with("retry-after", RETRY_SECONDS),
        ),
        StorageError::Misconfigured => (Level::Error, "misconfigured".into(), internal()),
        StorageError::Internal => (Level::Error, "internal".into(), internal()),
    };
    let attributes = [
        ("error", name.as_str()),
        ("method", &request.method),
        ("path", &request.path),
    ];
    host.log(level, "storage call failed", &attributes);
    problem
}

/// Other requests kept changing what this request wanted to change.
pub fn conflict() -> Problem {
    Problem::new(
        409,
        "conflict",
        "other requests kept interfering; nothing was written",
    )
    .with("retry-after", RETRY_SECONDS)
}

/// What is stored under an item's key is not an item.
pub fn unreadable(host: &dyn Host, id: &str) -> Problem {
    host.log(Level::Error, "stored item is unreadable", &[("id", id)]);
    internal()
}

fn internal() -> Problem {
    Problem::new(
        500,
        "internal",
        "the service is at fault; its operator's log says more",
    )
}

/// Rounded up, at least one.
fn whole_seconds(ms: u64) -> String {
    ms.div_ceil(1000).max(1).to_string()
}
