//! A store composed from what a tape reveals: it answers reads, and keeps writes in memory.

mod state;

use self::state::{MissingError, State};
use super::{
    list::List,
    recorded_state::{Known, RecordedState},
    view::View,
    writes::Writes,
};
use observation::ObservedCall;
use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use storage::{
    Call, Consistency, Key, Page, QueryOptions, Storage, StorageError, StorageExt as _,
    StorageRequest, StorageResponse,
};
use tape::call::write_arguments;

/// What a read returns when the tape has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// The call returns `unavailable`, and the request counts as different.
    Fail,
    /// The item does not exist.
    Absent,
    /// The current content of another store.
    Live,
}

/// Text that is not an [`OnMiss`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of `fail`, `absent` and `live`")]
pub struct OnMissError(String);

impl FromStr for OnMiss {
    type Err = OnMissError;

    fn from_str(text: &str) -> Result<Self, OnMissError> {
        match text {
            "fail" => Ok(Self::Fail),
            "absent" => Ok(Self::Absent),
            "live" => Ok(Self::Live),
            other => Err(OnMissError(other.to_owned())),
        }
    }
}

/// Characters of a call's arguments in a message.
const CALL_CHARACTERS_MAX: usize = 160;

/// The store of one replayed request.
pub(super) struct Overlay {
    on_miss: OnMiss,
    live: Option<Arc<dyn Storage>>,
    view: View,
    state: Mutex<State>,
}

/// The guest's writes.
pub(super) struct WriteLog {
    pub(super) writes: Writes,
    pub(super) calls: Vec<ObservedCall>,
    /// Reads that the tape cannot answer.
    pub(super) misses: Vec<String>,
}

impl Overlay {
    pub(super) fn new(
        recorded_state: RecordedState,
        on_miss: OnMiss,
        live: Option<Arc<dyn Storage>>,
        view: View,
    ) -> Self {
        Self {
            on_miss,
            live,
            view,
            state: Mutex::new(State {
                recorded_state,
                current: BTreeMap::new(),
                writes: Writes::default(),
                calls: Vec::new(),
                misses: Vec::new(),
            }),
        }
    }

    pub(super) fn take(&self) -> WriteLog {
        let mut state = self.lock();
        WriteLog {
            writes: std::mem::take(&mut state.writes),
            calls: std::mem::take(&mut state.calls),
            misses: std::mem::take(&mut state.misses),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if a call like this failed when it was recorded.
    fn fail_as_recorded(&self, request: &StorageRequest) -> Result<(), StorageError> {
        match self.lock().recorded_state.take_failure(request) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Runs `work` until everything that it needs is known, or cannot be known.
    async fn settle<T>(
        &self,
        call: &Call,
        what: &str,
        mut work: impl FnMut(&mut State) -> Result<T, MissingError> + Send,
    ) -> Result<T, StorageError> {
        // Each round makes something known; there are at most a hundred keys.
        for _ in 0..256 {
            let missing = match work(&mut self.lock()) {
                Ok(done) => return Ok(done),
                Err(missing) => missing,
            };
            let MissingError::Items(keys) = missing else {
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
            self.lock().recorded_state.items.insert(key, known);
        }
        Ok(())
    }

    async fn page(
        &self,
        call: &Call,
        what: &str,
        list: List,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        for _ in 0..256 {
            let missing = match self.lock().page(call, &list, options) {
                Ok(page) => return Ok(page),
                Err(missing) => missing,
            };
            match (self.on_miss, &self.live) {
                (OnMiss::Fail, _) | (OnMiss::Live, None) => break,
                (OnMiss::Absent, _) => match missing {
                    MissingError::Items(keys) => self.learn(call, what, keys).await?,
                    MissingError::Part(span) => self.lock().recorded_state.cover(&list, *span),
                    MissingError::Cursor => {
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
        self.miss(what);
        Err(StorageError::Unavailable)
    }

    /// Records a call for the comparison; returns its text, shortened, for messages.
    fn note(&self, request: &StorageRequest) -> String {
        let mut arguments = Vec::new();
        write_arguments(&mut arguments, request, &mut &self.view);
        let call = ObservedCall {
            function: request.function(),
            arguments: String::from_utf8(arguments).unwrap_or_default(),
        };
        let arguments: String = call.arguments.chars().take(CALL_CHARACTERS_MAX).collect();
        let text = format!("{} {arguments}", call.function);
        self.lock().calls.push(call);
        text
    }
}

#[async_trait::async_trait]
impl Storage for Overlay {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        let what = self.note(&request);
        self.fail_as_recorded(&request)?;
        Ok(match request {
            StorageRequest::Get { key, .. } => {
                let found = self.settle(call, &what, |state| state.read(call, &key));
                StorageResponse::Get(found.await?)
            }
            StorageRequest::GetMany { keys, .. } => {
                let read =
                    |state: &mut State| keys.iter().map(|key| state.read(call, key)).collect();
                StorageResponse::GetMany(self.settle(call, &what, read).await?)
            }
            StorageRequest::Put {
                key,
                document,
                options,
            } => {
                let put = |state: &mut State| state.put(call, &key, &document, &options);
                StorageResponse::Put(self.settle(call, &what, put).await?)
            }
            StorageRequest::Delete { key, precondition } => {
                let delete = |state: &mut State| state.delete(call, &key, &precondition);
                StorageResponse::Delete(self.settle(call, &what, delete).await?)
            }
            StorageRequest::Query {
                partition, options, ..
            } => {
                let list = List {
                    is_index: false,
                    partition,
                };
                StorageResponse::Query(self.page(call, &what, list, &options).await?)
            }
            StorageRequest::QueryIndex { partition, options } => {
                let list = List {
                    is_index: true,
                    partition,
                };
                StorageResponse::QueryIndex(self.page(call, &what, list, &options).await?)
            }
            StorageRequest::Transact { operations, .. } => {
                let transact = |state: &mut State| state.transact(call, &operations);
                StorageResponse::Transact(self.settle(call, &what, transact).await?)
            }
        })
    }
}
