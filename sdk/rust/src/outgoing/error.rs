//! What the client reads if another service gave no response, or none that is of use.

use super::Error;
use crate::{Problem, contract::Level};

/// Seconds after which a client may try again.
const RETRY_SECONDS: &str = "1";

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
