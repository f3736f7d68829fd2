//! Items in the table that this host did not write, or that somebody changed.

/// Attributes that are not an item's. The text says which and why, but not their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct MalformedItemError(pub(super) String);
