//! A store made of what a tape knows: reads are answered from there, writes stay in memory.

mod state;

use self::state::{Missing, State};
use super::{
    effect::Effects,
    knowledge::{Knowledge, Known, about, about_list},
    list::List,
    outcome::View,
};
use crate::{
    storage::{
        Call, Consistency, DeleteOutcome, Document, Item, Key, Operation, Page, Precondition,
        PutOptions, PutOutcome, QueryOptions, Storage, StorageError, TransactOutcome,
    },
    tape::call::write::Asked,
};
use std::{
    collections::BTreeMap,
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

/// What the guest did to the store.
pub(super) struct Deeds {
    pub(super) effects: Effects,
    pub(super) calls: Vec<String>,
    /// Reads of what the tape does not know.
    pub(super) misses: Vec<String>,
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
