//! What a tape reveals is enough to repeat what was recorded, and it is reported if it is not.

use super::{
    overlay::{OnMiss, Overlay},
    recorded_state::RecordedState,
    view::View,
    writes::recorded_writes,
};
use crate::{local_view, replay_cursor_key};
use contract::seed::Seed;
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::sync::Arc;
use storage::{
    Call, Consistency, Direction, Document, Key, MemoryStorage, Operation, Precondition,
    PutOptions, PutOutcome, QueryOptions, Revision, SortRange, Storage, StorageError,
    StorageExt as _, StorageFunction, Tenant,
};
use tape::{Exchange, RecordOptions, RecordingStorage, TapePolicy};

const NOW_MS: u64 = 1_700_000_000_000;

fn call() -> Call {
    Call::new(NOW_MS, &Seed::new([7; 32]), None)
}

fn recording(inner: Arc<dyn Storage>) -> RecordingStorage {
    RecordingStorage::new(inner, Arc::new(RecordOptions::new(TapePolicy::ALL)))
}

fn line(recording: &RecordingStorage) -> Vec<u8> {
    let calls = String::from_utf8(recording.written()).unwrap();
    let zeros = "0".repeat(64);
    format!(
        r#"{{"tenon_tape":1,"id":"x","received_at_ms":{NOW_MS},"guest":"{zeros}","seed":null,"event":{{}},"calls":[{calls}],"response":null}}"#
    )
    .into_bytes()
}

fn overlay(
    exchange: &Exchange<'_>,
    on_miss: OnMiss,
    live: Option<Arc<dyn Storage>>,
) -> (Arc<Overlay>, Tenant) {
    let recorded_state = RecordedState::of(exchange).unwrap();
    let overlay = Arc::new(Overlay::new(
        recorded_state,
        on_miss,
        live,
        View::of(exchange),
    ));
    let storage: Arc<dyn Storage> = overlay.clone();
    (overlay, Tenant::rules_only(storage))
}

/// Chooses the next call, reproducibly for a number.
struct Script(ChaCha12Rng);

impl Script {
    fn new(number: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(number))
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    fn key(&mut self) -> Key {
        Key {
            partition: format!("p{}", self.below(2)),
            sort: format!("s{}", self.below(6)),
        }
    }

    fn document(&mut self) -> Document {
        Document::parse(&format!(r#"{{"n":{}}}"#, self.below(100))).unwrap()
    }

    fn precondition(&mut self) -> Precondition {
        match self.below(5) {
            0 => Precondition::Absent,
            1 => Precondition::Present,
            2 => Precondition::Revision(Revision::from("unknown".to_owned())),
            _ => Precondition::None,
        }
    }

    fn put_options(&mut self) -> PutOptions {
        PutOptions {
            precondition: self.precondition(),
            index: (self.below(2) == 0).then(|| Key {
                partition: format!("i{}", self.below(2)),
                sort: format!("t{}", self.below(3)),
            }),
            expires_at: None,
        }
    }

    fn query(&mut self, cursors: &[String]) -> QueryOptions {
        let bound = format!("s{}", self.below(6));
        let range = match self.below(4) {
            0 => SortRange::AtLeast(bound),
            1 => SortRange::Prefix("s".to_owned()),
            _ => SortRange::All,
        };
        let cursor = (self.below(3) == 0)
            .then(|| cursors.last().cloned())
            .flatten();
        QueryOptions {
            range,
            direction: if self.below(2) == 0 {
                Direction::Ascending
            } else {
                Direction::Descending
            },
            limit: 1 + self.below(4),
            cursor,
        }
    }

    /// Calls the store `count` times; returns the results as text.
    async fn play(&mut self, store: &dyn Storage, count: usize) -> Vec<String> {
        let call = call();
        let mut answers = Vec::new();
        let mut cursors = Vec::new();
        for _ in 0..count {
            let answer = match self.below(8) {
                0 | 1 => format!(
                    "{:?}",
                    store.get(&call, &self.key(), Consistency::Strong).await
                ),
                2 => {
                    let keys = [self.key(), self.key()];
                    format!(
                        "{:?}",
                        store.get_many(&call, &keys, Consistency::Strong).await
                    )
                }
                3 => {
                    let (key, document, options) =
                        (self.key(), self.document(), self.put_options());
                    format!("{:?}", store.put(&call, &key, &document, &options).await)
                }
                4 => {
                    let (key, precondition) = (self.key(), self.precondition());
                    format!("{:?}", store.delete(&call, &key, &precondition).await)
                }
                5 => {
                    let operations = [
                        Operation::Put {
                            key: self.key(),
                            document: self.document(),
                            options: self.put_options(),
                        },
                        Operation::Delete {
                            key: self.key(),
                            precondition: self.precondition(),
                        },
                    ];
                    format!("{:?}", store.transact(&call, &operations, None).await)
                }
                other => {
                    let options = self.query(&cursors);
                    let partition = format!("p{}", self.below(2));
                    let page = if other == 6 {
                        store
                            .query(&call, &partition, Consistency::Strong, &options)
                            .await
                    } else {
                        let index = partition.replace('p', "i");
                        store.query_index(&call, &index, &options).await
                    };
                    if let Ok(page) = &page {
                        cursors.extend(page.cursor.clone());
                    }
                    format!("{page:?}")
                }
            };
            answers.push(answer);
        }
        answers
    }
}

#[tokio::test]
async fn a_tape_knows_enough_to_repeat_what_was_recorded() {
    for number in 0..150 {
        let store = local_view(Arc::new(MemoryStorage::new()), replay_cursor_key());
        // The initial contents, which the tape must reveal.
        Script::new(number + 10_000).play(&*store, 15).await;
        let recording = recording(store);
        let recorded = Script::new(number).play(&recording, 12).await;
        let line = line(&recording);
        let exchange = Exchange::read(&line).unwrap();
        let (overlay, view) = overlay(&exchange, OnMiss::Fail, None);
        let replayed = Script::new(number).play(&view, 12).await;
        assert_eq!(recorded, replayed, "script {number}");
        let write_log = overlay.take();
        assert_eq!(write_log.misses, [""; 0], "script {number}");
        let view = View::of(&exchange);
        let recorded = recorded_writes(&exchange).unwrap().to_value(&view);
        assert_eq!(
            recorded,
            write_log.writes.to_value(&view),
            "script {number}"
        );
    }
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p".to_owned(),
        sort: sort.to_owned(),
    }
}

async fn put(
    store: &dyn Storage,
    sort: &str,
    precondition: Precondition,
) -> Result<PutOutcome, StorageError> {
    let options = PutOptions {
        precondition,
        index: None,
        expires_at: None,
    };
    store
        .put(
            &call(),
            &key(sort),
            &Document::parse("{}").unwrap(),
            &options,
        )
        .await
}

fn all(limit: u32) -> QueryOptions {
    QueryOptions {
        range: SortRange::All,
        direction: Direction::Ascending,
        limit,
        cursor: None,
    }
}

#[tokio::test]
async fn what_the_tape_does_not_know_follows_the_policy() {
    let store = local_view(Arc::new(MemoryStorage::new()), replay_cursor_key());
    for sort in ["a", "b", "c"] {
        put(&*store, sort, Precondition::None).await.unwrap();
    }
    let recording = recording(store.clone());
    recording
        .query(&call(), "p", Consistency::Strong, &all(2))
        .await
        .unwrap();
    let line = line(&recording);
    let exchange = Exchange::read(&line).unwrap();

    let (overlay_fail, view) = overlay(&exchange, OnMiss::Fail, None);
    let known = view
        .get(&call(), &key("b"), Consistency::Strong)
        .await
        .unwrap();
    assert!(known.is_some(), "the page showed it");
    let between = view
        .get(&call(), &key("aa"), Consistency::Strong)
        .await
        .unwrap();
    assert_eq!(between, None, "the page would have shown it");
    assert_eq!(overlay_fail.take().misses, [""; 0]);
    let beyond = view.get(&call(), &key("c"), Consistency::Strong).await;
    assert_eq!(beyond, Err(StorageError::Unavailable));
    let longer = view.query(&call(), "p", Consistency::Strong, &all(3)).await;
    assert_eq!(longer, Err(StorageError::Unavailable));
    assert_eq!(overlay_fail.take().misses.len(), 2);
    let shorter = view
        .query(&call(), "p", Consistency::Strong, &all(1))
        .await
        .unwrap();
    assert_eq!(shorter.entries.len(), 1);
    let cursor = shorter.cursor.unwrap();
    let rest = QueryOptions {
        cursor: Some(cursor),
        ..all(1)
    };
    let rest = view
        .query(&call(), "p", Consistency::Strong, &rest)
        .await
        .unwrap();
    assert_eq!(rest.entries[0].key, key("b"));

    let (_, view) = overlay(&exchange, OnMiss::Absent, None);
    assert_eq!(
        view.get(&call(), &key("c"), Consistency::Strong).await,
        Ok(None)
    );
    let longer = view
        .query(&call(), "p", Consistency::Strong, &all(3))
        .await
        .unwrap();
    assert_eq!((longer.entries.len(), longer.cursor), (2, None));

    let (_, view) = overlay(&exchange, OnMiss::Live, Some(store.clone()));
    assert!(
        view.get(&call(), &key("c"), Consistency::Strong)
            .await
            .unwrap()
            .is_some()
    );
    put(&view, "new", Precondition::Absent).await.unwrap();
    let new = store
        .get(&call(), &key("new"), Consistency::Strong)
        .await
        .unwrap();
    assert_eq!(new, None, "nothing is written to the other store");
}

#[tokio::test]
async fn a_recorded_failure_fails_again_once() {
    let zeros = "0".repeat(64);
    let line = format!(
        r#"{{"tenon_tape":1,"id":"x","received_at_ms":0,"guest":"{zeros}","seed":null,"event":{{}},"calls":[
        {{"call":"get","arguments":{{"key":{{"partition":"p","sort":"a"}},"consistency":"strong"}},"result":{{"error":"throttled","retry_after_ms":5}}}},
        {{"call":"get","arguments":{{"key":{{"partition":"p","sort":"a"}},"consistency":"strong"}},"result":{{"ok":null}}}}
        ],"response":null}}"#
    );
    let exchange = Exchange::read(line.as_bytes()).unwrap();
    let (_, view) = overlay(&exchange, OnMiss::Fail, None);
    let get = || async { view.get(&call(), &key("a"), Consistency::Eventual).await };
    assert_eq!(
        get().await,
        Err(StorageError::Throttled {
            retry_after_ms: Some(5)
        })
    );
    assert_eq!(get().await, Ok(None));
}

#[tokio::test]
async fn a_further_write_does_not_change_the_revisions_of_others() {
    let recording = recording(local_view(
        Arc::new(MemoryStorage::new()),
        replay_cursor_key(),
    ));
    let recorded = put(&recording, "a", Precondition::Absent).await.unwrap();
    let line = line(&recording);
    let exchange = Exchange::read(&line).unwrap();
    let (_, view) = overlay(&exchange, OnMiss::Fail, None);
    let call = call();
    let options = PutOptions {
        precondition: Precondition::None,
        index: None,
        expires_at: None,
    };
    let document = Document::parse("{}").unwrap();
    view.put(&call, &key("first"), &document, &options)
        .await
        .unwrap();
    let options = PutOptions {
        precondition: Precondition::Absent,
        ..options
    };
    assert_eq!(
        view.put(&call, &key("a"), &document, &options)
            .await
            .unwrap(),
        recorded
    );
}

/// Where a function that writes is not followed, a replay does not know what it stored.
#[test]
fn replays_follow_every_function_that_writes() {
    let is_followed = |function| match function {
        StorageFunction::Put | StorageFunction::Delete | StorageFunction::Transact => true,
        StorageFunction::Get
        | StorageFunction::GetMany
        | StorageFunction::Query
        | StorageFunction::QueryIndex => false,
    };
    for function in [
        StorageFunction::Get,
        StorageFunction::GetMany,
        StorageFunction::Put,
        StorageFunction::Delete,
        StorageFunction::Query,
        StorageFunction::QueryIndex,
        StorageFunction::Transact,
    ] {
        assert_eq!(is_followed(function), function.writes(), "{function}");
    }
}
