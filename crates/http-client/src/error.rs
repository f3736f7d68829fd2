//! Why a request has no response.

use contract::{address::Addresses, origin::Host};
use std::{error::Error, io, iter, net::IpAddr};

/// Why there is no response, by what the server can have seen. The texts are for people, and contain neither path nor query, header or body.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The request cannot be written.
    #[error("{0}")]
    Invalid(String),
    /// All addresses of the name are refused.
    #[error("{0}")]
    NotAllowed(RefusedAddress),
    /// Nothing listens at the address.
    #[error("{0}")]
    Refused(String),
    /// Not a byte of the request was given to a connection.
    #[error("{0}")]
    NotSent(String),
    /// At least a part was, and there is no whole response.
    #[error("{0}")]
    Unknown(String),
    /// The response is whole as far as it came, and its body is over the limit.
    #[error("{0}")]
    TooLarge(String),
    /// The head of the response, or what frames its body, is over a limit. What the server did is unknown.
    #[error("{0}")]
    HeadTooLarge(String),
}

/// An address that [`Addresses`] do not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` leads to {address}, {class}")]
pub struct RefusedAddress {
    /// Whose address it is.
    pub host: Host,
    /// The first that was refused.
    pub address: IpAddr,
    /// What it is: "a loopback address".
    pub class: &'static str,
    /// What was allowed.
    pub allowed: Addresses,
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
