//! Why a recording cannot be used.

use json::JsonError;
use tape::{OutgoingResultError, SecretResultError, call::read::ResultError};

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordingError {
    /// A storage call cannot be read.
    #[error("call {number}: {error}")]
    Call {
        /// Counted from 1.
        number: usize,
        /// Why.
        error: ResultError,
    },
    /// An exchange with another service cannot be read.
    #[error("outgoing request: {0}")]
    Outgoing(OutgoingResultError),
    /// A call about a secret cannot be read.
    #[error("call about a secret: {0}")]
    Secret(SecretResultError),
    /// The attributes of a log line are not a JSON object.
    #[error("attributes of a log line: {0}")]
    Attributes(JsonError),
}
