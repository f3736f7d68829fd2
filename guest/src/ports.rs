//! What the API needs from its host: `wit/storage.wit`, `wit/log.wit` and a random number, as a trait.
//!
//! The component implements it with the generated bindings; tests and benchmarks implement it natively. The types mirror the WIT, which
//! specifies each of them.

use alloc::{string::String, vec::Vec};

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Groups items.
    pub partition: String,
    /// Orders the items of a partition by its bytes.
    pub sort: String,
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The text of a JSON object, in the store's canonical spelling.
    pub document: String,
    /// Opaque name of this state.
    pub revision: String,
    /// Secondary key.
    pub index: Option<Key>,
    /// Seconds since the Unix epoch from which it counts as deleted.
    pub expires_at: Option<u64>,
}

/// The precondition of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// No condition.
    None,
    /// No item exists.
    Absent,
    /// An item exists.
    Present,
    /// An item exists in this state.
    Revision(String),
}

/// The outcome of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written; the new revision.
    Done(String),
    /// Nothing was written; the existing item.
    PreconditionFailed(Option<Stored>),
}

/// The outcome of a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// Deleted, or already absent.
    Done,
    /// Nothing was deleted; the existing item.
    PreconditionFailed(Option<Stored>),
}

/// How current a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// May lag behind acknowledged writes.
    Eventual,
    /// Sees every write acknowledged before it.
    Strong,
}

/// Order of a query by sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Lowest bytes first.
    Ascending,
    /// Highest bytes first.
    Descending,
}

/// The part of a partition that a query returns. The API always reads whole partitions, page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The order.
    pub direction: Direction,
    /// Largest number of entries, 1 to 1000.
    pub limit: u32,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// One page of a query's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The items, in the query's order.
    pub items: Vec<Stored>,
    /// Continues the query; `None` if this is the last page.
    pub cursor: Option<String>,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The key.
    pub key: Key,
    /// The text of a JSON object.
    pub document: String,
    /// The precondition.
    pub precondition: Precondition,
    /// Secondary key.
    pub index: Option<Key>,
    /// Seconds since the Unix epoch.
    pub expires_at: Option<u64>,
}

/// The outcome of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactOutcome {
    /// Everything was done; the new revisions in order.
    Done(Vec<Option<String>>),
    /// Nothing was done.
    PreconditionFailed {
        /// The first operation whose precondition did not hold.
        position: u32,
        /// The existing item.
        item: Option<Stored>,
    },
}

/// Why a storage call has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The call breaks the named rule.
    Invalid(String),
    /// Over the named size limit.
    TooLarge(String),
    /// The store asks to slow down, for this many milliseconds if known. Nothing was written.
    Throttled(Option<u64>),
    /// The store is failing. Nothing was written.
    Unavailable,
    /// Another transaction kept interfering. Nothing was written.
    Conflict,
    /// A write may or may not have happened.
    OutcomeUnknown,
    /// The host is misconfigured for its store.
    Misconfigured,
    /// Unreadable data, or a bug of the host.
    Internal,
}

/// How severe a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something that an operator may want to look into.
    Warn,
    /// Something that an operator must repair.
    Error,
}

/// The host, as the API sees it. Synchronous: a host that waits for a network does so within the call.
pub trait Host {
    /// Reads one item.
    fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Stored>, StorageError>;
    /// Reads 1 to 100 items; the result is in the order of `keys`.
    fn get_many(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Stored>>, StorageError>;
    /// Writes one item.
    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError>;
    /// Removes one item.
    fn delete(&self, key: &Key, precondition: &Precondition)
    -> Result<DeleteOutcome, StorageError>;
    /// Reads a partition in the order of its sort keys.
    fn query(
        &self,
        partition: &str,
        consistency: Consistency,
        page: &PageRequest,
    ) -> Result<Page, StorageError>;
    /// The same by secondary key, always eventual.
    fn query_index(&self, partition: &str, page: &PageRequest) -> Result<Page, StorageError>;
    /// Writes all or none, on different keys.
    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError>;
    /// 64 unpredictable bits.
    fn random_u64(&self) -> u64;
    /// Writes a log line. Each attribute's value is JSON text; other text is logged as a string.
    fn log(&self, level: Level, message: &str, attributes: &[(&str, &str)]);
}
