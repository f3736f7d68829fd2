//! Stores of artifacts.

mod folder;

pub use folder::FolderArtifacts;

use super::{artifact::ArtifactName, folder::StoreError};
use contract::digest::Digest;

/// The folder of manifests, below the prefix.
pub const MANIFESTS: &str = "manifests/";

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The artifact was written.
    Written,
    /// It existed already; for [`ArtifactStore::put_new`], something existed.
    Unchanged,
}

/// Stores artifacts under their names. A store is not trusted: every reader verifies what it gets.
#[async_trait::async_trait]
pub trait ArtifactStore: Send + Sync {
    /// The artifact, at most [`ArtifactName::bytes_max`] of it.
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError>;

    /// Whether anything exists under the name.
    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError>;

    /// Writes an artifact under its name, completely or not at all, replacing an existing one.
    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError>;

    /// Writes an artifact under its name unless anything exists there already: then nothing is changed.
    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError>;

    /// The components that have a manifest, in any order. Only publishers need it: a host has no permission to list.
    async fn published(&self) -> Result<Vec<Digest>, StoreError>;

    /// Describes the location in messages.
    fn describe(&self) -> String;
}

/// `DIGEST.json`.
pub fn digest_of_manifest(file: &str) -> Option<Digest> {
    file.strip_suffix(".json")?.parse().ok()
}
