//! What is wrong with a text that should be JSON.

use contract::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};

/// Text that is not JSON, or that exceeds the bounds of this reader. The message contains nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub problem: JsonProblem,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    /// The text ends within a value.
    #[error("unexpected end of the text")]
    Cut,
    /// Not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// UTF-8 with a byte order mark, which JSON does not allow.
    #[error("a byte order mark (EF BB BF), which JSON does not allow")]
    ByteOrderMark,
    /// Something else stands where this is expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// `\u` with half of a surrogate pair.
    #[error("an escape of half a surrogate pair")]
    LoneSurrogate,
    /// Too many levels.
    #[error("more than {JSON_DEPTH_MAX} levels")]
    Depth,
    /// Too many values.
    #[error("more than {JSON_NODES_MAX} values")]
    Nodes,
}

impl JsonProblem {
    /// Classifies the text: not JSON, or JSON that exceeds the bounds of this reader.
    pub fn verdict(self) -> &'static str {
        match self {
            Self::Depth | Self::Nodes => "exceeds the limits for JSON",
            Self::Cut
            | Self::Utf8
            | Self::ByteOrderMark
            | Self::Expected(_)
            | Self::LoneSurrogate => "is not JSON",
        }
    }
}
