//! Lines of an input, and why they cannot be read.

use super::split::JoinError;
use contract::limits::TAPE_LINE_BYTES_MAX;
use std::io;

/// A line with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    /// Without its line break and surrounding blanks; never empty.
    pub bytes: Vec<u8>,
}

/// Why lines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Over the bound.
    #[error("line {number} has more than {TAPE_LINE_BYTES_MAX} bytes")]
    TooLong {
        /// Counted from 1.
        number: u64,
    },
    /// Parts of a line contradict each other.
    #[error("line {number}: {error}")]
    Parts {
        /// Counted from 1.
        number: u64,
        /// Why.
        error: JoinError,
    },
}

impl ReadError {
    /// The number of the line with the error, if the following lines can still be read.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Io(_) => None,
            Self::TooLong { number } | Self::Parts { number, .. } => Some(*number),
        }
    }
}
