//! One HTTP exchange in the shape of `wit/http.wit`. Nothing is decoded before a route asks for it.

use crate::headers::Headers;
use alloc::{borrow::Cow, string::String, vec::Vec};

/// A request, as the host passes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As sent, normally upper-case.
    pub method: String,
    /// Percent-encoded, starting with `/`.
    pub path: String,
    /// Percent-encoded, without `?`; empty if there was none.
    pub query: String,
    /// Looked up by name.
    pub headers: Headers,
    /// The content.
    pub body: Vec<u8>,
    /// What precedes `path` in the URL that the client used; empty, or begins with `/` and does not end with `/`.
    pub base_path: String,
    /// Unique; appears in every problem document.
    pub request_id: String,
    /// Milliseconds since the Unix epoch: the only clock of a guest.
    pub received_at_ms: u64,
    /// The caller, as named by an authorizer in front of the host.
    pub subject: Option<String>,
}

/// The text of a header, or another text that is mostly constant.
pub type Text = Cow<'static, str>;

/// A response, as the host expects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Fields in order.
    pub headers: Vec<(&'static str, Text)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Request {
    /// Whether the response is sent without content.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

impl Response {
    /// Without content.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::with_capacity(12),
            body: Vec::new(),
        }
    }

    /// With JSON content.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let mut response = Self::empty(status).with("content-type", "application/json");
        response.body = body.into();
        response
    }

    /// With an additional field.
    pub fn with(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The first value of a field, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value.as_ref())
    }
}
