//! Secrets of this API: [`placeholder`] stands for one in a request to another service, [`Secrets`] signs, verifies and, where it must be, reads.
//!
//! Which secrets there are, and what each is for, is declared where the API is deployed: `[secrets]` in `tenon.toml`. Every [`Error`] becomes a
//! [`Problem`] with `?`: 503 if the value cannot be had now, 500 otherwise.
//!
//! ```
//! use tenon::{App, Context, Problem, secrets::{Algorithm, placeholder}};
//!
//! /// The host puts the key in, after this request was recorded, and only for this origin.
//! fn balance(context: Context) -> Result<String, Problem> {
//!     let response = context
//!         .outgoing()
//!         .get("https://api.stripe.com/v1/balance")
//!         .header("authorization", format!("Bearer {}", placeholder("stripe-key")))
//!         .send()?;
//!     Ok(response.text())
//! }
//!
//! /// Whether a webhook comes from whom it says.
//! fn webhook(context: Context) -> Result<String, Problem> {
//!     let tag = context.headers.get("x-tag").unwrap_or_default();
//!     let is_valid = context
//!         .secrets()
//!         .verify("webhook-key", Algorithm::Sha256, &context.body, tag.as_bytes())?;
//!     Ok(is_valid.to_string())
//! }
//!
//! let client = App::new().post("/webhook", webhook).get("/balance", balance).test();
//! // No such secret is declared.
//! assert_eq!(client.post("/webhook").send().status(), 500);
//! client.set_secret("webhook-key", b"0123456789");
//! assert_eq!(client.post("/webhook").send().text(), "false");
//! ```

pub use crate::contract::secrets::{Algorithm, Error};

use crate::{Problem, contract::Level, host::Host};
use alloc::{format, string::String, vec::Vec};

/// Seconds after which a client may try again.
const RETRY_SECONDS: &str = "1";

/// The API's secrets. As an argument of a handler, or from [`Context::secrets`](crate::Context::secrets).
#[derive(Clone)]
pub struct Secrets {
    host: Host,
}

/// The text in whose place the host puts a secret's value, directly before a request is sent: in headers, and in the URL and the body if that is
/// declared. A response that repeats the value has this text again.
pub fn placeholder(name: &str) -> String {
    format!("__secret.{name}__")
}

impl Secrets {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// The HMAC of a message, whole. The secret's bytes are the key.
    pub fn sign(&self, name: &str, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.host.sign(name, algorithm, message)
    }

    /// Whether a tag is the HMAC of a message. Compares in constant time; a shortened tag is not valid.
    pub fn verify(
        &self,
        name: &str,
        algorithm: Algorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<bool, Error> {
        self.host.verify(name, algorithm, message, tag)
    }

    /// The value itself, for what none of the others can do. Tapes do not contain it: a replay has the text `REDACTED` in its place.
    pub fn reveal(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.host.reveal(name)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        const MESSAGE: &str = "use of a secret failed";
        match &error {
            Error::Unknown(_) | Error::NotGranted(_) => Self::internal_because(MESSAGE, error),
            Error::Unavailable(_) => {
                let detail = "a secret that this API needs cannot be read now";
                Self::new(503, "secret-unavailable", detail)
                    .with_header("retry-after", RETRY_SECONDS)
                    .caused_by(Level::Error, MESSAGE, error)
            }
        }
    }
}
