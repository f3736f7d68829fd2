//! Records of the signed generations, beside the artifacts.
//!
//! The document of a channel and the records are in different stores: the table and the bucket. Somebody who can write only to the table
//! can put an old document back there, but cannot remove the record of a newer generation. Records have consecutive numbers, so one read
//! shows whether a generation has a successor, and nobody needs the permission to list. Records are never replaced: an object in the place
//! of a record that is not one was put there by somebody else.

use super::{
    artifact::ArtifactName,
    artifact_store::{ArtifactStore, Put},
    channel::ChannelName,
    folder::StoreError,
    record::GenerationRecord,
    signature::{PublicKeys, SecretKey},
};
use contract::digest::Digest;

/// Number of consecutive invalid records after which a search ends. Each costs one read, and the limit prevents somebody who can write to
/// the store from making the search long.
const INVALID_IN_A_ROW_MAX: u64 = 8;

/// Why a generation was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record cannot be encoded.
    #[error("failed to write the record: {0}")]
    Document(#[from] serde_json::Error),
    /// The store did not accept it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else exists there, and records are not replaced.
    #[error("{0}; records are never replaced: find out who wrote it")]
    Taken(String),
}

/// Records that `generation` of `channel` was signed. Recording it again changes nothing, nor does it change anything else that exists
/// there.
pub async fn record_generation(
    store: &dyn ArtifactStore,
    key: &SecretKey,
    channel: &ChannelName,
    generation: u64,
) -> Result<(), RecordError> {
    let keys = PublicKeys::of(key);
    let look = || record_state(store, &keys, channel, generation);
    let mut state = look().await?;
    if let RecordState::Missing(_) = state {
        let text = GenerationRecord::new(channel.clone(), generation).sign(key)?;
        let name = name(channel, generation);
        if store.put_new(name, text.as_bytes()).await? == Put::Written {
            return Ok(());
        }
        // Written by an attempt whose response was lost, or by somebody else in the meantime.
        state = look().await?;
    }
    match state {
        RecordState::Recorded => Ok(()),
        RecordState::Missing(reason) | RecordState::Invalid(reason) => {
            Err(RecordError::Taken(reason))
        }
    }
}

/// What the records show about later generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestRecord {
    /// The newest generation that a trusted key has recorded; the given one if none is newer.
    pub generation: u64,
    /// Objects after it that are not records.
    pub invalid: Option<InvalidRecord>,
}

/// An object in the place of a record that is not one. It may have replaced the record, so it is unknown whether its generation was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRecord {
    /// The generation whose record should be there.
    pub generation: u64,
    /// The last of such generations in a row.
    pub last: u64,
    /// Why the object is not a record.
    pub reason: String,
}

/// What the records show about the generations after `known`.
pub async fn newest_record(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    known: u64,
) -> Result<NewestRecord, StoreError> {
    let mut generation = known;
    loop {
        generation = last_in_a_row(store, keys, channel, generation).await?;
        let invalid = match successor(store, keys, channel, generation).await? {
            Successor::Recorded(later) => {
                generation = later;
                continue;
            }
            Successor::Missing => None,
            Successor::Invalid(invalid) => Some(invalid),
        };
        return Ok(NewestRecord {
            generation,
            invalid,
        });
    }
}

async fn last_in_a_row(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    known: u64,
) -> Result<u64, StoreError> {
    let mut newest = known;
    let mut step: u64 = 1;
    // Records are consecutive: doubling steps find a missing one, halving steps the last one before it.
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

/// What follows a generation.
#[derive(Debug)]
pub enum Successor {
    /// Nothing.
    Missing,
    /// A later generation, which a trusted key has recorded.
    Recorded(u64),
    /// Objects that are not records, without a record after them.
    Invalid(InvalidRecord),
}

/// What follows `generation`. Skips invalid records, so that hiding a generation requires replacing all records from it to the newest one.
pub async fn successor(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    generation: u64,
) -> Result<Successor, StoreError> {
    let mut invalid: Option<InvalidRecord> = None;
    for step in 1..=INVALID_IN_A_ROW_MAX {
        let later = generation.saturating_add(step);
        match record_state(store, keys, channel, later).await? {
            RecordState::Recorded => return Ok(Successor::Recorded(later)),
            RecordState::Missing(_) => break,
            RecordState::Invalid(reason) => {
                let first = || InvalidRecord {
                    generation: later,
                    last: later,
                    reason,
                };
                invalid.get_or_insert_with(first).last = later;
            }
        }
    }
    Ok(invalid.map_or(Successor::Missing, Successor::Invalid))
}

/// The state of one generation's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// A trusted key has recorded this generation.
    Recorded,
    /// There is no record; with the store's error. Stores give the same answer for objects that are not readable.
    Missing(String),
    /// The object in its place is not signed by a trusted key; with the reason.
    Invalid(String),
}

/// Reads the record of `generation`. An invalid object is not an error, because it must not prevent a host from starting.
pub async fn record_state(
    store: &dyn ArtifactStore,
    keys: &PublicKeys,
    channel: &ChannelName,
    generation: u64,
) -> Result<RecordState, StoreError> {
    let name = name(channel, generation);
    let bytes = match store.get(name).await {
        Ok(bytes) => bytes,
        Err(error @ StoreError::Missing(_)) => return Ok(RecordState::Missing(error.to_string())),
        Err(error @ (StoreError::TooLarge { .. } | StoreError::NotPlain(_))) => {
            return Ok(RecordState::Invalid(error.to_string()));
        }
        Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => return Err(error),
    };
    let is_expected = GenerationRecord::open(&bytes, keys)
        .is_some_and(|record| record == GenerationRecord::new(channel.clone(), generation));
    Ok(if is_expected {
        RecordState::Recorded
    } else {
        RecordState::Invalid(format!(
            "`{name}` is not a record of generation {generation} signed by a trusted key"
        ))
    })
}

/// Whether a trusted key has recorded this generation.
async fn is_recorded(
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
    use crate::FolderArtifacts;
    use std::fs;

    /// The newest recorded generation, and invalid objects after it.
    async fn newest(
        store: &FolderArtifacts,
        key: &SecretKey,
        channel: &ChannelName,
        known: u64,
    ) -> (u64, Option<(u64, u64)>) {
        let keys = PublicKeys::of(key);
        let found = newest_record(store, &keys, channel, known).await.unwrap();
        let places = |invalid: InvalidRecord| (invalid.generation, invalid.last);
        (found.generation, found.invalid.map(places))
    }

    #[tokio::test]
    async fn the_newest_record_is_found_and_only_trusted_ones_count() {
        let folder = std::env::temp_dir().join(format!("tenon-records-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let store = FolderArtifacts::new(&folder);
        let (key, stranger) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        let (items, orders) = ("items".parse().unwrap(), "orders".parse().unwrap());
        for count in 1..=21 {
            record_generation(&store, &key, &items, count)
                .await
                .unwrap();
            for known in 0..=count {
                let newest = newest(&store, &key, &items, known).await;
                assert_eq!(newest, (count, None), "from {known}");
            }
        }
        assert_eq!(newest(&store, &key, &orders, 0).await, (0, None));
        record_generation(&store, &stranger, &items, 22)
            .await
            .unwrap();
        assert_eq!(newest(&store, &key, &items, 9).await, (21, Some((22, 22))));
        // The record of another generation, under this one's name.
        let from = folder.join(name(&items, 21).to_string());
        fs::copy(from, folder.join(name(&items, 22).to_string())).unwrap();
        assert_eq!(newest(&store, &key, &items, 9).await, (21, Some((22, 22))));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A folder, a link and a pipe are invalid records, like any other unsigned content.
    #[tokio::test]
    async fn what_is_no_plain_file_is_no_record() {
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
        assert_eq!(newest(&store, &key, &items, 0).await, (1, Some((2, 2))));
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink(&genuine, &path).unwrap();
        assert_eq!(newest(&store, &key, &items, 0).await, (1, Some((2, 2))));
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert_eq!(newest(&store, &key, &items, 0).await, (1, Some((2, 2))));
        let state = record_state(&store, &keys, &items, 2).await.unwrap();
        let RecordState::Invalid(reason) = state else {
            panic!("{state:?}");
        };
        assert!(reason.contains("is not a plain file"), "{reason}");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Replaced records are skipped, and never replaced again.
    #[tokio::test]
    async fn a_replaced_record_does_not_hide_those_after_it() {
        let folder = std::env::temp_dir().join(format!("tenon-replaced-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let store = FolderArtifacts::new(&folder);
        let key = SecretKey::new(&[1; 32]);
        let items: ChannelName = "items".parse().unwrap();
        for generation in 1..=12 {
            record_generation(&store, &key, &items, generation)
                .await
                .unwrap();
        }
        let garble = |generation| {
            let path = folder.join(name(&items, generation).to_string());
            fs::write(path, "{}").unwrap();
        };
        for generation in [2, 3, 7, 11] {
            garble(generation);
        }
        for known in 0..=12 {
            let newest = newest(&store, &key, &items, known).await;
            assert_eq!(newest, (12, None), "from {known}");
        }
        garble(12);
        let error = record_generation(&store, &key, &items, 12).await;
        assert!(matches!(error, Err(RecordError::Taken(_))), "{error:?}");
        assert_eq!(newest(&store, &key, &items, 1).await, (10, Some((11, 12))));
        // A row of any length costs a bounded number of reads.
        for generation in 1..=12 {
            garble(generation);
        }
        assert_eq!(newest(&store, &key, &items, 0).await, (0, Some((1, 8))));
        fs::remove_dir_all(&folder).unwrap();
    }
}
