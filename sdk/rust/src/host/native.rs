//! The host of native programs: a store with the rules that the real hosts have, and the time and seed of the request.

mod requests;

use super::hmac;
use crate::contract::{
    Consistency, Direction, Level, LogLine, Precondition, RawDeleteOutcome, RawItem, RawKey,
    RawLost, RawLostTransaction, RawOperation, RawPage, RawPut, RawPutOutcome, RawQuery,
    RawTransactOutcome, SortRange, StorageError, outgoing,
    secrets::{Algorithm, Error as SecretError},
};
use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeMap,
    format,
    rc::Rc,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use contract::{limits::Limits, seed::Seed};
use core::{
    cell::{Cell, RefCell},
    pin::{Pin, pin},
    task::{Poll, Waker},
};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use storage::{
    Call, DeleteOutcome, Document, PutOutcome, Storage, StorageExt as _, TransactOutcome,
};

/// How a handler, which is synchronous, waits for the store.
pub(crate) type Wait = Box<dyn Fn(Pin<&mut dyn Future<Output = ()>>)>;

/// The host of one request.
#[derive(Clone)]
pub(crate) struct Host {
    inner: Rc<Inner>,
    services: Services,
    secrets: Values,
}

/// The values of secrets, by name.
pub(crate) type Values = Rc<BTreeMap<String, Vec<u8>>>;

/// What answers requests to other services.
pub(crate) type Services =
    Rc<dyn Fn(&outgoing::Request) -> Result<outgoing::Response, outgoing::Error>>;

struct Inner {
    storage: Arc<dyn Storage>,
    call: Rc<Call>,
    wait: Wait,
    log: Rc<dyn Fn(LogLine)>,
    random: RefCell<ChaCha12Rng>,
    storage_calls: Cell<u32>,
    outgoing_calls: Cell<u32>,
}

impl Host {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        call: Rc<Call>,
        seed: &Seed,
        wait: Wait,
        log: Rc<dyn Fn(LogLine)>,
    ) -> Self {
        let inner = Inner {
            storage,
            call,
            wait,
            log,
            random: RefCell::new(seed.guest_random()),
            storage_calls: Cell::new(0),
            outgoing_calls: Cell::new(0),
        };
        Self {
            inner: Rc::new(inner),
            services: Rc::new(|_| {
                let reason =
                    "nothing answers for other services here; `answer_outgoing` does in a test";
                Err(outgoing::Error::NotGranted(reason.to_owned()))
            }),
            secrets: Rc::default(),
        }
    }

    /// The same with other services.
    pub(crate) fn with_services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// The same with secrets.
    pub(crate) fn with_secrets(mut self, secrets: Values) -> Self {
        self.secrets = secrets;
        self
    }

    pub(crate) fn sign(
        &self,
        name: &str,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, SecretError> {
        Ok(hmac::sign(algorithm, self.secret(name)?, message))
    }

    pub(crate) fn verify(
        &self,
        name: &str,
        algorithm: Algorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<bool, SecretError> {
        Ok(self.sign(name, algorithm, message)? == tag)
    }

    pub(crate) fn reveal(&self, name: &str) -> Result<Vec<u8>, SecretError> {
        self.secret(name).map(<[u8]>::to_vec)
    }

    fn secret(&self, name: &str) -> Result<&[u8], SecretError> {
        let value = self.secrets.get(name).map(Vec::as_slice);
        value.ok_or_else(|| {
            SecretError::Unknown(format!(
                "unknown secret `{name}`; `set_secret` sets one in a test"
            ))
        })
    }

    /// Sends a request to another service.
    ///
    /// # Panics
    ///
    /// Beyond the bound on requests, where a component would trap.
    pub(crate) fn send(
        &self,
        request: outgoing::Request,
    ) -> Result<outgoing::Response, outgoing::Error> {
        let calls = self.inner.outgoing_calls.get() + 1;
        let calls_max = Limits::default().outgoing_calls_max;
        self.inner.outgoing_calls.set(calls);
        assert!(
            calls <= calls_max,
            "the request made more than {calls_max} requests to other services, which a host does not allow"
        );
        requests::check(&request)?;
        (self.services)(&request)
    }

    /// Counts a storage call.
    ///
    /// # Panics
    ///
    /// Beyond the bound on calls, where a component would trap.
    fn begin(&self) -> (&dyn Storage, &Call) {
        let calls = self.inner.storage_calls.get() + 1;
        let calls_max = Limits::default().storage_calls_max;
        self.inner.storage_calls.set(calls);
        assert!(
            calls <= calls_max,
            "the request made more than {calls_max} calls to the store, which a host does not allow"
        );
        (&*self.inner.storage, &self.inner.call)
    }

    /// The result of a storage call.
    fn wait<T>(
        &self,
        future: impl Future<Output = Result<T, storage::StorageError>>,
    ) -> Result<T, StorageError> {
        let mut result = None;
        (self.inner.wait)(pin!(async { result = Some(future.await) }));
        result.map_or(Err(StorageError::Internal), |result| {
            result.map_err(StorageError::from)
        })
    }

    pub(crate) fn get(
        &self,
        key: &RawKey,
        consistency: Consistency,
    ) -> Result<Option<RawItem>, StorageError> {
        let (storage, call) = self.begin();
        let item = self.wait(storage.get(call, &key.clone().into(), consistency.into()))?;
        Ok(item.map(RawItem::from))
    }

    pub(crate) fn get_many(
        &self,
        keys: Vec<RawKey>,
        consistency: Consistency,
    ) -> Result<Vec<Option<RawItem>>, StorageError> {
        let (storage, call) = self.begin();
        let keys: Vec<_> = keys.into_iter().map(storage::Key::from).collect();
        let items = self.wait(storage.get_many(call, &keys, consistency.into()))?;
        Ok(items
            .into_iter()
            .map(|item| item.map(RawItem::from))
            .collect())
    }

    pub(crate) fn put(&self, put: &RawPut) -> Result<RawPutOutcome, StorageError> {
        let (storage, call) = self.begin();
        let document = Document::parse(&put.document)?;
        let (key, options) = split(put.clone());
        let outcome = self.wait(storage.put(call, &key, &document, &options))?;
        Ok(match outcome {
            PutOutcome::Done(revision) => Ok(revision.into()),
            PutOutcome::PreconditionFailed(found) => Err(RawLost(found.map(RawItem::from))),
        })
    }

    pub(crate) fn delete(
        &self,
        key: &RawKey,
        precondition: Precondition,
    ) -> Result<RawDeleteOutcome, StorageError> {
        let (storage, call) = self.begin();
        let outcome = self.wait(storage.delete(call, &key.clone().into(), &precondition.into()))?;
        Ok(match outcome {
            DeleteOutcome::Done => Ok(()),
            DeleteOutcome::PreconditionFailed(found) => Err(RawLost(found.map(RawItem::from))),
        })
    }

    pub(crate) fn query(
        &self,
        partition: &str,
        consistency: Consistency,
        query: RawQuery,
    ) -> Result<RawPage, StorageError> {
        let (storage, call) = self.begin();
        let page = self.wait(storage.query(call, partition, consistency.into(), &query.into()))?;
        Ok(page.into())
    }

    pub(crate) fn query_index(
        &self,
        partition: &str,
        query: RawQuery,
    ) -> Result<RawPage, StorageError> {
        let (storage, call) = self.begin();
        Ok(self
            .wait(storage.query_index(call, partition, &query.into()))?
            .into())
    }

    pub(crate) fn transact(
        &self,
        operations: Vec<RawOperation>,
        token: Option<&str>,
    ) -> Result<RawTransactOutcome, StorageError> {
        let (storage, call) = self.begin();
        let operations: Vec<_> = operations
            .into_iter()
            .map(operation)
            .collect::<Result<_, StorageError>>()?;
        Ok(
            match self.wait(storage.transact(call, &operations, token))? {
                TransactOutcome::Done(revisions) => {
                    let revisions = revisions.into_iter();
                    Ok(revisions
                        .map(|revision| revision.map(String::from))
                        .collect())
                }
                TransactOutcome::PreconditionFailed { position, item } => Err(RawLostTransaction {
                    position,
                    found: item.map(RawItem::from),
                }),
            },
        )
    }

    pub(crate) fn random_u64(&self) -> u64 {
        self.inner.random.borrow_mut().next_u64()
    }

    pub(crate) fn log(&self, level: Level, message: &str, attributes: &[(String, String)]) {
        (self.inner.log)(LogLine {
            level,
            message: message.to_owned(),
            attributes: attributes.to_vec(),
        });
    }
}

/// For a store that responds at once, as the one in memory.
///
/// # Panics
///
/// If it does not.
pub(crate) fn never_wait(future: Pin<&mut dyn Future<Output = ()>>) {
    let mut context = core::task::Context::from_waker(Waker::noop());
    assert!(
        matches!(future.poll(&mut context), Poll::Ready(())),
        "this store does not respond at once"
    );
}

fn split(put: RawPut) -> (storage::Key, storage::PutOptions) {
    let options = storage::PutOptions {
        precondition: put.precondition.into(),
        index: put.index.map(storage::Key::from),
        expires_at: put.expires_at,
    };
    (put.key.into(), options)
}

fn operation(operation: RawOperation) -> Result<storage::Operation, StorageError> {
    Ok(match operation {
        RawOperation::Put(put) => {
            let document = Document::parse(&put.document)?;
            let (key, options) = split(put);
            storage::Operation::Put {
                key,
                document,
                options,
            }
        }
        RawOperation::Delete(key, precondition) => storage::Operation::Delete {
            key: key.into(),
            precondition: precondition.into(),
        },
        RawOperation::Check(key, precondition) => storage::Operation::Check {
            key: key.into(),
            precondition: precondition.into(),
        },
    })
}

impl From<RawKey> for storage::Key {
    fn from(key: RawKey) -> Self {
        Self {
            partition: key.partition,
            sort: key.sort,
        }
    }
}

impl From<storage::Key> for RawKey {
    fn from(key: storage::Key) -> Self {
        Self {
            partition: key.partition,
            sort: key.sort,
        }
    }
}

impl From<storage::Item> for RawItem {
    fn from(item: storage::Item) -> Self {
        Self {
            document: item.document.as_str().to_owned(),
            revision: item.revision.to_string(),
            index: item.index.map(RawKey::from),
            expires_at: item.expires_at,
        }
    }
}

impl From<storage::Page> for RawPage {
    fn from(page: storage::Page) -> Self {
        let entries = page.entries.into_iter();
        Self {
            entries: entries
                .map(|entry| (entry.key.into(), entry.item.into()))
                .collect(),
            cursor: page.cursor,
        }
    }
}

impl From<RawQuery> for storage::QueryOptions {
    fn from(query: RawQuery) -> Self {
        Self {
            range: match query.range {
                SortRange::All => storage::SortRange::All,
                SortRange::Prefix(prefix) => storage::SortRange::Prefix(prefix),
                SortRange::Between(first, last) => storage::SortRange::Between(first, last),
                SortRange::AtLeast(first) => storage::SortRange::AtLeast(first),
                SortRange::AtMost(last) => storage::SortRange::AtMost(last),
            },
            direction: match query.direction {
                Direction::Ascending => storage::Direction::Ascending,
                Direction::Descending => storage::Direction::Descending,
            },
            limit: query.limit,
            cursor: query.cursor,
        }
    }
}

impl From<Precondition> for storage::Precondition {
    fn from(precondition: Precondition) -> Self {
        match precondition {
            Precondition::None => Self::None,
            Precondition::Absent => Self::Absent,
            Precondition::Present => Self::Present,
            Precondition::Revision(revision) => Self::Revision(revision.into()),
        }
    }
}

impl From<Consistency> for storage::Consistency {
    fn from(consistency: Consistency) -> Self {
        match consistency {
            Consistency::Eventual => Self::Eventual,
            Consistency::Strong => Self::Strong,
        }
    }
}

impl From<StorageError> for storage::StorageError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Invalid(rule)
            | StorageError::InvalidDocument(rule)
            | StorageError::InvalidKey(rule) => Self::Invalid(rule),
            StorageError::InvalidCursor => Self::Invalid("cursor".to_string()),
            StorageError::TooLarge(limit) => Self::TooLarge(limit),
            StorageError::Throttled(retry_after_ms) => Self::Throttled { retry_after_ms },
            StorageError::Unavailable => Self::Unavailable,
            StorageError::Conflict => Self::Conflict,
            StorageError::OutcomeUnknown => Self::OutcomeUnknown,
            StorageError::Misconfigured => Self::Misconfigured,
            StorageError::Internal | StorageError::Document(_) => Self::Internal,
        }
    }
}

impl From<storage::StorageError> for StorageError {
    fn from(error: storage::StorageError) -> Self {
        match error {
            storage::StorageError::Invalid(rule) => Self::Invalid(rule),
            storage::StorageError::TooLarge(limit) => Self::TooLarge(limit),
            storage::StorageError::Throttled { retry_after_ms } => Self::Throttled(retry_after_ms),
            storage::StorageError::Unavailable => Self::Unavailable,
            storage::StorageError::Conflict => Self::Conflict,
            storage::StorageError::OutcomeUnknown => Self::OutcomeUnknown,
            storage::StorageError::Misconfigured => Self::Misconfigured,
            storage::StorageError::Internal => Self::Internal,
        }
    }
}
