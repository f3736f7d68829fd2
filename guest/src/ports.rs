//! What the API needs from its host: `wit/storage.wit`, `wit/log.wit` and a random number, as a trait.
//!
//! The component implements it over the generated bindings; tests and benchmarks natively. The types mirror the WIT, which says
//! what each of them promises.

use alloc::{string::String, vec::Vec};

/// Where an item lives.
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
    /// Seconds since the Unix epoch from which on it counts as deleted.
    pub expires_at: Option<u64>,
}

/// What must hold for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// There is no item.
    Absent,
    /// There is an item.
    Present,
    /// There is an item, in this state.
    Revision(String),
}

/// What became of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written; the new revision.
    Done(String),
    /// Nothing was written; what is there.
    PreconditionFailed(Option<Stored>),
}

/// What became of a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// Gone.
    Done,
    /// Nothing was deleted; what is there.
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

/// Which part of a partition a query returns. The API always asks for whole partitions, page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// In which order.
    pub direction: Direction,
    /// Entries wanted, 1 to 1000.
    pub limit: u32,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// Part of a query's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What was found, in the query's order.
    pub items: Vec<Stored>,
    /// How to go on; `None`: that was all.
    pub cursor: Option<String>,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Where.
    pub key: Key,
    /// The text of a JSON object.
    pub document: String,
    /// What must hold.
    pub precondition: Precondition,
    /// Secondary key.
    pub index: Option<Key>,
    /// Seconds since the Unix epoch.
    pub expires_at: Option<u64>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactOutcome {
    /// Everything was done; the new revisions in order.
    Done(Vec<Option<String>>),
    /// Nothing was done.
    PreconditionFailed {
        /// The first operation whose precondition did not hold.
        position: u32,
        /// What was found there.
        item: Option<Stored>,
    },
}

/// Why a storage call has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The call breaks the rule named here.
    Invalid(String),
    /// Over the size limit named here.
    TooLarge(String),
    /// The store asks to slow down, for this many milliseconds where known. Nothing was written.
    Throttled(Option<u64>),
    /// The store is failing. Nothing was written.
    Unavailable,
    /// Another transaction kept interfering. Nothing was written.
    Conflict,
    /// A write may or may not have happened.
    OutcomeUnknown,
    /// The host does not fit its store.
    Misconfigured,
    /// Unreadable data, or a defect of the host.
    Internal,
}

/// How severe a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something an operator may want to look into.
    Warn,
    /// Something an operator has to repair.
    Error,
}

/// The host, as the API sees it. Synchronous: a host that waits for a network does so behind the call.
pub trait Host {
    /// Reads one item.
    fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Stored>, StorageError>;
    /// Reads 1 to 100 items, answered in the order of `keys`.
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
    /// Writes a log line. Each attribute's value is JSON text, or else taken as a string.
    fn log(&self, level: Level, message: &str, attributes: &[(&str, &str)]);
}
