//! A store in memory, for tests, replays and experiments. Its contents are lost when the process ends.

use super::{
    Call, Contents, DeleteOutcome, Document, Entry, FoundText, Item, Key, Namespace, Operation,
    Page, Part, PartBuilder, Position, Precondition, PutOptions, PutOutcome, QueryOptions,
    Revision, Snapshot, Storage, StorageError, StorageRequest, StorageResponse, TransactOutcome,
    page::{IndexPosition, Order, PageBuilder, Span, entry},
    transaction::{self, Remembered, digest, first_failure, holds},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Included, Unbounded},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// How long an expired item may remain, so that requests whose clocks differ slightly see the same.
pub const EXPIRED_KEPT_SECONDS: u64 = 3600;
/// Largest number of expired items and tokens that one write removes; more than it adds, so that they cannot accumulate.
pub const SWEPT_MAX: usize = 4;

/// Items in ordered maps behind one lock.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    partitions: HashMap<String, BTreeMap<String, Item>>,
    indexes: HashMap<String, BTreeSet<IndexPosition>>,
    expiries: BTreeSet<(u64, Key)>,
    tokens: HashMap<String, Remembered>,
    token_ages: BTreeSet<(u64, String)>,
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    // A panic while the lock is held cannot leave a state that is worse than losing the store.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn item(&self, key: &Key) -> Option<&Item> {
        self.partitions.get(&key.partition)?.get(&key.sort)
    }

    /// The item, if it has not expired.
    fn live(&self, call: &Call, key: &Key) -> Option<&Item> {
        self.item(key)
            .filter(|item| !call.is_expired(item.expires_at))
    }

    fn insert(&mut self, key: &Key, item: Item) {
        let index = item.index.clone();
        let expires_at = item.expires_at;
        let partition = match self.partitions.get_mut(&key.partition) {
            Some(partition) => partition,
            None => self.partitions.entry(key.partition.clone()).or_default(),
        };
        let replaced = partition.insert(key.sort.clone(), item);
        self.unlink(key, replaced);
        if let Some(index) = index {
            let position = (index.sort, key.partition.clone(), key.sort.clone());
            self.indexes
                .entry(index.partition)
                .or_default()
                .insert(position);
        }
        if let Some(expires_at) = expires_at {
            self.expiries.insert((expires_at, key.clone()));
        }
    }

    fn remove(&mut self, key: &Key) {
        let Some(partition) = self.partitions.get_mut(&key.partition) else {
            return;
        };
        let removed = partition.remove(&key.sort);
        if partition.is_empty() {
            self.partitions.remove(&key.partition);
        }
        self.unlink(key, removed);
    }

    /// Removes the index entries of an item that no longer exists.
    fn unlink(&mut self, key: &Key, item: Option<Item>) {
        let Some(Item {
            index, expires_at, ..
        }) = item
        else {
            return;
        };
        if let Some(index) = index
            && let Some(positions) = self.indexes.get_mut(&index.partition)
        {
            positions.remove(&(index.sort, key.partition.clone(), key.sort.clone()));
            if positions.is_empty() {
                self.indexes.remove(&index.partition);
            }
        }
        if let Some(expires_at) = expires_at {
            self.expiries.remove(&(expires_at, key.clone()));
        }
    }

    /// Removes a few items and tokens that are no longer visible.
    fn sweep(&mut self, call: &Call) {
        for _ in 0..SWEPT_MAX {
            match self.expiries.first() {
                Some((expires_at, _))
                    if call.is_expired(Some(expires_at.saturating_add(EXPIRED_KEPT_SECONDS))) =>
                {
                    if let Some((_, key)) = self.expiries.pop_first() {
                        self.remove(&key);
                    }
                }
                Some(_) | None => break,
            }
        }
        for _ in 0..SWEPT_MAX {
            match self.token_ages.first() {
                Some((done_at_ms, _)) if transaction::is_forgotten(*done_at_ms, call.now_ms) => {
                    if let Some((_, token)) = self.token_ages.pop_first() {
                        self.tokens.remove(&token);
                    }
                }
                Some(_) | None => break,
            }
        }
    }

    fn remember(&mut self, token: &str, remembered: Remembered) {
        self.token_ages
            .insert((remembered.done_at_ms, token.to_owned()));
        if let Some(forgotten) = self.tokens.insert(token.to_owned(), remembered) {
            self.token_ages
                .remove(&(forgotten.done_at_ms, token.to_owned()));
        }
    }

    fn apply(&mut self, operation: &Operation, revision: Option<&Revision>) {
        match (operation, revision) {
            (
                Operation::Put {
                    key,
                    document,
                    options,
                },
                Some(revision),
            ) => {
                self.insert(key, new_item(document, options, revision.clone()));
            }
            (Operation::Delete { key, .. }, _) => self.remove(key),
            (Operation::Put { .. }, None) | (Operation::Check { .. }, _) => {}
        }
    }
}

/// The item that a put creates.
pub fn new_item(document: &Document, options: &PutOptions, revision: Revision) -> Item {
    Item {
        document: document.clone(),
        revision,
        index: options.index.clone(),
        expires_at: options.expires_at,
    }
}

#[async_trait::async_trait]
impl Storage for MemoryStorage {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        use StorageRequest as Request;
        use StorageResponse as Response;
        Ok(match request {
            Request::Get { key, .. } => Response::Get(self.get(call, &key)),
            Request::GetMany { keys, .. } => Response::GetMany(self.get_many(call, &keys)?),
            Request::Put {
                key,
                document,
                options,
            } => Response::Put(self.put(call, &key, &document, &options)),
            Request::Delete { key, precondition } => {
                Response::Delete(self.delete(call, &key, &precondition))
            }
            Request::Query {
                partition, options, ..
            } => Response::Query(self.query(call, &partition, &options)),
            Request::QueryIndex { partition, options } => {
                Response::QueryIndex(self.query_index(call, &partition, &options)?)
            }
            Request::Transact { operations, token } => {
                Response::Transact(self.transact(call, &operations, token.as_deref())?)
            }
        })
    }
}

impl MemoryStorage {
    fn get(&self, call: &Call, key: &Key) -> Option<Item> {
        self.read().live(call, key).cloned()
    }

    fn get_many(&self, call: &Call, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let state = self.read();
        let mut text = FoundText::default();
        keys.iter()
            .map(|key| {
                let item = state.live(call, key);
                text.add(item)?;
                Ok(item.cloned())
            })
            .collect()
    }

    fn put(&self, call: &Call, key: &Key, document: &Document, options: &PutOptions) -> PutOutcome {
        let revision = call.next_revision();
        let mut state = self.write();
        let current = state.live(call, key);
        if !holds(&options.precondition, current) {
            return PutOutcome::PreconditionFailed(current.cloned());
        }
        state.insert(key, new_item(document, options, revision.clone()));
        state.sweep(call);
        PutOutcome::Done(revision)
    }

    fn delete(&self, call: &Call, key: &Key, precondition: &Precondition) -> DeleteOutcome {
        let mut state = self.write();
        let current = state.live(call, key);
        if !holds(precondition, current) {
            return DeleteOutcome::PreconditionFailed(current.cloned());
        }
        state.remove(key);
        state.sweep(call);
        DeleteOutcome::Done
    }

    fn query(&self, call: &Call, partition: &str, options: &QueryOptions) -> Page {
        let mut page = PageBuilder::new(call, Order::Primary, options.limit);
        let span = Span::of_query(options);
        let state = self.read();
        if let Some(items) = state.partitions.get(partition)
            && !span.is_empty()
        {
            let upper = span.upper.as_deref().map_or(Unbounded, Excluded);
            let items = items.range::<str, _>((Included(span.lower.as_str()), upper));
            let entries = items.map(|(sort, item)| entry(partition, sort, item.clone()));
            page.fill(options.direction, entries);
        }
        page.finish()
    }

    fn query_index(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let mut page = PageBuilder::new(call, Order::Secondary, options.limit);
        let span = Span::of_index_query(options)?;
        let state = self.read();
        if let Some(positions) = state.indexes.get(partition)
            && !span.is_empty()
        {
            let upper = span.upper.map_or(Unbounded, Excluded);
            let positions = positions.range((Included(span.lower), upper));
            let entries = positions.filter_map(|(_, partition, sort)| {
                let item = state.partitions.get(partition)?.get(sort)?;
                Some(entry(partition, sort, item.clone()))
            });
            page.fill(options.direction, entries);
        }
        Ok(page.finish())
    }

    fn transact(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        let revisions = transaction::revisions(call, operations);
        let token = token.map(|token| (token, digest(operations)));
        let mut state = self.write();
        if let Some((token, digest)) = &token
            && let Some(answer) = state
                .tokens
                .get(*token)
                .and_then(|before| before.answer(call.now_ms, digest))
        {
            return answer.map(TransactOutcome::Done);
        }
        let failure = first_failure(operations, |key| {
            Ok::<_, StorageError>(state.live(call, key).cloned())
        })?;
        if let Some((position, item)) = failure {
            return Ok(TransactOutcome::PreconditionFailed { position, item });
        }
        for (operation, revision) in operations.iter().zip(&revisions) {
            state.apply(operation, revision.as_ref());
        }
        if let Some((token, digest)) = token {
            let remembered = Remembered {
                done_at_ms: call.now_ms,
                digest,
                revisions: revisions.clone(),
            };
            state.remember(token, remembered);
        }
        state.sweep(call);
        Ok(TransactOutcome::Done(revisions))
    }
}

#[async_trait::async_trait]
impl Contents for MemoryStorage {
    async fn stored_part(
        &self,
        call: &Call,
        prefix: &str,
        after: Option<&Position>,
    ) -> Result<Part, StorageError> {
        let state = self.read();
        let mut names: Vec<&String> = state
            .partitions
            .keys()
            .filter(|name| name.starts_with(prefix))
            .filter(|name| after.is_none_or(|Position(key)| **name >= key.partition))
            .collect();
        names.sort();
        let mut part = PartBuilder::default();
        for name in names {
            let begin = match after {
                Some(Position(key)) if key.partition == *name => Excluded(key.sort.clone()),
                Some(_) | None => Unbounded,
            };
            let items = state.partitions.get(name).into_iter();
            let items = items.flat_map(|items| items.range((begin.clone(), Unbounded)));
            for (sort, item) in items.filter(|(_, item)| !call.is_expired(item.expires_at)) {
                if part.add(entry(name, sort, item.clone())).is_break() {
                    return Ok(part.finish());
                }
            }
        }
        Ok(part.finish())
    }

    async fn namespaces(
        &self,
        call: &Call,
        namespaces_max: usize,
    ) -> Result<Option<Vec<Namespace>>, StorageError> {
        let state = self.read();
        let live = state.partitions.iter().filter(|(_, items)| {
            let mut items = items.values();
            items.any(|item| !call.is_expired(item.expires_at))
        });
        let found: BTreeSet<Namespace> = live
            .filter_map(|(name, _)| Namespace::of_partition(name))
            .collect();
        Ok(Some(found.into_iter().take(namespaces_max).collect()))
    }

    async fn store_entries(&self, _call: &Call, entries: Vec<Entry>) -> Result<(), StorageError> {
        self.load(entries)
    }
}

impl Snapshot for MemoryStorage {
    fn load(&self, entries: Vec<Entry>) -> Result<(), StorageError> {
        let mut state = self.write();
        for Entry { key, item } in entries {
            state.insert(&key, item);
        }
        Ok(())
    }

    fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StorageError> {
        let state = self.read();
        let mut entries: Vec<Entry> = state
            .partitions
            .iter()
            .flat_map(|(partition, items)| {
                items
                    .iter()
                    .map(|(sort, item)| entry(partition, sort, item.clone()))
            })
            .filter(|entry| !super::is_expired(entry.item.expires_at, now_ms))
            .collect();
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn make() -> Arc<dyn Storage> {
        Arc::new(MemoryStorage::new())
    }

    crate::storage_conformance!(make);
}
