//! Why an exchange on a connection had no response.

use crate::error::OutgoingError;
use std::{error::Error, io, iter};

/// Why there is no response, by what the server can have seen.
#[derive(Debug)]
pub enum Failure {
    /// Not a byte of the request was given to the connection.
    NotSent(String),
    /// At least a part was.
    Unknown(String),
    /// The response is over a limit.
    TooLarge(String),
}

impl From<Failure> for OutgoingError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(words) => Self::Unreachable(words),
            Failure::Unknown(words) => Self::OutcomeUnknown(words),
            Failure::TooLarge(words) => Self::ResponseTooLarge(words),
        }
    }
}

/// An error with its causes, in one line, none of them said twice.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(cause(error), |&error| cause(error));
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// The error below. `source` of an `io::Error` leaves out the one that it was made of.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match inner {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
