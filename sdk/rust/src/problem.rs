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
/// content that breaks rules `errors`, a list of `pointer` (RFC 6901) and `detail`. [`with_type`](Self::with_type),
/// [`with_instance`](Self::with_instance) and [`with_member`](Self::with_member) say more.
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
    kind: Option<(Text, Text)>,
    instance: Option<Text>,
    /// Names and JSON texts.
    members: Vec<(Text, String)>,
    headers: Vec<(Text, Text)>,
    cause: Option<Cause>,
}

/// A rule that the content breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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
            kind: None,
            instance: None,
            members: Vec::new(),
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

    /// 401: nobody has said who the caller is. `WWW-Authenticate` is `Bearer`, unless the problem or the response has another one.
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

    /// With a type of your own: a URI, which should lead to a description, and a title that is the same for each problem of the type. Without it
    /// the type is `about:blank`, and the title the status phrase.
    #[must_use]
    pub fn with_type(mut self, uri: impl Into<Text>, title: impl Into<Text>) -> Self {
        self.content.kind = Some((uri.into(), title.into()));
        self
    }

    /// With a URI that names this occurrence.
    #[must_use]
    pub fn with_instance(mut self, uri: impl Into<Text>) -> Self {
        self.content.instance = Some(uri.into());
        self
    }

    /// With a member of your own (RFC 9457, 3.2), in place of one of this name.
    ///
    /// ```
    /// use tenon::{App, Problem};
    ///
    /// fn pay() -> Result<(), Problem> {
    ///     Err(Problem::forbidden("the account has 30, and the order costs 50")
    ///         .with_type("https://example.com/problems/out-of-credit", "Not enough credit")
    ///         .with_instance("/accounts/7")
    ///         .with_member("balance", 30))
    /// }
    ///
    /// let problem = App::new().post("/orders", pay).test().post("/orders").send().value();
    /// assert_eq!(problem["type"], "https://example.com/problems/out-of-credit");
    /// assert_eq!(problem["title"], "Not enough credit");
    /// assert_eq!(problem["instance"], "/accounts/7");
    /// assert_eq!(problem["balance"], 30);
    /// ```
    ///
    /// # Panics
    ///
    /// If the document has a member of this name already, or the value cannot be written as JSON: mistakes in the program.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<Text>, value: impl Serialize) -> Self {
        let name = name.into();
        assert!(
            !MEMBERS.contains(&name.as_ref()),
            "a problem has its own member `{name}`"
        );
        let json = match serde_json::to_string(&value) {
            Ok(json) => json,
            Err(error) => panic!("the member `{name}` of a problem is not JSON: {error}"),
        };
        self.content.members.retain(|(other, _)| *other != name);
        self.content.members.push((name, json));
        self
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.content.cause.as_ref()
    }

    /// The document of a request's problem.
    pub(crate) fn into_document(self, request_id: &str) -> Response {
        let (uri, title) = match &self.content.kind {
            Some((uri, title)) => (uri.as_ref(), title.as_ref()),
            None => ("about:blank", phrase(self.content.status)),
        };
        let document = Document {
            code: &self.content.code,
            detail: &self.content.detail,
            errors: &self.content.errors,
            instance: self.content.instance.as_deref(),
            request_id,
            status: self.content.status,
            title,
            r#type: uri,
        };
        let mut body = serde_json::to_string(&document).unwrap_or_default(); // strings and a number can always be written
        for (name, value) in &self.content.members {
            let name = serde_json::to_string(name).unwrap_or_default();
            body.truncate(body.len().saturating_sub(1)); // the closing brace
            body.push_str(&[",", &name, ":", value, "}"].concat());
        }
        let mut response = Response::empty(self.content.status);
        response.body = body.into_bytes();
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
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    request_id: &'a str,
    status: u16,
    title: &'a str,
    r#type: &'a str,
}

/// The names of all members of a [`Document`].
const MEMBERS: [&str; 8] = [
    "code",
    "detail",
    "errors",
    "instance",
    "request_id",
    "status",
    "title",
    "type",
];

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

/// The phrases of IANA's registry of status codes for errors. An unregistered or unused one is as the first of its class (RFC 9110, 15).
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
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
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        500..=599 => "Internal Server Error",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_the_registered_phrase() {
        for (status, title) in [
            (400, "Bad Request"),
            (407, "Proxy Authentication Required"),
            (418, "Bad Request"),
            (423, "Locked"),
            (451, "Unavailable For Legal Reasons"),
            (499, "Bad Request"),
            (500, "Internal Server Error"),
            (507, "Insufficient Storage"),
            (511, "Network Authentication Required"),
            (599, "Internal Server Error"),
        ] {
            assert_eq!(phrase(status), title, "{status}");
        }
    }

    #[test]
    fn members_of_ones_own_follow_the_others() {
        let problem = Problem::new(400, "a", "b")
            .with_member("x\"y", [1, 2])
            .with_member("z", 1)
            .with_member("z", 2);
        let body = String::from_utf8(problem.into_document("r").body).unwrap();
        assert!(
            body.ends_with(r#""type":"about:blank","x\"y":[1,2],"z":2}"#),
            "{body}"
        );
    }

    #[test]
    #[should_panic(expected = "its own member `status`")]
    fn a_member_that_there_is_cannot_be_another() {
        let _ = Problem::bad_request("no").with_member("status", 7);
    }
}
