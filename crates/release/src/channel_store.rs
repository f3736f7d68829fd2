//! Stores of channels' documents, and how a channel changes.

mod folder;

pub use folder::FolderChannels;

use super::{channel::ChannelName, folder::StoreError};

/// Why a channel was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlipError {
    /// Another publisher was faster, or the channel is not in the expected generation.
    #[error("the channel has changed in the meantime: it is no longer at generation {expected}")]
    Lost {
        /// The generation that was expected.
        expected: u64,
    },
    /// The store reported an error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores the signed documents of channels, current and earlier ones. A store is not trusted: every reader verifies what it gets.
#[async_trait::async_trait]
pub trait ChannelStore: Send + Sync {
    /// The channel's current document; `None` if the channel does not exist.
    async fn read(&self, channel: &ChannelName) -> Result<Option<String>, StoreError>;

    /// Makes `document` the present one if the present one is of generation `expected` (0: there is none). What it replaces stays in the
    /// history. A crash leaves the one or the other, never both and never none.
    async fn flip(
        &self,
        channel: &ChannelName,
        expected: u64,
        generation: u64,
        document: &str,
    ) -> Result<(), FlipError>;

    /// The present document and those before it, newest first, at most `count`.
    async fn history(&self, channel: &ChannelName, count: usize)
    -> Result<Vec<String>, StoreError>;

    /// The names of the channels, for messages. Only a folder lists them; elsewhere that would need permissions that nothing else needs.
    async fn names(&self) -> Result<Vec<ChannelName>, StoreError> {
        Ok(Vec::new())
    }

    /// Describes the location in messages.
    fn describe(&self) -> String;
}
