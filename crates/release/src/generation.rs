//! Records of the generations that were signed, beside the artifacts.
//!
//! The document of a channel and the records lie in different stores: the table and the bucket. Whoever can write only to the table can put
//! an old document back there, and cannot take away the record that a newer generation exists. Records have consecutive numbers, so that one
//! read finds out whether a generation has a successor, and nobody needs the permission to list. Records are never replaced: what lies in the
//! place of one and is none was put there by somebody else.

use super::{
    artifact::ArtifactName,
    artifact_store::{ArtifactStore, Put},
    channel::ChannelName,
    folder::StoreError,
    record::GenerationRecord,
    signature::{PublicKeys, SecretKey},
};
use contract::digest::Digest;

/// Records in a row that may be invalid before a search ends at them. A search costs one read for each, so that whoever can write to the
/// store does not make it long.
const INVALID_IN_A_ROW_MAX: u64 = 8;

/// Why a generation was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The document cannot be written.
    #[error("failed to write the record: {0}")]
    Document(#[from] serde_json::Error),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else lies there, and records are not replaced.
    #[error("{0}; records are never replaced: find out who wrote it")]
    Taken(String),
}

/// Records that `generation` of `channel` was signed. Recording it again changes nothing, and so does whatever else lies in its place.
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
        // Written by an attempt whose answer was lost, or by somebody else meanwhile.
        state = look().await?;
    }
    match state {
        RecordState::Recorded => Ok(()),
        RecordState::Missing(reason) | RecordState::Invalid(reason) => {
            Err(RecordError::Taken(reason))
        }
    }
}

/// What the records say of the generations after one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestRecord {
    /// The newest generation that a trusted key has recorded; the one that was asked for where none is newer.
    pub generation: u64,
    /// What lies after it and is no record.
    pub invalid: Option<InvalidRecord>,
}

/// Something in the place of a record that is none. It may have replaced a record, so that nobody knows whether its generation was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRecord {
    /// The generation whose record belongs there.
    pub generation: u64,
    /// The last of such generations in a row.
    pub last: u64,
    /// What is there.
    pub reason: String,
}

/// What the records say of the generations after `known`.
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

/// What follows a generation.
#[derive(Debug)]
pub enum Successor {
    /// Nothing.
    Missing,
    /// This later one, which a trusted key has recorded.
    Recorded(u64),
    /// Something that is no record, and no record after it.
    Invalid(InvalidRecord),
}

/// What follows `generation`. Looks past what is invalid: to hide a generation, all records from it to the newest one would have to be replaced.
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

/// What is known of one generation's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// A trusted key has recorded this very generation.
    Recorded,
    /// There is no record; with the store's words. Stores answer for what may not be read as for what is not there.
    Missing(String),
    /// What lies in its place is none that a trusted key vouches for; with the reason.
    Invalid(String),
}

/// Reads the record of `generation`. Whatever lies in its place is no error: it must not keep a host from starting.
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
            "`{name}` is no record of generation {generation} that a trusted key signed"
        ))
    })
}

/// Whether a trusted key has recorded this very generation.
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

    /// The newest generation that is recorded, and where what is no record lies after it.
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
        // A record of another generation, under this one's name.
        let from = folder.join(name(&items, 21).to_string());
        fs::copy(from, folder.join(name(&items, 22).to_string())).unwrap();
        assert_eq!(newest(&store, &key, &items, 9).await, (21, Some((22, 22))));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A folder, a link and a pipe are no records, like anything else that nobody signed.
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

    /// Replaced records are looked past, and never replaced again.
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
