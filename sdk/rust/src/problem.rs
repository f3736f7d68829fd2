//! Problem documents (RFC 9457), the one form of errors.

use crate::{
    contract::Level,
    response::{self, PROBLEM_JSON, Response, Text},
};
use alloc::{
    borrow::Cow,
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::Serialize;

/// An error for the client, and if it is not the client's own, its cause for the operator.
///
/// The document has the members `type` (`about:blank`), `title` (the status phrase), `status`, `code`, `detail`, `request_id`, and for
/// content that breaks rules `errors`, a list of `pointer` (RFC 6901) and `detail`.
///
/// ```
/// use tenon::{App, Problem};
///
/// fn read() -> Result<String, Problem> {
///     Err(Problem::new(409, "closed", "the account is closed"))
/// }
///
/// let response = App::new().get("/account", read).test().get("/account").send();
/// assert_eq!(response.status(), 409);
/// assert_eq!(response.value()["code"], "closed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    // In a box, because every handler returns it in a `Result`, which should be small.
    content: Box<Content>,
}

/// What a problem says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    status: u16,
    code: Text,
    detail: Text,
    errors: Vec<Violation>,
    headers: Vec<(Text, Text)>,
    cause: Option<Cause>,
}

/// A rule that the content breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule.
    pub detail: Text,
    /// JSON pointer (RFC 6901) to the place in the content.
    pub pointer: String,
}

/// A line for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) level: Level,
    pub(crate) message: &'static str,
    pub(crate) error: String,
}

impl Problem {
    /// A problem with its status, a code for programs and a text for people.
    pub fn new(status: u16, code: impl Into<Text>, detail: impl Into<Text>) -> Self {
        let content = Content {
            status,
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        };
        Self {
            content: Box::new(content),
        }
    }

    /// 400: the request makes no sense.
    pub fn bad_request(detail: impl Into<Text>) -> Self {
        Self::new(400, "bad-request", detail)
    }

    /// 401: nobody has said who the caller is.
    pub fn unauthorized(detail: impl Into<Text>) -> Self {
        Self::new(401, "unauthorized", detail)
    }

    /// 403: the caller may not do this.
    pub fn forbidden(detail: impl Into<Text>) -> Self {
        Self::new(403, "forbidden", detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<Text>) -> Self {
        Self::new(404, "not-found", detail)
    }

    /// 409: the state of the resource does not allow this.
    pub fn conflict(detail: impl Into<Text>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// 422: valid JSON that breaks rules; `errors` lists them.
    pub fn invalid_content(errors: impl Into<Vec<Violation>>) -> Self {
        let detail = "the content breaks the rules listed in `errors`";
        let mut problem = Self::new(422, "invalid-content", detail);
        problem.content.errors = errors.into();
        problem
    }

    /// 500: the service is at fault. The client does not see why; the log does, as the attribute `error`.
    pub fn internal(error: impl fmt::Display) -> Self {
        Self::internal_because("request failed", error)
    }

    pub(crate) fn internal_because(message: &'static str, error: impl fmt::Display) -> Self {
        let detail = "the service is at fault; its operator's log says more";
        Self::new(500, "internal", detail).caused_by(Level::Error, message, error)
    }

    pub(crate) fn nothing_at(path: &str) -> Self {
        Self::not_found(format!("there is nothing at `{path}`"))
    }

    /// With a line in the log: `message`, with `error`, method and path as attributes.
    #[must_use]
    pub fn caused_by(
        mut self,
        level: Level,
        message: &'static str,
        error: impl fmt::Display,
    ) -> Self {
        self.content.cause = Some(Cause {
            level,
            message,
            error: error.to_string(),
        });
        self
    }

    /// With a header field, in place of those of this name.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        response::set(&mut self.content.headers, name.into(), value.into());
        self
    }

    /// With one more header field of a name that may be repeated, such as `link`, `set-cookie` and `www-authenticate`.
    #[must_use]
    pub fn append_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.content.headers.push((name.into(), value.into()));
        self
    }

    /// With one more entry in `errors`.
    #[must_use]
    pub fn with_error(mut self, pointer: impl Into<String>, detail: impl Into<Text>) -> Self {
        self.content.errors.push(Violation {
            detail: detail.into(),
            pointer: pointer.into(),
        });
        self
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.content.cause.as_ref()
    }

    /// The document of a request's problem.
    pub(crate) fn into_document(self, request_id: &str) -> Response {
        let document = Document {
            code: &self.content.code,
            detail: &self.content.detail,
            errors: &self.content.errors,
            request_id,
            status: self.content.status,
            title: phrase(self.content.status),
            r#type: "about:blank",
        };
        let body = serde_json::to_vec(&document).unwrap_or_default(); // strings and a number can always be written
        let mut response = Response::empty(self.content.status);
        response.body = body;
        let own = self.content.headers;
        for (name, value) in [
            ("content-type", PROBLEM_JSON),
            ("cache-control", "no-store"),
        ] {
            if !own
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                response = response.with(name, value);
            }
        }
        response.headers.extend(own);
        response
    }

    /// The response's status.
    pub fn status(&self) -> u16 {
        self.content.status
    }

    /// The code for programs.
    pub fn code(&self) -> &str {
        &self.content.code
    }

    /// The text for people.
    pub fn detail(&self) -> &str {
        &self.content.detail
    }
}

/// The members in the order of their names.
#[derive(Serialize)]
struct Document<'a> {
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
    request_id: &'a str,
    status: u16,
    title: &'static str,
    r#type: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}: {}",
            self.content.status, self.content.code, self.content.detail
        )
    }
}

impl core::error::Error for Problem {}

impl Violation {
    /// A broken rule at a place in the content.
    pub fn new(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: detail.into(),
            pointer: pointer.into(),
        }
    }
}

/// The reason phrases of RFC 9110, 15, and RFC 6585.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        500..=599 => "Internal Server Error",
        _ => "Bad Request",
    }
}
