//! The storage port: documents under a partition key and a sort key, as `wit/storage.wit` promises them to a guest.
//!
//! A storage call of a guest is one [`StorageRequest`], and its result one [`StorageResponse`]. A backend implements [`Storage`], which has one
//! method; [`StorageExt`] adds a typed method for each function. Backends are [`MemoryStorage`] here, `storage-redb` (one local file) and
//! `storage-dynamodb` (a table). They receive checked requests and see the whole store. [`Tenant`] wraps a backend into the view of one guest:
//! it checks every rule of the WIT, prefixes partitions with the guest's namespace and seals cursors, so that no rule is written twice.
//! Recording and replaying wrap the same trait.
//!
//! A backend is correct when it passes `conformance` and agrees with memory on random sequences of calls (`agreement`); both need the feature
//! `conformance`.
//!
//! ```
//! use contract::seed::Seed;
//! use std::sync::Arc;
//! use storage::{
//!     Call, Consistency, CursorKey, Document, Key, MemoryStorage, Precondition, PutOptions,
//!     PutOutcome, StorageExt as _, Tenant,
//! };
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Tenant::new(
//!     Arc::new(MemoryStorage::new()),
//!     "orders".parse()?,
//!     CursorKey::new([0; 32]),
//! );
//! // Time and seed of the request come from the caller, so that a replay writes the same revisions.
//! let call = Call::new(1_767_225_600_000, &Seed::new([7; 32]), None);
//! let key = Key { partition: "customer-1".into(), sort: "order-1".into() };
//! let document = Document::parse(r#"{"total": 12.50}"#)?;
//! let only_if_absent = PutOptions {
//!     precondition: Precondition::Absent,
//!     index: None,
//!     expires_at: None,
//! };
//! store.put(&call, &key, &document, &only_if_absent).await?;
//! // The item is there now, so the same write loses.
//! let outcome = store.put(&call, &key, &document, &only_if_absent).await?;
//! assert!(matches!(outcome, PutOutcome::PreconditionFailed(Some(_))));
//! let item = store.get(&call, &key, Consistency::Strong).await?;
//! assert_eq!(item.unwrap().document.as_str(), r#"{"total":12.5}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

#[cfg(any(test, feature = "conformance"))]
pub mod agreement;
mod arguments;
mod call;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contents;
mod cursor;
mod document;
mod item_size;
pub mod memory;
mod number;
pub mod page;
mod request;
mod snapshot;
mod subject;
mod tenant;
pub mod transaction;

pub use self::{
    arguments::FoundText,
    call::Call,
    contents::{Contents, PART_BYTES_MAX, PART_ENTRIES_MAX, Part, PartBuilder, Position},
    cursor::CursorKey,
    item_size::item_bytes,
    memory::MemoryStorage,
    page::{IndexPosition, Span},
    request::{Storage, StorageExt, StorageFunction, StorageRequest, StorageResponse},
    snapshot::Snapshot,
    subject::{Findings, FoundPage, Subject},
    tenant::{Namespace, NamespaceError, Tenant},
};
use serde::Deserialize;
use std::{fmt, sync::Arc};

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Key {
    /// Groups items; at most [`PARTITION_BYTES_MAX`](contract::limits::PARTITION_BYTES_MAX).
    pub partition: String,
    /// Orders the items of a partition by its bytes; at most [`SORT_BYTES_MAX`](contract::limits::SORT_BYTES_MAX).
    pub sort: String,
}

/// A JSON object in canonical text: members in byte order, one spelling per number, no blanks. Equal documents have equal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: Arc<str>,
    /// Size as DynamoDB counts the map, for the item limit.
    bytes: usize,
}

/// Opaque name of one state of an item: 24 hexadecimal digits, derived from the request's seed and the number of writes before, so that a
/// replay makes the same ones; 96 bits make collisions between requests negligible.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The document.
    pub document: Document,
    /// Names this state of the item.
    pub revision: Revision,
    /// Secondary key, queried by [`StorageRequest::QueryIndex`].
    pub index: Option<Key>,
    /// Seconds since the Unix epoch from which the item counts as deleted.
    pub expires_at: Option<u64>,
}

/// An item with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The item.
    pub item: Item,
}

/// The precondition of a write. An expired item is absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precondition {
    /// No condition.
    None,
    /// No item exists.
    Absent,
    /// An item exists.
    Present,
    /// An item exists in this state.
    Revision(Revision),
}

/// How current a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consistency {
    /// May lag behind acknowledged writes.
    Eventual,
    /// Sees every write acknowledged before it.
    Strong,
}

/// Order of a query by sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lowest bytes first.
    Ascending,
    /// Highest bytes first.
    Descending,
}

/// The sort keys that a query covers; bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortRange {
    /// The whole partition.
    All,
    /// Those that start with this text.
    Prefix(String),
    /// From the first to the second.
    Between(String, String),
    /// From this one on.
    AtLeast(String),
    /// Up to this one.
    AtMost(String),
}

/// What a put writes besides the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOptions {
    /// The precondition.
    pub precondition: Precondition,
    /// New secondary key; `None` removes it.
    pub index: Option<Key>,
    /// New expiry in seconds since the Unix epoch; `None` removes it.
    pub expires_at: Option<u64>,
}

/// The part of a partition that a query returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOptions {
    /// The sort keys.
    pub range: SortRange,
    /// The order.
    pub direction: Direction,
    /// Largest number of entries, 1 to [`PAGE_ENTRIES_MAX`](contract::limits::PAGE_ENTRIES_MAX).
    pub limit: u32,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// One page of a query's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the query's order.
    pub entries: Vec<Entry>,
    /// Continues the query; `None` if this is the last page.
    pub cursor: Option<String>,
}

/// One operation of a transaction. `D` is the type of documents: a tape may have only the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation<D = Document> {
    /// Writes an item.
    Put {
        /// Its key.
        key: Key,
        /// Its document.
        document: D,
        /// Its precondition, secondary key and expiry.
        options: PutOptions,
    },
    /// Removes an item.
    Delete {
        /// Its key.
        key: Key,
        /// The precondition.
        precondition: Precondition,
    },
    /// Checks a precondition without writing.
    Check {
        /// The key.
        key: Key,
        /// The precondition.
        precondition: Precondition,
    },
}

impl<D> Operation<D> {
    /// The key of its item.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// Its precondition.
    pub fn precondition(&self) -> &Precondition {
        match self {
            Self::Put { options, .. } => &options.precondition,
            Self::Delete { precondition, .. } | Self::Check { precondition, .. } => precondition,
        }
    }
}

impl<D> Operation<Option<D>> {
    /// The same with its document; `None` if it is not known.
    pub fn transpose(self) -> Option<Operation<D>> {
        Some(match self {
            Self::Put {
                key,
                document,
                options,
            } => Operation::Put {
                key,
                document: document?,
                options,
            },
            Self::Delete { key, precondition } => Operation::Delete { key, precondition },
            Self::Check { key, precondition } => Operation::Check { key, precondition },
        })
    }
}

/// The outcome of a put. Losing a race is an outcome, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written; the item's new revision.
    Done(Revision),
    /// Nothing was written; the existing item.
    PreconditionFailed(Option<Item>),
}

/// The outcome of a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// Deleted, or the item was absent and that was allowed.
    Done,
    /// Nothing was deleted; the existing item.
    PreconditionFailed(Option<Item>),
}

/// The outcome of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactOutcome {
    /// Everything was done; the new revision of each put, `None` for other operations.
    Done(Vec<Option<Revision>>),
    /// Nothing was done.
    PreconditionFailed {
        /// The first operation whose precondition did not hold.
        position: u32,
        /// The existing item.
        item: Option<Item>,
    },
}

/// Why a call has no outcome. The texts reach the guest: they name rules and sizes, never tables, files, accounts or addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The call breaks the named rule.
    #[error("{0}")]
    Invalid(String),
    /// A document or transaction exceeds the named size limit.
    #[error("{0}")]
    TooLarge(String),
    /// The store asks to slow down.
    #[error("the store is throttling")]
    Throttled {
        /// When to retry, if the store said so.
        retry_after_ms: Option<u64>,
    },
    /// The store cannot be reached or is failing; nothing was written.
    #[error("the store is unavailable")]
    Unavailable,
    /// Another transaction kept interfering; nothing was written.
    #[error("another transaction interfered")]
    Conflict,
    /// A write ran out of time and may or may not have happened.
    #[error("the write ran out of time and may or may not have happened")]
    OutcomeUnknown,
    /// The host's credentials or configuration are wrong for the store.
    #[error("the host is not configured for its store")]
    Misconfigured,
    /// The stored data cannot be read as an item, or the host has a bug.
    #[error("internal storage error")]
    Internal,
}

/// Whether an item with this expiry, if any, counts as deleted at `now_ms` milliseconds since the Unix epoch.
pub fn is_expired(expires_at: Option<u64>, now_ms: u64) -> bool {
    expires_at.is_some_and(|seconds| seconds <= now_ms / 1000)
}

impl Revision {
    /// The text of the revision.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Accepts any text: a revision that never existed simply matches nothing.
impl From<String> for Revision {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Document {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Size of the document as DynamoDB counts it, without keys and other attributes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
