//! Log lines of guests.

use serde::Deserialize;
use std::fmt;

/// In rising order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever works on the guest.
    Debug,
    /// The normal course of things.
    Info,
    /// Unexpected, but handled.
    Warn,
    /// A request went wrong.
    Error,
}

impl LogLevel {
    /// In lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One line of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// How severe.
    pub level: LogLevel,
    /// What happened.
    pub message: String,
    /// Named values, each the text of a JSON value.
    pub attributes: Vec<(String, String)>,
    /// Storage calls made before it: where it stands in the course of the request.
    pub storage_calls: u32,
}
