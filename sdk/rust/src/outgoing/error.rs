//! Why there is no response, or none that is of use, and what the client reads then.

use crate::{Problem, contract::Level};
use alloc::string::String;
use core::fmt;

/// Seconds after which a client may try again.
const RETRY_SECONDS: &str = "1";

/// Why another service gave no response, or none that is of use. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The request is not valid HTTP, or over a limit. Nothing was sent.
    InvalidRequest(String),
    /// The host does not grant the service to this guest. Nothing was sent.
    NotGranted(String),
    /// The service could not be reached, or not in time. Nothing was sent: trying again repeats nothing.
    Unreachable(String),
    /// The request was sent, at least in part, and there is no whole response. Whether the service acted on it is unknown.
    OutcomeUnknown(String),
    /// The response is longer than a host accepts.
    ResponseTooLarge(String),
    /// A response with another status than 2xx was read as a successful one.
    Status(u16),
    /// The content of the response is not what was expected.
    Content(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(reason) => write!(formatter, "invalid outgoing request: {reason}"),
            Self::NotGranted(reason) => write!(formatter, "not granted: {reason}"),
            Self::Unreachable(reason) => write!(formatter, "unreachable: {reason}"),
            Self::OutcomeUnknown(reason) => write!(formatter, "outcome unknown: {reason}"),
            Self::ResponseTooLarge(reason) => write!(formatter, "response too large: {reason}"),
            Self::Status(status) => write!(formatter, "the service answered with status {status}"),
            Self::Content(reason) => {
                write!(
                    formatter,
                    "the content of the response does not fit: {reason}"
                )
            }
        }
    }
}

impl core::error::Error for Error {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        const MESSAGE: &str = "request to another service failed";
        match &error {
            Error::InvalidRequest(_) | Error::NotGranted(_) => {
                Self::internal_because(MESSAGE, error)
            }
            Error::Unreachable(_) => {
                let detail = "a service that this API needs cannot be reached";
                Self::new(503, "service-unreachable", detail)
                    .with_header("retry-after", RETRY_SECONDS)
                    .caused_by(Level::Error, MESSAGE, error)
            }
            Error::OutcomeUnknown(_) => {
                let detail =
                    "a service that this API needs did not answer; it may or may not have acted";
                Self::new(502, "service-outcome-unknown", detail).caused_by(
                    Level::Error,
                    MESSAGE,
                    error,
                )
            }
            Error::ResponseTooLarge(_) | Error::Status(_) | Error::Content(_) => {
                let detail = "a service that this API needs gave a response that is of no use";
                Self::new(502, "service-response", detail).caused_by(Level::Error, MESSAGE, error)
            }
        }
    }
}
