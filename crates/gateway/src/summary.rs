//! A summary of an event without parsing it, for those who sort, count and show recorded events.

use crate::time::{Epoch, event_time_ms};
use serde::Deserialize;
use std::borrow::Cow;

/// Longer paths are cut when a request is named.
pub const PATH_CHARACTERS_MAX: usize = 200;

/// What decides when an event is replayed, and concurrently with which others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary<'a> {
    /// The method in the event.
    pub method: Option<Cow<'a, str>>,
    /// The event's own time in milliseconds since the Unix epoch.
    pub time_epoch_ms: Option<u64>,
}

impl<'a> Summary<'a> {
    /// The summary of an event. It is empty if a member has another type than gateways write: [`parse`](crate::parse) reports the error.
    ///
    /// What is skipped is neither checked nor bounded: foreign bytes must pass [`json::check`] first.
    pub fn of(event: &'a [u8]) -> Self {
        let Ok(head) = json::read::<Head<'_>>(event) else {
            return Self::default();
        };
        let context = head.request_context.unwrap_or_default();
        Self {
            time_epoch_ms: event_time_ms(context.time_epoch, context.request_time_epoch),
            method: head
                .http_method
                .or(context.http.and_then(|http| http.method)),
        }
    }

    /// Whether the method is safe (RFC 9110, 9.2.1), so that the order of such events does not matter.
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_deref(), Some("GET" | "HEAD" | "OPTIONS"))
    }
}

/// What an event asks for, for display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestLine {
    /// The method in the event.
    pub method: String,
    /// The path in the event, cut to [`PATH_CHARACTERS_MAX`] characters.
    pub path: String,
}

/// Method and path of an event; `None` if there is no method.
pub fn request_line(event: &[u8]) -> Option<RequestLine> {
    let method = Summary::of(event).method?;
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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head<'a> {
    #[serde(borrow)]
    http_method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_context: Option<Context<'a>>,
}

/// Separate from the timing, because a path of another type must not change how an event runs.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn events_of_all_kinds_have_a_summary() {
        for kind in crate::EventKind::ALL {
            let incoming = crate::compose::Incoming {
                method: "PUT",
                target: "/a/b?c=d",
                headers: &[],
                body: b"",
                client_address: "192.0.2.1",
                scheme: contract::http::Scheme::Https,
                request_id: "r1",
                received_at_ms: 1_767_225_600_000,
            };
            let event = crate::compose::compose(crate::Origin::new(kind), &incoming).to_json();
            let summary = Summary::of(&event);
            assert_eq!(summary.method.as_deref(), Some("PUT"), "{kind}");
            assert!(!summary.is_safe());
            let time = (kind != crate::EventKind::Alb).then_some(1_767_225_600_000);
            assert_eq!(summary.time_epoch_ms, time, "{kind}");
            assert_eq!(request_line(&event).unwrap().path, "/a/b", "{kind}");
        }
    }
}
