//! What a host tells its operator about its channel.

use crate::prepare::PrepareError;
use contract::digest::Digest;
use release::{ChannelError, StoreError};
use std::{fmt, time::Duration};

/// What came of a look at the channel, or happened to its guests. Nothing in it is secret.
#[derive(Clone, Debug)]
pub struct ChannelReport {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How long it took; requests went on meanwhile.
    pub duration: Duration,
    /// What came of it.
    pub result: Result<Look, FollowError>,
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// What serves is what the channel names.
    Unchanged,
    /// Other guests serve from now on.
    Swapped {
        /// The generation before; nothing where the bundled guest served, or none.
        from: Option<u64>,
        /// The generation that serves.
        to: u64,
        /// It goes back to guests that served before.
        rollback: bool,
        /// Who signed it.
        by: String,
    },
}

/// Why a host does not follow its channel. What served before goes on serving.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FollowError {
    /// The channel cannot be read.
    #[error("channel cannot be read: {0}")]
    Store(#[from] StoreError),
    /// There is none.
    #[error("there is no such channel")]
    NoChannel,
    /// Its document is not believed or not understood.
    #[error("channel document {0}")]
    Document(#[from] ChannelError),
    /// An old document, brought back.
    #[error(
        "channel document has generation {found}, which is older than generation {serving}, the one that serves"
    )]
    Older {
        /// The generation that serves.
        serving: u64,
        /// The document's.
        found: u64,
    },
    /// An old document, brought back; a later generation is recorded beside the artifacts.
    #[error(
        "channel document has generation {found}, but generation {recorded} was signed after it: an old document was put back"
    )]
    Superseded {
        /// The document's.
        found: u64,
        /// A later one.
        recorded: u64,
    },
    /// Older than what this host was told to take.
    #[error("channel document has generation {found}, but this host accepts none below {minimum}")]
    BelowMinimum {
        /// The document's.
        found: u64,
        /// The host's own bound.
        minimum: u64,
    },
    /// Two documents for one generation.
    #[error(
        "there are two different documents of generation {0}: somebody writes past the conditions of the store"
    )]
    Forked(u64),
    /// A guest cannot be made ready.
    #[error("generation {generation} cannot be prepared: {error}")]
    Prepare {
        /// The generation that asks for it.
        generation: u64,
        /// Why.
        error: PrepareError,
    },
    /// The guest to fall back to cannot be made ready; the generation serves nevertheless.
    #[error("generation {generation} serves without its previous guest: {error}")]
    NoFallback {
        /// The generation that names it.
        generation: u64,
        /// Why.
        error: PrepareError,
    },
    /// The generation serves, and a later one would not be noticed.
    #[error(
        "generation {generation} serves without a record beside the artifacts ({reason}): an old document that is put back would not be noticed; allow hosts to read `generations/` in the artifacts, or promote again, which writes the record"
    )]
    NoRecord {
        /// The generation that is not recorded.
        generation: u64,
        /// What is in the record's place.
        reason: String,
    },
    /// The generation serves, although another one may have been signed after it.
    #[error(
        "generation {generation} serves, and what lies in the place of a later record is none ({reason}): it may have replaced the record, and the channel's document be an old one that was put back; compare with what was released, then have the artifact's earlier version restored, or what lies there removed, or promote with `--recover`"
    )]
    InvalidRecord {
        /// The generation that serves.
        generation: u64,
        /// What lies there.
        reason: String,
    },
    /// The bundled guest stood in while the stores could not be reached; now they were, and it must not serve any longer.
    #[error(
        "the bundled guest serves no longer, and requests are answered with 503 until the channel gives a guest: {0}"
    )]
    BundledStopped(Box<FollowError>),
    /// The stores did not answer.
    #[error("no answer in {} s", .0.as_secs())]
    TimedOut(Duration),
    /// A guest kept failing here, and another one serves in its place for a while.
    #[error("guest {0} keeps failing; the previous guest serves in its place")]
    Tripped(Digest),
}

impl FollowError {
    /// Whether a store could not be reached or did not answer, so that nothing is known of the channel. Everything else will be the same
    /// the next time, until somebody does something about it.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Store(error)
            | Self::Prepare {
                error: PrepareError::Store { error, .. },
                ..
            } => matches!(error, StoreError::Unavailable(_)),
            Self::TimedOut(_) => true,
            Self::NoChannel
            | Self::Document(_)
            | Self::Older { .. }
            | Self::Superseded { .. }
            | Self::BelowMinimum { .. }
            | Self::Forked(_)
            | Self::Prepare { .. }
            | Self::NoFallback { .. }
            | Self::NoRecord { .. }
            | Self::InvalidRecord { .. }
            | Self::BundledStopped(_)
            | Self::Tripped(_) => false,
        }
    }
}

impl ChannelReport {
    /// Whether it counts as a failure (metric `ChannelFailures`).
    pub fn is_failure(&self) -> bool {
        self.result.is_err()
    }
}

/// For log lines.
impl fmt::Display for ChannelReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(Look::Unchanged) => formatter.write_str("channel unchanged"),
            Ok(Look::Swapped {
                from,
                to,
                rollback,
                by,
            }) => {
                let verb = if *rollback { "rolled back" } else { "swapped" };
                match from {
                    Some(from) => write!(
                        formatter,
                        "{verb} from generation {from} to {to}, signed by {by}"
                    ),
                    None => write!(formatter, "generation {to} serves, signed by {by}"),
                }
            }
            Err(error) => error.fmt(formatter),
        }
    }
}
