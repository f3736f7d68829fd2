//! The types of `wit/secrets.wit`, as [`mod@crate::secrets`] shows them.

use alloc::string::String;
use core::fmt;

/// The hash of an HMAC (RFC 2104).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// For services that offer nothing newer; tags of 20 bytes.
    Sha1,
    /// The usual one; tags of 32 bytes.
    Sha256,
    /// Tags of 64 bytes.
    Sha512,
}

/// Why there is no result. The texts are for people, and contain no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No secret of this name is declared for this guest.
    Unknown(String),
    /// The secret is declared, but not for this use.
    NotGranted(String),
    /// Its value cannot be had now. Trying again later may help.
    Unavailable(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Not `secret: ...`: redaction of the log would take the reason for a secret.
            Self::Unknown(reason) => formatter.write_str(reason),
            Self::NotGranted(reason) => write!(formatter, "not granted: {reason}"),
            Self::Unavailable(reason) => write!(formatter, "unavailable: {reason}"),
        }
    }
}

impl core::error::Error for Error {}
