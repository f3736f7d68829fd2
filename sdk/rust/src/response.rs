//! A response in the shape of `wit/http.wit`.

use alloc::{borrow::Cow, vec::Vec};

/// A text that is mostly constant.
pub type Text = Cow<'static, str>;

/// The media type of problem documents.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A response, as the host expects it. The host sets `content-length`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Fields in order; names in any case.
    pub headers: Vec<(Text, Text)>,
    /// The content.
    pub body: Vec<u8>,
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

    /// With content of a media type.
    pub fn new(status: u16, content_type: impl Into<Text>, body: impl Into<Vec<u8>>) -> Self {
        let mut response = Self::empty(status).with("content-type", content_type);
        response.body = body.into();
        response
    }

    /// With a field, in place of those of this name.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        set(&mut self.headers, name.into(), value.into());
        self
    }

    /// With one more field of a name that may be repeated, such as `link`, `set-cookie` and `vary`.
    #[must_use]
    pub fn append_header(self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.with(name, value)
    }

    /// With a field that is not there yet, or may be repeated.
    #[must_use]
    pub(crate) fn with(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With the field, unless there is one of this name.
    #[must_use]
    pub fn with_default(self, name: &'static str, value: impl Into<Text>) -> Self {
        if self.header(name).is_some() {
            self
        } else {
            self.with(name, value)
        }
    }

    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it is a problem document.
    pub(crate) fn is_problem(&self) -> bool {
        self.status >= 400 && self.header("content-type") == Some(PROBLEM_JSON)
    }

    /// The first value of a field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| is_same_name(field, name))
            .map(|(_, value)| value.as_ref())
    }
}

/// Sets a field in place of those of the same name.
pub(crate) fn set(headers: &mut Vec<(Text, Text)>, name: Text, value: Text) {
    headers.retain(|(other, _)| !is_same_name(other, &name));
    headers.push((name, value));
}

/// Names in any case. Most are constants, of which a component has one copy each.
fn is_same_name(name: &str, other: &str) -> bool {
    core::ptr::eq(name, other) || name.eq_ignore_ascii_case(other)
}
