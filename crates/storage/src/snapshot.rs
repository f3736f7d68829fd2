//! The complete contents of a store, for tests, cases and replays.

#[cfg(feature = "json")]
mod entry;

use super::{Entry, Namespace, StorageError};

/// A store that can be loaded from a list and read completely, including revisions.
pub trait Snapshot {
    /// Stores entries as given, replacing existing items.
    fn load(&self, entries: Vec<Entry>) -> Result<(), StorageError>;

    /// Everything that has not expired at `now_ms`, ordered by partition and sort key.
    fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StorageError>;

    /// [`Self::load`] with entries as a guest names them.
    fn load_namespace(
        &self,
        namespace: &Namespace,
        entries: Vec<Entry>,
    ) -> Result<(), StorageError> {
        self.load(
            entries
                .into_iter()
                .map(|entry| namespace.enclose(entry))
                .collect(),
        )
    }

    /// [`Self::entries`] of one guest, as it names them.
    fn namespace_entries(
        &self,
        namespace: &Namespace,
        now_ms: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        Ok(self
            .entries(now_ms)?
            .into_iter()
            .filter_map(|entry| namespace.disclose(entry))
            .collect())
    }
}
