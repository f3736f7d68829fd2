//! Where channels' documents lie, and how they change.

mod folder;

pub use folder::FolderChannels;

use super::{channel::ChannelName, folder::StoreError};

/// Why a channel did not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlipError {
    /// Somebody else was faster, or the channel is not what it was taken for.
    #[error("the channel has changed in the meantime: it is no longer at generation {expected}")]
    Lost {
        /// The generation that was to be replaced.
        expected: u64,
    },
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds the signed documents of channels, the present ones and those before. Nothing that comes from here is believed: whoever reads
/// verifies.
#[async_trait::async_trait]
pub trait ChannelStore: Send + Sync {
    /// The channel's present document; `None` where there is no such channel.
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

    /// For messages: where this is.
    fn describe(&self) -> String;
}
