//! The host of native tests: the rules and the store in memory that the real hosts have, with time and seed of the test.

use crate::contract::{
    Consistency, Direction, Level, LogLine, Precondition, RawDeleteOutcome, RawItem, RawKey,
    RawLost, RawLostTransaction, RawOperation, RawPage, RawPut, RawPutOutcome, RawQuery,
    RawTransactOutcome, SortRange, StorageError,
};
use alloc::{
    borrow::ToOwned,
    collections::VecDeque,
    rc::Rc,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use contract::seed::Seed;
use core::{
    cell::{Cell, RefCell},
    pin::pin,
    task::{Poll, Waker},
};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use storage::{
    Call, CursorKey, DeleteOutcome, Document, MemoryStorage, Namespace, PutOutcome,
    StorageExt as _, Tenant, TransactOutcome,
};

/// As many as a request may make to the store (`wit/storage.wit`).
const STORAGE_CALLS_MAX: u32 = 1000;

/// A store and a log that outlive requests.
pub(crate) struct TestHost {
    tenant: Tenant,
    failures: RefCell<VecDeque<StorageError>>,
    log: RefCell<Vec<LogLine>>,
}

/// The host of one request.
#[derive(Clone)]
pub(crate) struct Host {
    inner: Rc<Inner>,
}

struct Inner {
    test: Rc<TestHost>,
    call: Call,
    random: RefCell<ChaCha12Rng>,
    storage_calls: Cell<u32>,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self {
            tenant: Tenant::new(
                Arc::new(MemoryStorage::new()),
                Namespace::local(),
                CursorKey::new([0; 32]),
            ),
            failures: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// Lets one of the next storage calls fail, after the failures before it.
    pub(crate) fn fail(&self, error: StorageError) {
        self.failures.borrow_mut().push_back(error);
    }

    pub(crate) fn log_lines(&self) -> Vec<LogLine> {
        self.log.borrow().clone()
    }
}

impl Host {
    pub(crate) fn new(test: Rc<TestHost>, now_ms: u64, seed: &Seed) -> Self {
        let inner = Inner {
            test,
            call: Call::new(now_ms, seed, None),
            random: RefCell::new(seed.guest_random()),
            storage_calls: Cell::new(0),
        };
        Self {
            inner: Rc::new(inner),
        }
    }

    /// Counts a storage call, and fails it if the test says so.
    ///
    /// # Panics
    ///
    /// Beyond the bound on calls, where a component would trap.
    fn begin(&self) -> Result<(&Tenant, &Call), StorageError> {
        let calls = self.inner.storage_calls.get() + 1;
        self.inner.storage_calls.set(calls);
        assert!(
            calls <= STORAGE_CALLS_MAX,
            "the request made more than {STORAGE_CALLS_MAX} calls to the store, which a host does not allow"
        );
        match self.inner.test.failures.borrow_mut().pop_front() {
            Some(error) => Err(error),
            None => Ok((&self.inner.test.tenant, &self.inner.call)),
        }
    }

    pub(crate) fn get(
        &self,
        key: &RawKey,
        consistency: Consistency,
    ) -> Result<Option<RawItem>, StorageError> {
        let (tenant, call) = self.begin()?;
        let item = ready(tenant.get(call, &key.clone().into(), consistency.into()))?;
        Ok(item.map(RawItem::from))
    }

    pub(crate) fn get_many(
        &self,
        keys: Vec<RawKey>,
        consistency: Consistency,
    ) -> Result<Vec<Option<RawItem>>, StorageError> {
        let (tenant, call) = self.begin()?;
        let keys: Vec<_> = keys.into_iter().map(storage::Key::from).collect();
        let items = ready(tenant.get_many(call, &keys, consistency.into()))?;
        Ok(items
            .into_iter()
            .map(|item| item.map(RawItem::from))
            .collect())
    }

    pub(crate) fn put(&self, put: RawPut) -> Result<RawPutOutcome, StorageError> {
        let (tenant, call) = self.begin()?;
        let document = Document::parse(&put.document)?;
        let (key, options) = split(put);
        Ok(match ready(tenant.put(call, &key, &document, &options))? {
            PutOutcome::Done(revision) => Ok(revision.into()),
            PutOutcome::PreconditionFailed(found) => Err(RawLost(found.map(RawItem::from))),
        })
    }

    pub(crate) fn delete(
        &self,
        key: &RawKey,
        precondition: Precondition,
    ) -> Result<RawDeleteOutcome, StorageError> {
        let (tenant, call) = self.begin()?;
        let outcome = ready(tenant.delete(call, &key.clone().into(), &precondition.into()))?;
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
        let (tenant, call) = self.begin()?;
        let page = ready(tenant.query(call, partition, consistency.into(), &query.into()))?;
        Ok(page.into())
    }

    pub(crate) fn query_index(
        &self,
        partition: &str,
        query: RawQuery,
    ) -> Result<RawPage, StorageError> {
        let (tenant, call) = self.begin()?;
        Ok(ready(tenant.query_index(call, partition, &query.into()))?.into())
    }

    pub(crate) fn transact(
        &self,
        operations: Vec<RawOperation>,
        token: Option<&str>,
    ) -> Result<RawTransactOutcome, StorageError> {
        let (tenant, call) = self.begin()?;
        let operations: Vec<_> = operations
            .into_iter()
            .map(operation)
            .collect::<Result<_, StorageError>>()?;
        Ok(match ready(tenant.transact(call, &operations, token))? {
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
        })
    }

    pub(crate) fn random_u64(&self) -> u64 {
        self.inner.random.borrow_mut().next_u64()
    }

    pub(crate) fn log(&self, level: Level, message: &str, attributes: &[(String, String)]) {
        self.inner.test.log.borrow_mut().push(LogLine {
            level,
            message: message.to_owned(),
            attributes: attributes.to_vec(),
        });
    }
}

/// The result of a future of the store in memory, which never waits.
fn ready<T>(
    future: impl Future<Output = Result<T, storage::StorageError>>,
) -> Result<T, StorageError> {
    let mut context = core::task::Context::from_waker(Waker::noop());
    match pin!(future).as_mut().poll(&mut context) {
        Poll::Ready(result) => result.map_err(StorageError::from),
        Poll::Pending => Err(StorageError::Internal),
    }
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
