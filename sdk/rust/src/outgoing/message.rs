//! A request to another service, and its response.

use super::{Error, Request, Response};
use crate::typed;
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use serde::{Serialize, de::DeserializeOwned};

impl Request {
    /// The first value of a header field, whose name is given in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Response {
    /// A response without content, for tests.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With content of a media type.
    #[must_use]
    pub fn with_content(mut self, content_type: &str, content: impl Into<Vec<u8>>) -> Self {
        self.body = content.into();
        self.with_header("content-type", content_type)
    }

    /// With JSON content; `null` for what JSON cannot hold.
    #[must_use]
    pub fn with_json(self, value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec());
        self.with_content("application/json", json)
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header field, whose name is given in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// All header fields: names in lower case and in byte order, values of one name in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.headers.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The content.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The content as text, with a mark for each byte that is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).to_string()
    }

    /// The content of a successful response as JSON. Any other status is an [`Error::Status`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !self.is_success() {
            return Err(Error::Status(self.status));
        }
        typed::read(&self.body).map_err(|error| Error::Content(error.to_string()))
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut fields = headers.iter();
    let field = fields.find(|(other, _)| other.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.as_str())
}
