//! The types of `wit/outgoing.wit`, as [`mod@crate::outgoing`] shows them.

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

/// A request as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Normally upper-case.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values, in order. The host adds `host` and `content-length`.
    pub headers: Vec<(String, String)>,
    /// Empty if there is none.
    pub body: Vec<u8>,
    /// Until the whole response must be there.
    pub timeout: Option<Duration>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

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
