//! Structured log lines. They never change a response.

pub use crate::contract::Level;

use crate::host::Host;
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::Serialize;

/// The operator's log; every line carries the request's id.
///
/// ```
/// use tenon::{App, Log, log::Level};
///
/// fn greet(log: Log) -> &'static str {
///     log.info("greeted").with("name", "Ada").with("times", 3).write();
///     "hello"
/// }
///
/// let client = App::new().get("/", greet).test();
/// client.get("/").send();
/// let lines = client.log_lines();
/// assert_eq!(lines[0].level, Level::Info);
/// assert_eq!(lines[0].attribute("times"), Some("3"));
/// ```
#[derive(Clone)]
pub struct Log {
    host: Host,
}

/// A line that is not written yet.
#[must_use = "a line is logged by `write`"]
#[derive(Clone)]
pub struct Line {
    host: Host,
    level: Level,
    message: String,
    attributes: Vec<(String, String)>,
}

impl Log {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// A line of this level.
    pub fn at(&self, level: Level, message: impl fmt::Display) -> Line {
        Line {
            host: self.host.clone(),
            level,
            message: message.to_string(),
            attributes: Vec::new(),
        }
    }

    /// For somebody who looks for a mistake.
    pub fn debug(&self, message: impl fmt::Display) -> Line {
        self.at(Level::Debug, message)
    }

    /// What happened.
    pub fn info(&self, message: impl fmt::Display) -> Line {
        self.at(Level::Info, message)
    }

    /// What an operator may want to look into.
    pub fn warn(&self, message: impl fmt::Display) -> Line {
        self.at(Level::Warn, message)
    }

    /// What an operator must repair.
    pub fn error(&self, message: impl fmt::Display) -> Line {
        self.at(Level::Error, message)
    }
}

impl Line {
    /// With a named value, written as JSON.
    pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
        let json = serde_json::to_string(&value)
            .unwrap_or_else(|error| format!("cannot be written as JSON: {error}"));
        self.attributes.push((key.to_owned(), json));
        self
    }

    /// Writes the line.
    pub fn write(self) {
        self.host.log(self.level, &self.message, &self.attributes);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Log(..)")
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("level", &self.level)
            .field("message", &self.message)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}
