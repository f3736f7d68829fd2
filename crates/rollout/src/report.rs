//! Reports to the operator about the channel.

use crate::prepare::PrepareError;
use contract::digest::Digest;
use release::{ChannelError, StoreError};
use std::{fmt, time::Duration};

/// The result of reading the channel, or an event of its guests. Contains nothing secret.
#[derive(Clone, Debug)]
pub struct ChannelReport {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How long it took; requests were answered meanwhile.
    pub duration: Duration,
    /// The result.
    pub result: Result<Look, FollowError>,
    /// What serves from now on.
    pub serves: Serves,
}

/// What answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// The guests of this generation.
    Generation(u64),
    /// The bundled guest.
    Bundled,
    /// Nothing: requests are answered with 503.
    Nothing,
}

impl Serves {
    /// The generation, if one serves.
    pub fn generation(self) -> Option<u64> {
        match self {
            Self::Generation(generation) => Some(generation),
            Self::Bundled | Self::Nothing => None,
        }
    }
}

impl fmt::Display for Serves {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation(generation) => write!(formatter, "generation {generation} serves on"),
            Self::Bundled => formatter.write_str("the bundled guest serves"),
            Self::Nothing => formatter.write_str("no guest serves"),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The channel still names the guests that serve.
    Unchanged,
    /// Other guests serve from now on.
    Swapped {
        /// The previous generation; `None` if the bundled guest served, or none.
        from: Option<u64>,
        /// The generation that serves.
        to: u64,
        /// Whether it goes back to earlier guests.
        rollback: bool,
        /// Who signed it.
        by: String,
    },
}

/// Why a host does not follow its channel. The current guests keep serving.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FollowError {
    /// The channel cannot be read.
    #[error("channel cannot be read: {0}")]
    Store(#[from] StoreError),
    /// The channel does not exist.
    #[error("the channel does not exist")]
    NoChannel,
    /// Its document is not trusted or has an unknown format.
    #[error("channel document {0}")]
    Document(#[from] ChannelError),
    /// An old document was put back.
    #[error(
        "channel document has generation {found}, which is older than generation {serving}, the one that serves"
    )]
    Older {
        /// The generation that serves.
        serving: u64,
        /// The generation of the document.
        found: u64,
    },
    /// An old document was put back: a later generation is recorded beside the artifacts.
    #[error(
        "channel document has generation {found}, but generation {recorded} was signed after it: an old document was put back"
    )]
    Superseded {
        /// The generation of the document.
        found: u64,
        /// The later one.
        recorded: u64,
    },
    /// It is below the host's minimum.
    #[error("channel document has generation {found}, but this host accepts none below {minimum}")]
    BelowMinimum {
        /// The generation of the document.
        found: u64,
        /// The host's minimum.
        minimum: u64,
    },
    /// Two different documents for one generation.
    #[error(
        "there are two different documents of generation {0}: somebody writes to the store without its conditions"
    )]
    Forked(u64),
    /// A guest cannot be prepared.
    #[error("generation {generation} cannot be prepared: {error}")]
    Prepare {
        /// The generation that names it.
        generation: u64,
        /// The reason.
        error: PrepareError,
    },
    /// The fallback guest cannot be prepared; the generation serves nevertheless.
    #[error("generation {generation} serves without its previous guest: {error}")]
    NoFallback {
        /// The generation that names it.
        generation: u64,
        /// The reason.
        error: PrepareError,
    },
    /// The generation serves without a record, so that a later one might go unnoticed.
    #[error(
        "generation {generation} serves without a record beside the artifacts ({reason}): an old document that is put back would not be noticed; allow hosts to read `generations/` in the artifacts, or promote again, which writes the record"
    )]
    NoRecord {
        /// The generation that is not recorded.
        generation: u64,
        /// What exists instead of the record.
        reason: String,
    },
    /// The generation serves, although a later one may have been signed.
    #[error(
        "generation {generation} serves, and the record of a later one was replaced by something else ({reason}), so the channel's document may be an old one that was put back; compare with what was released, then restore the artifact's earlier version, remove the object, or promote with `--recover`"
    )]
    InvalidRecord {
        /// The generation that serves.
        generation: u64,
        /// What exists instead of its record.
        reason: String,
    },
    /// The bundled guest served while the stores could not be reached; now they can, and it must stop.
    #[error(
        "the bundled guest no longer serves, and requests are answered with 503 until the channel gives a guest: {0}"
    )]
    BundledStopped(Box<FollowError>),
    /// The stores did not answer.
    #[error("no answer in {} s", .0.as_secs())]
    TimedOut(Duration),
    /// A guest kept failing here, and its fallback serves for a while.
    #[error("guest {0} keeps failing; the previous guest serves instead")]
    Tripped(Digest),
}

impl FollowError {
    /// Whether the text says itself what serves.
    fn says_what_serves(&self) -> bool {
        match self {
            Self::Older { .. }
            | Self::NoFallback { .. }
            | Self::NoRecord { .. }
            | Self::InvalidRecord { .. }
            | Self::BundledStopped(_)
            | Self::Tripped(_) => true,
            Self::Store(_)
            | Self::NoChannel
            | Self::Document(_)
            | Self::Superseded { .. }
            | Self::BelowMinimum { .. }
            | Self::Forked(_)
            | Self::Prepare { .. }
            | Self::TimedOut(_) => false,
        }
    }

    /// Whether a store could not be reached or did not answer, so that nothing is known of the channel. All other failures persist until
    /// somebody acts.
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

/// The text for log lines.
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
            Err(error) if error.says_what_serves() => error.fmt(formatter),
            Err(error) => write!(formatter, "{error}; {}", self.serves),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(error: FollowError, serves: Serves) -> String {
        let report = ChannelReport {
            at_ms: 0,
            duration: Duration::ZERO,
            result: Err(error),
            serves,
        };
        report.to_string()
    }

    #[test]
    fn a_failure_says_what_serves_on() {
        let refused = FollowError::Prepare {
            generation: 4,
            error: PrepareError::Processor,
        };
        assert_eq!(
            failed(refused, Serves::Generation(3)),
            "generation 4 cannot be prepared: guests cannot run on this processor; generation 3 serves on"
        );
        let unreachable = FollowError::TimedOut(Duration::from_secs(5));
        assert_eq!(
            failed(unreachable, Serves::Bundled),
            "no answer in 5 s; the bundled guest serves"
        );
        assert_eq!(
            failed(FollowError::NoChannel, Serves::Nothing),
            "the channel does not exist; no guest serves"
        );
        // Once is enough.
        let older = FollowError::Older {
            serving: 3,
            found: 2,
        };
        let text = failed(older, Serves::Generation(3));
        assert_eq!(text.matches("serves").count(), 1, "{text}");
    }
}
