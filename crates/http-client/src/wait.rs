//! How long to wait for a response.

use std::time::{Duration, Instant};

/// Until when to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For the whole response, until then.
    Until(Instant),
    /// For the head of the response until an instant, and so long for each further piece of the body, however many there are.
    Pieces {
        /// Until the head is there, connecting included.
        head: Instant,
        /// From one piece to the next.
        piece: Duration,
    },
}

impl Wait {
    /// Until the head is there.
    pub(crate) fn head(self) -> Instant {
        match self {
            Self::Until(until) => until,
            Self::Pieces { head, .. } => head,
        }
    }

    /// Until the next piece of the body is there.
    pub(crate) fn piece(self) -> Instant {
        match self {
            Self::Until(until) => until,
            Self::Pieces { head, piece } => Instant::now().checked_add(piece).unwrap_or(head),
        }
    }
}
