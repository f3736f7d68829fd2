//! What a replay has to know of an event before it is run, read without making a tree of it.

use super::EVENT_TIME_DEFAULT_MS;
use contract::{
    limits::{JSON_NODES_MAX, Limits},
    seed::Seed,
};
use gateway::{
    self, Arrival, Rejection,
    time::{Epoch, event_time_ms},
};
use json::{self, JsonError};
use serde::Deserialize;
use std::borrow::Cow;

/// When an event is to be run, and beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHead {
    /// The event's own time, or [`EVENT_TIME_DEFAULT_MS`]; milliseconds since the Unix epoch.
    pub received_at_ms: u64,
    /// The method is safe (RFC 9110, 9.2.1), so that the order among such events does not matter.
    pub is_safe: bool,
}

/// What a gateway event asks for, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestLine {
    /// The method as it is in the event.
    pub method: String,
    /// The path as it is in the event, at most [`PATH_CHARACTERS_MAX`] characters of it.
    pub path: String,
}

/// Longer paths are cut where a request is named.
pub const PATH_CHARACTERS_MAX: usize = 200;

/// Method and path of a gateway event; `None` where there is no method.
pub fn request_line(event: &[u8]) -> Option<RequestLine> {
    let head = json::read::<Head>(event).ok()?;
    let context = head.request_context.unwrap_or_default();
    let method = head
        .http_method
        .or(context.http.and_then(|http| http.method))?;
    let paths = json::read::<Paths>(event).unwrap_or_default();
    let path = paths.path.or(paths.raw_path).unwrap_or_default();
    let path = match path.char_indices().nth(PATH_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &path[..end]),
        None => path.into_owned(),
    };
    Some(RequestLine {
        method: method.into_owned(),
        path,
    })
}

/// Text that is not one JSON value within bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verdict}: {message}")]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes; 0 where the text ends before anything was found.
    pub column: usize,
    /// What that makes of the text: `is not JSON`, or that it is more JSON than is read.
    pub verdict: &'static str,
    /// What the parser found, without the position.
    pub message: String,
}

/// Reads method and time of a gateway event. What is JSON but not such an event gets the default time and counts as not safe: saying
/// what is wrong with it is the gateway's business.
#[expect(
    clippy::disallowed_methods,
    reason = "checked before; then read into a type of named members that holds no `Value`"
)]
pub fn head(event: &[u8]) -> Result<EventHead, SyntaxError> {
    // Checked first: serde_json neither looks at what it skips, nor has a bound there.
    json::check(event)?;
    // What is no request is looked at as a whole to say what it is, and that has another bound. Each value takes at least a byte.
    if event.len() > JSON_NODES_MAX {
        check_rejected(event)?;
    }
    // An error is a member of another type.
    let head = serde_json::from_slice::<Head<'_>>(event).unwrap_or_default();
    let context = head.request_context.unwrap_or_default();
    let method = head
        .http_method
        .or(context.http.and_then(|http| http.method))
        .unwrap_or_default();
    Ok(EventHead {
        received_at_ms: event_time_ms(context.time_epoch, context.request_time_epoch)
            .unwrap_or(EVENT_TIME_DEFAULT_MS),
        is_safe: matches!(&*method, "GET" | "HEAD" | "OPTIONS"),
    })
}

/// Whether the gateway can say what a rejected event is.
fn check_rejected(event: &[u8]) -> Result<(), JsonError> {
    let arrival = Arrival {
        received_at_ms: EVENT_TIME_DEFAULT_MS,
        seed: &Seed::new([0; 32]),
        base_path: None,
    };
    match gateway::parse(event, &arrival, &Limits::default()) {
        Err(Rejection::NotJson {
            problem,
            line,
            column,
        }) => Err(JsonError {
            problem,
            line,
            column,
        }),
        Ok(_) | Err(Rejection::NotHttp(_) | Rejection::Http(_)) => Ok(()),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head<'a> {
    #[serde(borrow)]
    http_method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_context: Option<Context<'a>>,
}

/// Apart from what decides how an event runs: a path of another type must not change that.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Paths<'a> {
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    raw_path: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context<'a> {
    time_epoch: Option<Epoch>,
    request_time_epoch: Option<Epoch>,
    #[serde(borrow)]
    http: Option<Http<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Http<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
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
    fn a_request_is_named_by_method_and_path() {
        let line = |event: &str| {
            request_line(event.as_bytes()).map(|line| format!("{} {}", line.method, line.path))
        };
        let rest = r#"{"httpMethod":"GET","path":"/a","requestContext":{"path":"/s/a"}}"#;
        assert_eq!(line(rest).as_deref(), Some("GET /a"));
        let http = r#"{"rawPath":"/b","requestContext":{"http":{"method":"PUT"}}}"#;
        assert_eq!(line(http).as_deref(), Some("PUT /b"));
        assert_eq!(line("{}"), None);
        let long = format!(r#"{{"httpMethod":"GET","path":"{}"}}"#, "x".repeat(1_000));
        assert_eq!(
            line(&long).unwrap().len(),
            "GET ...".len() + PATH_CHARACTERS_MAX
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
