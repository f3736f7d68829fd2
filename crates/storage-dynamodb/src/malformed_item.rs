//! Items in the table that this host did not write, or that somebody changed.

/// Attributes that are not those of an item. The text says which and why, never what they hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct MalformedItemError(pub(super) String);
