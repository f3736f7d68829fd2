//! Requests to other services: [`Outgoing`] sends them, a host records them with their responses, and a replay answers from the recording.
//!
//! A host sends only what it grants: `outgoing = ["https://api.example.com"]` in `tenon.toml`. Every [`Error`] becomes a
//! [`Problem`](crate::Problem) with `?`: 503 if nothing was sent, 502 if it is unknown what the service did or its response is of no use, 500
//! if the request itself is wrong or not granted.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tenon::{App, Context, Json, Problem, outgoing};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Rate {
//!     euros: f64,
//! }
//!
//! fn rate(context: Context) -> Result<Json<Rate>, Problem> {
//!     let response = context.outgoing().get("https://rates.example.com/usd").send()?;
//!     Ok(Json(response.json()?))
//! }
//!
//! let client = App::new().get("/rate", rate).test();
//! client.answer_outgoing(|request| {
//!     assert_eq!(request.url, "https://rates.example.com/usd");
//!     Ok(outgoing::Response::new(200).with_json(&Rate { euros: 0.9 }))
//! });
//! assert_eq!(client.get("/rate").send().json::<Rate>().euros, 0.9);
//!
//! // What a service in trouble leads to.
//! client.answer_outgoing(|_| Err(outgoing::Error::Unreachable("refused".into())));
//! assert_eq!(client.get("/rate").send().status(), 503);
//! ```

mod error;
mod message;

pub use crate::contract::outgoing::{Error, Request, Response};

use crate::host::Host;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::time::Duration;
use serde::Serialize;

/// Other services. As an argument of a handler, or from [`Context::outgoing`](crate::Context::outgoing).
#[derive(Clone)]
pub struct Outgoing {
    host: Host,
}

/// A request that is not sent yet; made by [`Outgoing`].
#[must_use = "a request is sent by `send`"]
pub struct Call<'a> {
    host: &'a Host,
    request: Request,
    /// Why there is nothing to send.
    unwritable: Option<String>,
}

impl Outgoing {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// A GET request for an absolute URL, which is percent-encoded.
    pub fn get(&self, url: impl Into<String>) -> Call<'_> {
        self.request("GET", url)
    }

    /// A POST request.
    pub fn post(&self, url: impl Into<String>) -> Call<'_> {
        self.request("POST", url)
    }

    /// A PUT request.
    pub fn put(&self, url: impl Into<String>) -> Call<'_> {
        self.request("PUT", url)
    }

    /// A PATCH request.
    pub fn patch(&self, url: impl Into<String>) -> Call<'_> {
        self.request("PATCH", url)
    }

    /// A DELETE request.
    pub fn delete(&self, url: impl Into<String>) -> Call<'_> {
        self.request("DELETE", url)
    }

    /// A request with any method but `CONNECT` and `TRACE`.
    pub fn request(&self, method: &str, url: impl Into<String>) -> Call<'_> {
        Call {
            host: &self.host,
            request: Request {
                method: method.to_owned(),
                url: url.into(),
                headers: Vec::new(),
                body: Vec::new(),
                timeout: None,
            },
            unwritable: None,
        }
    }
}

impl Call<'_> {
    /// One more header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With JSON content.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.content("application/json", json),
            Err(error) => {
                self.unwritable = Some(alloc::format!("the content is not JSON: {error}"));
                self
            }
        }
    }

    /// With content of a media type.
    pub fn content(mut self, content_type: &str, content: impl Into<Vec<u8>>) -> Self {
        self.request.body = content.into();
        self.header("content-type", content_type)
    }

    /// How long to wait for the whole response, in whole milliseconds; 10 seconds by default, and never longer than the client's own request
    /// may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Sends it, and waits for the whole response. A status like 404 is a response, and no error.
    pub fn send(self) -> Result<Response, Error> {
        match self.unwritable {
            Some(reason) => Err(Error::InvalidRequest(reason)),
            None => self.host.send(self.request),
        }
    }
}
