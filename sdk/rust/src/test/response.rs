//! Responses in a test.

use crate::{Response, response::Text, typed};
use alloc::string::{String, ToString};
use contract::http::CONNECTION_FIELDS;
use serde::de::DeserializeOwned;

/// Fields that a response has once at most (RFC 9110; WHATWG Fetch); of two, clients choose either one or none.
const SINGLETON_FIELDS: [&str; 14] = [
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-max-age",
    "age",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
];

/// The response to a request. What a host would refuse panics in the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResponse {
    response: Response,
}

impl TestResponse {
    /// # Panics
    ///
    /// If a host would answer 500 in its place, or it has a field twice of which there can be one.
    pub(super) fn checked(response: Response) -> Self {
        let status = response.status;
        assert!(
            (200..=599).contains(&status),
            "a host answers 500 in place of the status {status}, which is outside of 200 to 599"
        );
        for (name, value) in &response.headers {
            let is_token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let is_name = !name.is_empty() && name.bytes().all(is_token);
            let is_of_connection = CONNECTION_FIELDS.contains(&name.to_ascii_lowercase().as_str());
            assert!(
                is_name && !is_of_connection,
                "a host answers 500 in place of a response with the header field `{name}`"
            );
            assert!(
                !value
                    .chars()
                    .any(|character| character.is_control() && character != '\t'),
                "a host answers 500 in place of a response with a control character in `{name}`"
            );
        }
        for name in SINGLETON_FIELDS {
            let is_it = |(other, _): &&(Text, Text)| other.eq_ignore_ascii_case(name);
            let count = response.headers.iter().filter(is_it).count();
            assert!(
                count <= 1,
                "the response has `{name}` {count} times; `with_header` replaces a field, `append_header` adds one"
            );
        }
        Self { response }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.header(name)
    }

    /// All header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.response.headers.iter();
        fields.map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The content.
    pub fn body(&self) -> &[u8] {
        &self.response.body
    }

    /// The content as text, with a mark for each byte that is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.response.body).to_string()
    }

    /// The content as JSON.
    ///
    /// # Panics
    ///
    /// If it is no `T`; the message shows it.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match typed::read(&self.response.body) {
            Ok(value) => value,
            Err(error) => panic!("the content does not fit: {error}; it is {}", self.text()),
        }
    }

    /// The content as any JSON.
    pub fn value(&self) -> serde_json::Value {
        self.json()
    }
}
