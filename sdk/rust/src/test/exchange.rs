//! Requests and responses of a test.

use super::TestClient;
use crate::{Caller, Request, Response, json};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::{Serialize, de::DeserializeOwned};

/// Fields that belong to the connection; a host refuses a response with one.
const CONNECTION_FIELDS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that is not sent yet; made by [`TestClient`].
#[must_use = "a request is sent by `send`"]
pub struct TestRequest<'a> {
    client: &'a TestClient,
    request: Request,
    fields: String,
}

/// The response to a request. What a host would refuse panics in the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResponse {
    response: Response,
}

impl<'a> TestRequest<'a> {
    pub(super) fn new(client: &'a TestClient, method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            is_https: true,
            authority: "api.example".to_owned(),
            client_address: Some("192.0.2.1".to_owned()),
            ..Request::default()
        };
        Self {
            client,
            request,
            fields: String::new(),
        }
    }

    /// With a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let line = format!("{}: {value}\n", name.to_ascii_lowercase());
        self.fields.push_str(&line);
        self
    }

    /// With JSON content.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.content("application/json", json),
            Err(error) => panic!("the content is not JSON: {error}"),
        }
    }

    /// With content of a media type.
    pub fn content(mut self, content_type: &str, content: impl Into<Vec<u8>>) -> Self {
        self.request.body = content.into();
        self.header("content-type", content_type)
    }

    /// From a caller whom an authorizer named, with its claims as an object.
    ///
    /// # Panics
    ///
    /// If the claims cannot be written as JSON.
    pub fn caller(mut self, subject: &str, claims: &impl Serialize) -> Self {
        match serde_json::to_string(claims) {
            Ok(claims) => {
                self.request.caller = Some(Caller {
                    subject: Some(subject.to_owned()),
                    claims,
                });
                self
            }
            Err(error) => panic!("the claims are not JSON: {error}"),
        }
    }

    /// Behind a gateway's stage or base path, such as `/live`.
    pub fn base_path(mut self, base_path: &str) -> Self {
        self.request.base_path = base_path.to_owned();
        self
    }

    /// From a client with this IP address.
    pub fn client_address(mut self, address: &str) -> Self {
        self.request.client_address = Some(address.to_owned());
        self
    }

    /// The application's response.
    pub fn send(mut self) -> TestResponse {
        self.request.headers = self.fields.into();
        self.client.send(self.request)
    }
}

impl TestResponse {
    /// # Panics
    ///
    /// If a host would answer 500 in its place.
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
        match json::read(&self.response.body) {
            Ok(value) => value,
            Err(error) => panic!("the content does not fit: {error}; it is {}", self.text()),
        }
    }

    /// The content as any JSON.
    pub fn value(&self) -> serde_json::Value {
        self.json()
    }
}
