//! Problem documents (RFC 9457), the only form of errors.

use crate::{
    http::{Response, Text},
    json::push_member,
};
use alloc::{string::String, vec::Vec};
use core::fmt::Write;

/// An error for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// 400 to 599.
    pub status: u16,
    /// What went wrong, for programs; `openapi.json` lists the codes.
    code: &'static str,
    /// What went wrong, for people.
    detail: Text,
    /// The rules that the content breaks, if it is at fault.
    errors: Vec<Violation>,
    headers: Vec<(&'static str, Text)>,
}

/// A rule that the content breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// The rule.
    pub detail: Text,
}

impl Problem {
    /// An error with its status and code.
    pub fn new(status: u16, code: &'static str, detail: impl Into<Text>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Content that is valid JSON but breaks rules.
    pub fn invalid_content(errors: Vec<Violation>) -> Self {
        let mut problem = Self::new(
            422,
            "invalid-content",
            "the content breaks the rules listed in `errors`",
        );
        problem.errors = errors;
        problem
    }

    /// No item has this id.
    pub fn item_not_found(id: &str) -> Self {
        Self::new(404, "not-found", alloc::format!("there is no item `{id}`"))
    }

    /// With a header field.
    pub fn with(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The response. `type` is `about:blank`, whose title is the status phrase (RFC 9457, 4.2.1); `code` says more.
    pub fn into_response(self, request_id: &str) -> Response {
        let mut document = String::from("{");
        push_member(&mut document, "code", self.code);
        push_member(&mut document, "detail", &self.detail);
        if !self.errors.is_empty() {
            document.push_str(",\"errors\":");
            let mut before = '[';
            for error in &self.errors {
                document.push(before);
                document.push('{');
                push_member(&mut document, "detail", &error.detail);
                push_member(&mut document, "pointer", &error.pointer);
                document.push('}');
                before = ',';
            }
            document.push(']');
        }
        push_member(&mut document, "request_id", request_id);
        let _ = write!(document, ",\"status\":{}", self.status); // writing to a string cannot fail
        push_member(&mut document, "title", phrase(self.status));
        push_member(&mut document, "type", "about:blank");
        document.push('}');
        let mut response = Response::empty(self.status)
            .with("content-type", "application/problem+json")
            .with("cache-control", "no-store");
        response.headers.extend(self.headers);
        response.body = document.into_bytes();
        response
    }
}

/// The reason phrases of RFC 9110, 15, for the statuses in use here.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
