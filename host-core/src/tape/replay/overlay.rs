//! A store made of what a tape knows: reads are answered from there, writes stay in memory.

use super::{
    effect::Effects,
    knowledge::{
        Knowledge, Known, List, Position, Question, about, about_list, narrowed, position, whole,
    },
    outcome::View,
};
use crate::{
    storage::{
        Call, Consistency, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Page,
        Precondition, PutOptions, PutOutcome, QueryOptions, Revision, Span, Storage, StorageError,
        TransactOutcome,
    },
    tape::call::write::Asked,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a read gives of which the tape knows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// Nothing: the store is unavailable to the guest, and the request counts as different.
    Fail,
    /// What is not known is not there.
    Absent,
    /// What another store holds now.
    Live,
}

/// Text that is no [`OnMiss`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of `fail`, `absent` and `live`")]
pub struct InvalidOnMiss(String);

impl FromStr for OnMiss {
    type Err = InvalidOnMiss;

    fn from_str(text: &str) -> Result<Self, InvalidOnMiss> {
        match text {
            "fail" => Ok(Self::Fail),
            "absent" => Ok(Self::Absent),
            "live" => Ok(Self::Live),
            other => Err(InvalidOnMiss(other.to_owned())),
        }
    }
}

/// The store of one replayed request.
pub(super) struct Overlay {
    on_miss: OnMiss,
    live: Option<Arc<dyn Storage>>,
    view: View,
    state: Mutex<State>,
}

struct State {
    knowledge: Knowledge,
    /// Items that the request has written; `None`: deleted.
    current: BTreeMap<Key, Option<Item>>,
    effects: Effects,
    calls: Vec<String>,
    misses: Vec<String>,
}

/// What the guest did to the store.
pub(super) struct Deeds {
    pub(super) effects: Effects,
    pub(super) calls: Vec<String>,
    /// Reads of what the tape does not know.
    pub(super) misses: Vec<String>,
}

/// What the tape does not know.
enum Missing {
    Items(Vec<Key>),
    Part(Box<Span<Position>>),
    Cursor,
}

impl Overlay {
    pub(super) fn new(
        knowledge: Knowledge,
        on_miss: OnMiss,
        live: Option<Arc<dyn Storage>>,
        view: View,
    ) -> Self {
        Self {
            on_miss,
            live,
            view,
            state: Mutex::new(State {
                knowledge,
                current: BTreeMap::new(),
                effects: Effects::default(),
                calls: Vec::new(),
                misses: Vec::new(),
            }),
        }
    }

    pub(super) fn take(&self) -> Deeds {
        let mut state = self.lock();
        Deeds {
            effects: std::mem::take(&mut state.effects),
            calls: std::mem::take(&mut state.calls),
            misses: std::mem::take(&mut state.misses),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where a call like this failed when it was recorded.
    fn fail_as_recorded(&self, subject: &str) -> Result<(), StorageError> {
        match self.lock().knowledge.take_failure(subject) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Runs `work` until all that it needs is known, or cannot be.
    async fn settle<T>(
        &self,
        call: &Call,
        what: &str,
        mut work: impl FnMut(&mut State) -> Result<T, Missing> + Send,
    ) -> Result<T, StorageError> {
        // Each round makes something known; keys are at most a hundred.
        for _ in 0..256 {
            let missing = match work(&mut self.lock()) {
                Ok(done) => return Ok(done),
                Err(missing) => missing,
            };
            let Missing::Items(keys) = missing else {
                break;
            };
            self.learn(call, what, keys).await?;
        }
        self.miss(what);
        Err(StorageError::Unavailable)
    }

    fn miss(&self, what: &str) {
        self.lock().misses.push(what.to_owned());
    }

    async fn learn(&self, call: &Call, what: &str, keys: Vec<Key>) -> Result<(), StorageError> {
        for key in keys {
            let known = match (self.on_miss, &self.live) {
                (OnMiss::Fail, _) | (OnMiss::Live, None) => {
                    self.miss(what);
                    return Err(StorageError::Unavailable);
                }
                (OnMiss::Absent, _) => Known::Absent,
                (OnMiss::Live, Some(live)) => live
                    .get(call, &key, Consistency::Strong)
                    .await?
                    .map_or(Known::Absent, Known::Present),
            };
            self.lock().knowledge.items.insert(key, known);
        }
        Ok(())
    }

    async fn page(
        &self,
        call: &Call,
        list: List,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let function = if list.is_index {
            "query-index"
        } else {
            "query"
        };
        let what = about_list(function, &list.partition, options);
        self.fail_as_recorded(&what)?;
        for _ in 0..256 {
            let missing = match self.lock().page(call, &list, options) {
                Ok(page) => return Ok(page),
                Err(missing) => missing,
            };
            match (self.on_miss, &self.live) {
                (OnMiss::Fail, _) | (OnMiss::Live, None) => break,
                (OnMiss::Absent, _) => match missing {
                    Missing::Items(keys) => self.learn(call, &what, keys).await?,
                    Missing::Part(span) => self.lock().knowledge.cover(&list, *span),
                    Missing::Cursor => {
                        return Ok(Page {
                            entries: Vec::new(),
                            cursor: None,
                        });
                    }
                },
                (OnMiss::Live, Some(live)) => {
                    return if list.is_index {
                        live.query_index(call, &list.partition, options).await
                    } else {
                        let consistency = Consistency::Strong;
                        live.query(call, &list.partition, consistency, options)
                            .await
                    };
                }
            }
        }
        self.miss(&what);
        Err(StorageError::Unavailable)
    }

    fn note(&self, asked: &Asked<'_>) {
        let mut text = format!("{} ", asked.function()).into_bytes();
        asked.write(&mut text, &mut &self.view);
        self.lock()
            .calls
            .push(String::from_utf8(text).unwrap_or_default());
    }
}

impl State {
    /// How an item is now.
    fn known(&self, call: &Call, key: &Key) -> Option<Known> {
        let known = match self.current.get(key) {
            Some(Some(item)) => Known::Present(item.clone()),
            Some(None) => Known::Absent,
            None => self.knowledge.initial(key)?,
        };
        Some(match known {
            Known::Present(item) if call.is_expired(item.expires_at) => Known::Absent,
            known => known,
        })
    }

    fn read(&self, call: &Call, key: &Key) -> Result<Option<Item>, Missing> {
        match self.known(call, key) {
            Some(Known::Present(item)) => Ok(Some(item)),
            Some(Known::Absent) => Ok(None),
            Some(Known::Exists(_)) | None => Err(Missing::Items(vec![key.clone()])),
        }
    }

    /// Whether a precondition holds; if not, the item that is there.
    fn holds(
        &self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<Result<(), Option<Item>>, Missing> {
        if *precondition == Precondition::None {
            return Ok(Ok(()));
        }
        let holds = match (precondition, self.known(call, key)) {
            (_, None) => return Err(Missing::Items(vec![key.clone()])),
            (Precondition::Absent, Some(Known::Absent))
            | (Precondition::Present, Some(Known::Present(_) | Known::Exists(_))) => true,
            (Precondition::Revision(wanted), Some(Known::Present(item))) => {
                item.revision == *wanted
            }
            (Precondition::Revision(wanted), Some(Known::Exists(Some(revision)))) => {
                revision == *wanted
            }
            (Precondition::Revision(_), Some(Known::Exists(None))) => {
                return Err(Missing::Items(vec![key.clone()]));
            }
            _ => false,
        };
        if holds {
            Ok(Ok(()))
        } else {
            self.read(call, key).map(Err)
        }
    }

    /// The revision of a write: the recorded one of the same item's same write, so that a write more or less elsewhere does not
    /// change it.
    fn revision(&mut self, key: &Key, call: &Call) -> Revision {
        let next = call.next_revision();
        self.knowledge
            .revisions
            .get_mut(key)
            .and_then(std::collections::VecDeque::pop_front)
            .unwrap_or(next)
    }

    fn write(&mut self, key: &Key, document: &Document, options: &PutOptions, revision: &Revision) {
        let item = Item {
            document: document.clone(),
            revision: revision.clone(),
            index: options.index.clone(),
            expires_at: options.expires_at,
        };
        self.current.insert(key.clone(), Some(item));
    }

    /// A page of what is known, with what the request has written.
    fn page(&mut self, call: &Call, list: &List, options: &QueryOptions) -> Result<Page, Missing> {
        let is_descending = options.direction == Direction::Descending;
        let mut span = whole(&options.range);
        if let Some(cursor) = &options.cursor {
            let resume = self.knowledge.resume(list, is_descending, cursor);
            span = narrowed(span, resume.ok_or(Missing::Cursor)?);
        }
        let end = self
            .knowledge
            .ends
            .get(&Question::new(list, options))
            .cloned();
        if let Some(end) = &end
            && end.last.is_none()
        {
            return Ok(Page {
                entries: Vec::new(),
                cursor: Some(end.cursor.clone()),
            });
        }
        let is_before_end = |at: &Position| {
            let last = end.as_ref().and_then(|end| end.last.as_ref());
            last.is_none_or(|last| {
                if is_descending {
                    at >= last
                } else {
                    at <= last
                }
            })
        };
        let mut entries = self.entries(call, list, &span)?;
        if is_descending {
            entries.reverse();
        }
        let limit = options.limit as usize;
        let found = entries
            .iter()
            .take(limit)
            .take_while(|(at, _)| is_before_end(at))
            .count();
        let has_further = entries.len() > found;
        entries.truncate(found);
        let last = entries.last().map(|(at, _)| at.clone());
        let is_full = found == limit || end.is_some();
        let seen = match (&last, is_full) {
            (Some(last), true) => up_to(&span, last, is_descending),
            _ => span.clone(),
        };
        if !self.knowledge.covers(list, &seen) {
            return Err(Missing::Part(Box::new(seen)));
        }
        // A page that is full goes on unless it is known that nothing follows.
        let goes_on = is_full && (has_further || !self.knowledge.covers(list, &span));
        let cursor = match (goes_on, &last) {
            (true, Some(last)) => Some(self.knowledge.cursor_after(list, is_descending, last)),
            _ => None,
        };
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Page { entries, cursor })
    }

    /// The known entries in a part of a list, in its order.
    fn entries(
        &self,
        call: &Call,
        list: &List,
        span: &Span<Position>,
    ) -> Result<Vec<(Position, Entry)>, Missing> {
        let keys: BTreeSet<&Key> = self
            .knowledge
            .items
            .keys()
            .chain(self.current.keys())
            .collect();
        let mut entries = Vec::new();
        for key in keys {
            if !list.is_index && key.partition != list.partition {
                continue;
            }
            let item = match self.known(call, key) {
                Some(Known::Present(item)) => item,
                Some(Known::Exists(_)) if !list.is_index => {
                    let at = (key.sort.clone(), String::new(), String::new());
                    if contains(span, &at) {
                        return Err(Missing::Items(vec![key.clone()]));
                    }
                    continue;
                }
                Some(Known::Absent | Known::Exists(_)) | None => continue,
            };
            let is_listed = match &item.index {
                _ if !list.is_index => true,
                Some(index) => index.partition == list.partition,
                None => false,
            };
            let at = position(list, key, &item);
            if is_listed && contains(span, &at) {
                let key = key.clone();
                entries.push((at, Entry { key, item }));
            }
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }
}

fn contains(span: &Span<Position>, at: &Position) -> bool {
    *at >= span.lower && span.upper.as_ref().is_none_or(|upper| at < upper)
}

/// The part from where a query begins up to and with an entry.
fn up_to(span: &Span<Position>, last: &Position, is_descending: bool) -> Span<Position> {
    let mut seen = span.clone();
    if is_descending {
        seen.lower = last.clone();
    } else {
        seen.upper = Some((last.0.clone(), last.1.clone(), format!("{}\0", last.2)));
    }
    seen
}

#[async_trait::async_trait]
impl Storage for Overlay {
    async fn get(
        &self,
        call: &Call,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Item>, StorageError> {
        self.note(&Asked::Get(key, consistency));
        let what = about("get", [key]);
        self.fail_as_recorded(&what)?;
        self.settle(call, &what, |state| state.read(call, key))
            .await
    }

    async fn get_many(
        &self,
        call: &Call,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Item>>, StorageError> {
        self.note(&Asked::GetMany(keys, consistency));
        let what = about("get-many", keys);
        self.fail_as_recorded(&what)?;
        let read = |state: &mut State| keys.iter().map(|key| state.read(call, key)).collect();
        self.settle(call, &what, read).await
    }

    async fn put(
        &self,
        call: &Call,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> Result<PutOutcome, StorageError> {
        self.note(&Asked::Put(key, document, options));
        let what = about("put", [key]);
        self.fail_as_recorded(&what)?;
        self.settle(call, &what, |state| {
            if let Err(item) = state.holds(call, key, &options.precondition)? {
                return Ok(PutOutcome::PreconditionFailed(item));
            }
            let revision = state.revision(key, call);
            state.write(key, document, options, &revision);
            state.effects.put(key, Some(document), options);
            Ok(PutOutcome::Done(revision))
        })
        .await
    }

    async fn delete(
        &self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        self.note(&Asked::Delete(key, precondition));
        let what = about("delete", [key]);
        self.fail_as_recorded(&what)?;
        self.settle(call, &what, |state| {
            if let Err(item) = state.holds(call, key, precondition)? {
                return Ok(DeleteOutcome::PreconditionFailed(item));
            }
            state.current.insert(key.clone(), None);
            state.effects.delete(key, precondition);
            Ok(DeleteOutcome::Done)
        })
        .await
    }

    async fn query(
        &self,
        call: &Call,
        partition: &str,
        consistency: Consistency,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        self.note(&Asked::Query(partition, consistency, options));
        let list = List {
            is_index: false,
            partition: partition.to_owned(),
        };
        self.page(call, list, options).await
    }

    async fn query_index(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        self.note(&Asked::QueryIndex(partition, options));
        let list = List {
            is_index: true,
            partition: partition.to_owned(),
        };
        self.page(call, list, options).await
    }

    async fn transact(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        self.note(&Asked::Transact(operations, token));
        let what = about("transact", operations.iter().map(Operation::key));
        self.fail_as_recorded(&what)?;
        self.settle(call, &what, |state| state.transact(call, operations))
            .await
    }
}

impl State {
    fn transact(
        &mut self,
        call: &Call,
        operations: &[Operation],
    ) -> Result<TransactOutcome, Missing> {
        for (position, operation) in (0..).zip(operations) {
            let precondition = match operation {
                Operation::Put { options, .. } => &options.precondition,
                Operation::Delete { precondition, .. } | Operation::Check { precondition, .. } => {
                    precondition
                }
            };
            if let Err(item) = self.holds(call, operation.key(), precondition)? {
                return Ok(TransactOutcome::PreconditionFailed { position, item });
            }
        }
        let mut revisions = Vec::with_capacity(operations.len());
        for operation in operations {
            revisions.push(match operation {
                Operation::Put {
                    key,
                    document,
                    options,
                } => {
                    let revision = self.revision(key, call);
                    self.write(key, document, options, &revision);
                    Some(revision)
                }
                Operation::Delete { key, .. } => {
                    self.current.insert(key.clone(), None);
                    None
                }
                Operation::Check { .. } => None,
            });
        }
        self.effects.transact(operations);
        Ok(TransactOutcome::Done(revisions))
    }
}
