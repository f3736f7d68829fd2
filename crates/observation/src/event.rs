//! What a replay must know about an event before it runs it, read without building a tree.

use super::EVENT_TIME_DEFAULT_MS;
use contract::{
    limits::{JSON_NODES_MAX, Limits},
    seed::Seed,
};
use gateway::{self, EventError, ParseContext, summary::Summary};
use json::{self, JsonError};

/// When an event is run, and concurrently with which others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHead {
    /// The event's own time, or [`EVENT_TIME_DEFAULT_MS`]; milliseconds since the Unix epoch.
    pub received_at_ms: u64,
    /// Whether the method is safe (RFC 9110, 9.2.1), so that the order of such events does not matter.
    pub is_safe: bool,
}

/// Text that is not one JSON value within bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verdict}: {message}")]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes; 0 if the text ends before any token.
    pub column: usize,
    /// Classifies the text: `is not JSON`, or JSON that exceeds the reader's limits.
    pub verdict: &'static str,
    /// The parser's error, without the position.
    pub message: String,
}

/// Reads method and time of a gateway event. Other JSON gets the default time and counts as not safe; the gateway reports the error.
pub fn head(event: &[u8]) -> Result<EventHead, SyntaxError> {
    // Checked first, because serde_json neither validates nor bounds what it skips.
    json::check(event)?;
    // An event that is not a request is read completely to classify it, which has another limit. Each value takes at least one byte.
    if event.len() > JSON_NODES_MAX {
        check_rejected(event)?;
    }
    let summary = Summary::of(event);
    Ok(EventHead {
        received_at_ms: summary.time_epoch_ms.unwrap_or(EVENT_TIME_DEFAULT_MS),
        is_safe: summary.is_safe(),
    })
}

/// Whether the gateway can classify a rejected event.
fn check_rejected(event: &[u8]) -> Result<(), JsonError> {
    let context = ParseContext {
        received_at_ms: EVENT_TIME_DEFAULT_MS,
        seed: &Seed::new([0; 32]),
        base_path: None,
    };
    match gateway::parse(event, &context, &Limits::default()) {
        Err(EventError::NotJson {
            problem,
            line,
            column,
        }) => Err(JsonError {
            problem,
            line,
            column,
        }),
        Ok(_) | Err(EventError::NotHttp(_) | EventError::Http(_)) => Ok(()),
    }
}

impl From<JsonError> for SyntaxError {
    fn from(error: JsonError) -> Self {
        Self {
            line: error.line,
            column: error.column,
            verdict: error.problem.verdict(),
            message: error.problem.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &str) -> EventHead {
        head(event.as_bytes()).unwrap()
    }

    #[test]
    fn an_event_too_deep_in_a_member_that_nobody_reads_is_not_read() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"httpMethod":"GET","other":{open}{close}}}"#)
        };
        assert!(head(nested(100).as_bytes()).unwrap().is_safe);
        assert!(head(nested(200).as_bytes()).is_err());
    }

    #[test]
    fn each_kind_of_event_says_its_method_and_time() {
        let rest = read(
            r#"{"httpMethod":"GET","requestContext":{"requestTimeEpoch":1583348638390,"httpMethod":"GET"}}"#,
        );
        assert_eq!(
            rest,
            EventHead {
                received_at_ms: 1_583_348_638_390,
                is_safe: true
            }
        );
        let http = read(r#"{"requestContext":{"timeEpoch":1583348638,"http":{"method":"POST"}}}"#);
        assert_eq!(
            http,
            EventHead {
                received_at_ms: 1_583_348_638_000,
                is_safe: false
            }
        );
        let alb = read(r#"{"httpMethod":"HEAD","requestContext":{"elb":{}}}"#);
        assert_eq!(
            alb,
            EventHead {
                received_at_ms: EVENT_TIME_DEFAULT_MS,
                is_safe: true
            }
        );
    }

    #[test]
    fn other_json_runs_alone_at_the_default_time() {
        let other = EventHead {
            received_at_ms: EVENT_TIME_DEFAULT_MS,
            is_safe: false,
        };
        for event in [
            "{}",
            "[1]",
            "null",
            r#"{"httpMethod":5}"#,
            r#"{"requestContext":"x","httpMethod":"GET"}"#,
        ] {
            assert_eq!(read(event), other, "{event}");
        }
    }

    #[test]
    fn text_that_is_not_json_is_located() {
        let error = head(b"{\n  \"httpMethod\": GET }").unwrap_err();
        assert_eq!((error.line, error.column), (2, 17));
        assert_eq!(error.message, "expected a JSON value");
        let error = head(br#"{"httpMethod":5, "#).unwrap_err();
        assert_eq!(error.line, 1);
        assert!(head(b"").is_err());
        assert!(head(b"{} {}").is_err());
    }
}
