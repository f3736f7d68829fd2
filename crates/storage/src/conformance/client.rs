//! A concise client for the cases.

use crate::{
    Call, Consistency, CursorKey, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation,
    Page, Precondition, PutOptions, PutOutcome, QueryOptions, Revision, SortRange, Storage,
    StorageError, StorageExt as _, Tenant, TransactOutcome,
};
use contract::seed::Seed;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The time of the cases: 2026-01-01T00:00:00Z.
pub(super) const NOW_SECONDS: u64 = 1_767_225_600;
/// How long an index may lag.
const LAG_MAX: Duration = Duration::from_secs(5);

/// A new store.
#[derive(Clone)]
pub struct World {
    store: Arc<dyn Storage>,
}

impl World {
    pub(super) fn new(store: Arc<dyn Storage>) -> Self {
        Self { store }
    }

    /// The guest that most cases use.
    pub(super) fn client(&self) -> Client {
        self.client_of("guest")
    }

    pub(super) fn client_of(&self, namespace: &str) -> Client {
        let tenant = Tenant::new(
            self.store.clone(),
            namespace.parse().unwrap(),
            CursorKey::new([1; 32]),
        );
        Client {
            storage: Arc::new(tenant),
            now_ms: NOW_SECONDS * 1000,
        }
    }
}

/// A guest at a certain time. Each call is a request of its own.
#[derive(Clone)]
pub struct Client {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) now_ms: u64,
}

pub(super) fn key(partition: &str, sort: &str) -> Key {
    Key {
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    }
}

pub(super) fn doc(text: &str) -> Document {
    Document::parse(text).unwrap()
}

pub(super) fn put_options() -> PutOptions {
    PutOptions {
        precondition: Precondition::None,
        index: None,
        expires_at: None,
    }
}

pub(super) fn only_if(precondition: Precondition) -> PutOptions {
    PutOptions {
        precondition,
        ..put_options()
    }
}

pub(super) fn query_options() -> QueryOptions {
    QueryOptions {
        range: SortRange::All,
        direction: Direction::Ascending,
        limit: 1000,
        cursor: None,
    }
}

pub(super) fn in_range(range: SortRange) -> QueryOptions {
    QueryOptions {
        range,
        ..query_options()
    }
}

pub(super) fn put_operation(key: &Key, text: &str, precondition: Precondition) -> Operation {
    Operation::Put {
        key: key.clone(),
        document: doc(text),
        options: only_if(precondition),
    }
}

pub(super) fn assert_invalid<T: std::fmt::Debug>(result: Result<T, StorageError>, part: &str) {
    match result {
        Err(StorageError::Invalid(text)) => {
            assert!(text.contains(part), "`{text}` does not contain `{part}`")
        }
        other => panic!("not invalid ({part}): {other:?}"),
    }
}

pub(super) fn assert_too_large<T: std::fmt::Debug>(result: Result<T, StorageError>, part: &str) {
    match result {
        Err(StorageError::TooLarge(text)) => {
            assert!(text.contains(part), "`{text}` does not contain `{part}`")
        }
        other => panic!("not too large ({part}): {other:?}"),
    }
}

impl Client {
    pub(super) fn after_seconds(&self, seconds: u64) -> Self {
        Self {
            storage: self.storage.clone(),
            now_ms: self.now_ms + seconds * 1000,
        }
    }

    fn call(&self) -> Call {
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&REQUESTS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Call::new(self.now_ms, &Seed::new(seed), None)
    }

    pub(super) async fn get(&self, key: &Key) -> Option<Item> {
        self.storage
            .get(&self.call(), key, Consistency::Strong)
            .await
            .unwrap()
    }

    pub(super) async fn text(&self, key: &Key) -> Option<String> {
        self.get(key)
            .await
            .map(|item| item.document.as_str().to_owned())
    }

    pub(super) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.storage
            .get_many(&self.call(), keys, Consistency::Strong)
            .await
    }

    pub(super) async fn try_put(
        &self,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> Result<PutOutcome, StorageError> {
        self.storage.put(&self.call(), key, document, options).await
    }

    pub(super) async fn put_if(
        &self,
        key: &Key,
        text: &str,
        precondition: Precondition,
    ) -> PutOutcome {
        self.try_put(key, &doc(text), &only_if(precondition))
            .await
            .unwrap()
    }

    pub(super) async fn put_with(&self, key: &Key, text: &str, options: &PutOptions) -> Revision {
        match self.try_put(key, &doc(text), options).await.unwrap() {
            PutOutcome::Done(revision) => revision,
            PutOutcome::PreconditionFailed(item) => panic!("the put of {key:?} lost to {item:?}"),
        }
    }

    pub(super) async fn put(&self, key: &Key, text: &str) -> Revision {
        self.put_with(key, text, &put_options()).await
    }

    pub(super) async fn put_indexed(&self, key: &Key, index: Key) {
        self.put_with(
            key,
            "{}",
            &PutOptions {
                index: Some(index),
                ..put_options()
            },
        )
        .await;
    }

    pub(super) async fn put_expiring(&self, key: &Key, text: &str, expires_at: u64) {
        self.put_with(
            key,
            text,
            &PutOptions {
                expires_at: Some(expires_at),
                ..put_options()
            },
        )
        .await;
    }

    pub(super) async fn try_delete(
        &self,
        key: &Key,
        precondition: Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        self.storage.delete(&self.call(), key, &precondition).await
    }

    pub(super) async fn delete(&self, key: &Key) {
        assert_eq!(
            self.try_delete(key, Precondition::None).await,
            Ok(DeleteOutcome::Done)
        );
    }

    pub(super) async fn try_query(
        &self,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        self.storage
            .query(&self.call(), partition, Consistency::Strong, options)
            .await
    }

    pub(super) async fn try_query_index(
        &self,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        self.storage
            .query_index(&self.call(), partition, options)
            .await
    }

    /// Follows cursors to the end.
    pub(super) async fn query(&self, partition: &str, options: &QueryOptions) -> Vec<Entry> {
        let mut options = options.clone();
        let mut entries = Vec::new();
        loop {
            let page = self.try_query(partition, &options).await.unwrap();
            assert!(page.entries.len() <= options.limit as usize);
            entries.extend(page.entries);
            match page.cursor {
                Some(cursor) => options.cursor = Some(cursor),
                None => return entries,
            }
        }
    }

    pub(super) async fn sorts(&self, partition: &str, options: &QueryOptions) -> Vec<String> {
        self.query(partition, options)
            .await
            .into_iter()
            .map(|entry| entry.key.sort)
            .collect()
    }

    pub(super) async fn query_index(&self, partition: &str, options: &QueryOptions) -> Vec<Entry> {
        let mut options = options.clone();
        let mut entries = Vec::new();
        loop {
            let page = self.try_query_index(partition, &options).await.unwrap();
            assert!(page.entries.len() <= options.limit as usize);
            entries.extend(page.entries);
            match page.cursor {
                Some(cursor) => options.cursor = Some(cursor),
                None => return entries,
            }
        }
    }

    /// Waits until the index shows these primary keys, in this order.
    pub(super) async fn expect_index(
        &self,
        partition: &str,
        options: &QueryOptions,
        expected: &[(&str, &str)],
    ) {
        let expected: Vec<Key> = expected
            .iter()
            .map(|(partition, sort)| key(partition, sort))
            .collect();
        let started = std::time::Instant::now();
        loop {
            let found: Vec<Key> = self
                .query_index(partition, options)
                .await
                .into_iter()
                .map(|entry| entry.key)
                .collect();
            if found == expected {
                return;
            }
            assert!(
                started.elapsed() < LAG_MAX,
                "the index shows {found:?} instead of {expected:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn try_transact(
        &self,
        operations: &[Operation],
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        self.storage.transact(&self.call(), operations, token).await
    }

    pub(super) async fn transact(
        &self,
        operations: &[Operation],
        token: Option<&str>,
    ) -> TransactOutcome {
        self.try_transact(operations, token).await.unwrap()
    }
}
