//! Channels in a local folder: `channels/NAME.json`, and earlier documents in `channels/NAME/GENERATION.json`.

use super::{ChannelStore, FlipError};
use crate::{
    channel::ChannelName,
    folder::{Access, Folder, StoreError},
};
use contract::limits::CHANNEL_BYTES_MAX;
use serde::Deserialize;
use std::path::Path;

/// A folder of channels, which may also be the folder of artifacts.
#[derive(Clone, Debug)]
pub struct FolderChannels(Folder);

impl FolderChannels {
    /// The folder is created by the first write.
    pub fn new(path: &Path) -> Self {
        Self(Folder::new(path))
    }

    fn read_text(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self.0.read(name, CHANNEL_BYTES_MAX) {
            Ok(bytes) => String::from_utf8(bytes)
                .map(Some)
                .map_err(|_| StoreError::Refused(format!("`{name}` is not text"))),
            Err(StoreError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn present(channel: &ChannelName) -> String {
    format!("channels/{channel}.json")
}

/// Generations have 20 digits, so that names are ordered.
fn past(channel: &ChannelName, generation: u64) -> String {
    format!("channels/{channel}/{generation:020}.json")
}

/// The generation that an unverified document claims, which is enough to tell whether it is the one to be replaced. 0 if it has none.
#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`"
)]
fn claimed_generation(document: &str) -> u64 {
    #[derive(Deserialize)]
    struct Document {
        payload: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        generation: u64,
    }
    serde_json::from_str::<Document>(document).map_or(0, |document| document.payload.generation)
}

#[async_trait::async_trait]
impl ChannelStore for FolderChannels {
    async fn read(&self, channel: &ChannelName) -> Result<Option<String>, StoreError> {
        self.read_text(&present(channel))
    }

    async fn flip(
        &self,
        channel: &ChannelName,
        expected: u64,
        _generation: u64,
        document: &str,
    ) -> Result<(), FlipError> {
        let _lock = self.0.lock(&format!("channels/{channel}.lock")).await?;
        let replaced = self.read_text(&present(channel))?;
        if replaced.as_deref().map_or(0, claimed_generation) != expected {
            return Err(FlipError::Lost { expected });
        }
        if let Some(replaced) = replaced {
            self.0
                .write(&past(channel, expected), replaced.as_bytes(), Access::Owner)?;
        }
        // A document contains the environment of its guests, which may contain secrets.
        let present = present(channel);
        Ok(self.0.write(&present, document.as_bytes(), Access::Owner)?)
    }

    async fn history(
        &self,
        channel: &ChannelName,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        let present = self.read_text(&present(channel))?;
        let generation = present.as_deref().map_or(0, claimed_generation);
        let mut documents: Vec<String> = present.into_iter().collect();
        let folder = format!("channels/{channel}");
        let before = self.0.list(&folder).or_else(|error| match error {
            StoreError::Missing(_) => Ok(Vec::new()),
            error => Err(error),
        })?;
        // A change that was interrupted between the two writes left the current document among the earlier ones.
        let is_past = |name: &&String| **name < format!("{generation:020}.json");
        for name in before
            .iter()
            .filter(|name| name.ends_with(".json"))
            .filter(is_past)
            .rev()
        {
            if documents.len() >= count {
                break;
            }
            documents.extend(self.read_text(&format!("{folder}/{name}"))?);
        }
        documents.truncate(count);
        Ok(documents)
    }

    async fn names(&self) -> Result<Vec<ChannelName>, StoreError> {
        let files = self.0.list("channels").or_else(|error| match error {
            StoreError::Missing(_) => Ok(Vec::new()),
            error => Err(error),
        })?;
        let names = files.iter().filter_map(|file| file.strip_suffix(".json"));
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    fn describe(&self) -> String {
        format!("file://{}/channels", self.0.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, sync::Arc};

    fn store(name: &str) -> FolderChannels {
        let path =
            std::env::temp_dir().join(format!("tenon-channels-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        FolderChannels::new(&path)
    }

    fn document(generation: u64, by: &str) -> String {
        format!(r#"{{"payload":{{"generation":{generation},"by":"{by}"}}}}"#)
    }

    #[tokio::test]
    async fn a_flip_replaces_what_was_expected_and_keeps_it_in_the_history() {
        let store = store("flip");
        let name = "items".parse().unwrap();
        assert_eq!(store.read(&name).await, Ok(None));
        assert_eq!(store.history(&name, 9).await, Ok(Vec::new()));
        for generation in 1..=3 {
            let document = document(generation, "a");
            store
                .flip(&name, generation - 1, generation, &document)
                .await
                .unwrap();
        }
        let late = store.flip(&name, 1, 2, &document(2, "late")).await;
        assert_eq!(late, Err(FlipError::Lost { expected: 1 }));
        assert_eq!(
            store.history(&name, 2).await.unwrap(),
            [document(3, "a"), document(2, "a")]
        );
        assert_eq!(store.history(&name, 9).await.unwrap().len(), 3);
        fs::remove_dir_all(store.0.path()).unwrap();
    }

    #[tokio::test]
    async fn channels_are_listed_without_their_locks_and_history() {
        let store = store("names");
        assert_eq!(store.names().await, Ok(Vec::new()));
        for name in ["shop", "items"] {
            let name = name.parse().unwrap();
            for generation in 1..=2 {
                let document = document(generation, "a");
                store
                    .flip(&name, generation - 1, generation, &document)
                    .await
                    .unwrap();
            }
        }
        let names = store.names().await.unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["items", "shop"]);
        fs::remove_dir_all(store.0.path()).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_many_at_once_one_wins() {
        let store = Arc::new(store("race"));
        let name: ChannelName = "items".parse().unwrap();
        store
            .flip(&name, 0, 1, &document(1, "first"))
            .await
            .unwrap();
        let racers: Vec<_> = (0..16)
            .map(|racer| {
                let (store, name) = (store.clone(), name.clone());
                tokio::spawn(async move {
                    let document = document(2, &format!("racer-{racer}"));
                    store.flip(&name, 1, 2, &document).await
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert_eq!(error, FlipError::Lost { expected: 1 }),
            }
        }
        assert_eq!(won, 1);
        fs::remove_dir_all(store.0.path()).unwrap();
    }

    /// The earlier document is written first, so that an interruption in between has changed nothing.
    #[tokio::test]
    async fn a_flip_that_died_half_way_changed_nothing() {
        let store = store("died");
        let name = "items".parse().unwrap();
        store.flip(&name, 0, 1, &document(1, "a")).await.unwrap();
        store
            .0
            .write(&past(&name, 1), document(1, "a").as_bytes(), Access::Owner)
            .unwrap();
        fs::write(store.0.path().join("channels/items.new-1-1"), "half").unwrap();
        assert_eq!(store.read(&name).await, Ok(Some(document(1, "a"))));
        assert_eq!(store.history(&name, 9).await.unwrap(), [document(1, "a")]);
        store.flip(&name, 1, 2, &document(2, "b")).await.unwrap();
        fs::remove_dir_all(store.0.path()).unwrap();
    }
}
