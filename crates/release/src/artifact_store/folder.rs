//! Artifacts in a local folder: `file://`.

use super::{ArtifactStore, MANIFESTS, Put, digest_of_manifest};
use crate::{
    artifact::ArtifactName,
    folder::{Access, Folder, StoreError},
};
use contract::digest::Digest;
use std::path::Path;

/// A folder of artifacts.
#[derive(Clone, Debug)]
pub struct FolderArtifacts(Folder);

impl FolderArtifacts {
    /// The folder is created by the first write.
    pub fn new(path: &Path) -> Self {
        Self(Folder::new(path))
    }
}

#[async_trait::async_trait]
impl ArtifactStore for FolderArtifacts {
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError> {
        self.0.read(&name.to_string(), name.bytes_max())
    }

    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError> {
        match self.0.read(&name.to_string(), name.bytes_max()) {
            Ok(_) => Ok(true),
            Err(StoreError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(&name.to_string(), bytes, Access::Public)
    }

    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError> {
        let name = name.to_string();
        // Two writers may both find nothing; a check cannot help, because anybody who can write to the folder can replace its contents
        // anyway.
        if self.0.is_taken(&name)? {
            return Ok(Put::Unchanged);
        }
        self.0.write(&name, bytes, Access::Public)?;
        Ok(Put::Written)
    }

    async fn published(&self) -> Result<Vec<Digest>, StoreError> {
        // A folder without manifests has nothing published yet; the name of one that does not exist may be misspelt.
        if self.0.path().try_exists().is_ok_and(|exists| !exists) {
            return Err(StoreError::Missing(self.describe()));
        }
        let files = match self.0.list(MANIFESTS.trim_end_matches('/')) {
            Ok(files) => files,
            Err(StoreError::Missing(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let digests = files.iter().filter_map(|file| digest_of_manifest(file));
        Ok(digests.collect())
    }

    fn describe(&self) -> String {
        format!("file://{}", self.0.path().display())
    }
}
