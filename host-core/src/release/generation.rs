//! Records of the generations that were signed, beside the artifacts.
//!
//! The document of a channel and the records lie in different stores: the table and the bucket. Whoever can write only to the table can put
//! an old document back there, and cannot take away the record that a newer generation exists. Records have consecutive numbers, so that one
//! read finds out whether a generation has a successor, and nobody needs the permission to list.

use super::{
    artifact::ArtifactName,
    artifact_store::ArtifactStore,
    channel::ChannelName,
    folder::StoreError,
    record::GenerationRecord,
    signature::{PublicKeys, SecretKey},
};
use crate::digest::Digest;

/// Why a generation was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The document cannot be written.
    #[error("failed to write the record: {0}")]
    Document(#[from] serde_json::Error),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records that `generation` of `channel` was signed. Recording it again changes nothing.
pub async fn record_generation(
    store: &dyn ArtifactStore,
    key: &SecretKey,
    channel: &ChannelName,
    generation: u64,
) -> Result<(), RecordError> {
    if is_recorded(store, &PublicKeys::of(key), channel, generation).await? {
        return Ok(());
    }
    let text = GenerationRecord::new(channel.clone(), generation).sign(key)?;
    Ok(store
        .put(name(channel, generation), text.as_bytes())
        .await?)
}

/// The newest generation from `known` on that a trusted key has recorded; `known` itself where none is newer.
pub async fn newest_generation(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    known: u64,
) -> Result<u64, StoreError> {
    let mut newest = known;
    let mut step: u64 = 1;
    // Records are consecutive: doubling steps find one that is missing, halving steps the last before it.
    while is_recorded(store, keys, channel, newest.saturating_add(step)).await? {
        newest = newest.saturating_add(step);
        step = step.saturating_mul(2);
    }
    while step > 1 {
        step /= 2;
        if is_recorded(store, keys, channel, newest.saturating_add(step)).await? {
            newest = newest.saturating_add(step);
        }
    }
    Ok(newest)
}

/// What is known of one generation's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// A trusted key has recorded this very generation.
    Recorded,
    /// There is no record, or none that a trusted key vouches for; with the reason. Stores answer for what may not be read as for what is
    /// not there.
    NotRecorded(String),
}

/// Reads the record of `generation`. Whatever lies in its place and cannot be one counts as none: it must not keep a host from starting.
pub async fn record_state(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    generation: u64,
) -> Result<RecordState, StoreError> {
    let name = name(channel, generation);
    let bytes = match store.get(name).await {
        Ok(bytes) => bytes,
        Err(
            error
            @ (StoreError::Missing(_) | StoreError::TooLarge { .. } | StoreError::NotPlain(_)),
        ) => return Ok(RecordState::NotRecorded(error.to_string())),
        Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => return Err(error),
    };
    let is_expected = GenerationRecord::open(&bytes, keys)
        .is_some_and(|record| record == GenerationRecord::new(channel.clone(), generation));
    Ok(if is_expected {
        RecordState::Recorded
    } else {
        RecordState::NotRecorded(format!(
            "`{name}` is no record of generation {generation} that a trusted key signed"
        ))
    })
}

/// Whether a trusted key has recorded this very generation.
pub(super) async fn is_recorded(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    generation: u64,
) -> Result<bool, StoreError> {
    let state = record_state(store, keys, channel, generation).await?;
    Ok(state == RecordState::Recorded)
}

fn name(channel: &ChannelName, generation: u64) -> ArtifactName {
    ArtifactName::Generation(Digest::of(channel.to_string().as_bytes()), generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::FolderArtifacts;
    use std::fs;

    #[tokio::test]
    async fn the_newest_record_is_found_and_only_trusted_ones_count() {
        let folder = std::env::temp_dir().join(format!("tenon-records-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let store = FolderArtifacts::new(&folder);
        let (key, stranger) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        let keys = PublicKeys::of(&key);
        let (items, orders) = ("items".parse().unwrap(), "orders".parse().unwrap());
        for count in 1..=21 {
            record_generation(&store, &key, &items, count)
                .await
                .unwrap();
            for known in 0..=count {
                let newest = newest_generation(&store, &keys, &items, known).await;
                assert_eq!(newest, Ok(count), "from {known}");
            }
        }
        assert_eq!(newest_generation(&store, &keys, &orders, 0).await, Ok(0));
        record_generation(&store, &stranger, &items, 22)
            .await
            .unwrap();
        assert_eq!(newest_generation(&store, &keys, &items, 9).await, Ok(21));
        // A record of another generation, under this one's name.
        let from = folder.join(name(&items, 21).to_string());
        fs::copy(from, folder.join(name(&items, 22).to_string())).unwrap();
        assert_eq!(newest_generation(&store, &keys, &items, 9).await, Ok(21));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A folder, a link and a pipe are no records, like anything else that nobody signed.
    #[tokio::test]
    async fn what_is_no_plain_file_counts_as_no_record() {
        let folder = std::env::temp_dir().join(format!("tenon-not-plain-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let store = FolderArtifacts::new(&folder);
        let key = SecretKey::new(&[1; 32]);
        let keys = PublicKeys::of(&key);
        let items = "items".parse().unwrap();
        record_generation(&store, &key, &items, 1).await.unwrap();
        let path = folder.join(name(&items, 2).to_string());
        let genuine = folder.join(name(&items, 1).to_string());
        fs::create_dir(&path).unwrap();
        assert_eq!(newest_generation(&store, &keys, &items, 0).await, Ok(1));
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink(&genuine, &path).unwrap();
        assert_eq!(newest_generation(&store, &keys, &items, 0).await, Ok(1));
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert_eq!(newest_generation(&store, &keys, &items, 0).await, Ok(1));
        let state = record_state(&store, &keys, &items, 2).await.unwrap();
        let RecordState::NotRecorded(reason) = state else {
            panic!("{state:?}");
        };
        assert!(reason.contains("is not a plain file"), "{reason}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
