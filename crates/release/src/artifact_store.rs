//! Where artifacts lie.

mod folder;

pub use folder::FolderArtifacts;

use super::{artifact::ArtifactName, folder::StoreError};
use contract::digest::Digest;

/// Where manifests are, below the prefix.
pub const MANIFESTS: &str = "manifests/";

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there before, or not so.
    Written,
    /// It was there already; for [`ArtifactStore::put_new`], something was.
    Unchanged,
}

/// Holds artifacts under their names. Nothing that comes from here is believed: whoever reads verifies.
#[async_trait::async_trait]
pub trait ArtifactStore: Send + Sync {
    /// The artifact, at most [`ArtifactName::bytes_max`] of it.
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError>;

    /// Whether there is something under the name.
    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError>;

    /// Puts an artifact under its name, as a whole or not at all, replacing what is there.
    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError>;

    /// Puts an artifact under its name unless something lies there already, whatever it is: then nothing is changed.
    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError>;

    /// The components that have a manifest, in any order. Needed by publishers only: a host has no right to list.
    async fn published(&self) -> Result<Vec<Digest>, StoreError>;

    /// For messages: where this is.
    fn describe(&self) -> String;
}

/// `DIGEST.json`.
pub fn digest_of_manifest(file: &str) -> Option<Digest> {
    file.strip_suffix(".json")?.parse().ok()
}
