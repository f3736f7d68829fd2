//! The vocabulary of `wit/storage.wit` and `wit/log.wit`.

pub mod outgoing;
pub mod secrets;

use alloc::{string::String, vec::Vec};
use core::fmt;

/// How severe a log line is, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// For somebody who looks for a mistake.
    Debug,
    /// What happened.
    Info,
    /// What an operator may want to look into.
    Warn,
    /// What an operator must repair.
    Error,
}

/// A line of the log of a test.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Its level.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// Names and values; a value is JSON text.
    pub attributes: Vec<(String, String)>,
}

#[cfg(not(target_arch = "wasm32"))]
impl LogLine {
    /// The JSON text of an attribute; of several with this name the last one.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// The precondition of a write. An expired item is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No condition.
    #[default]
    None,
    /// No item exists.
    Absent,
    /// An item exists.
    Present,
    /// An item exists with this revision.
    Revision(String),
}

/// How current a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// May lag behind acknowledged writes; half the price on DynamoDB.
    Eventual,
    /// Sees every write acknowledged before it.
    #[default]
    Strong,
}

/// Order of a query by sort key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Lowest bytes first.
    #[default]
    Ascending,
    /// Highest bytes first.
    Descending,
}

/// The sort keys that a query covers; bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SortRange {
    /// The whole partition.
    #[default]
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

/// Why a call to the store has no result. As a [`Problem`](crate::Problem) it is also a line in the log, unless the client is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageError {
    /// The program breaks the named rule of the store: 500.
    Invalid(String),
    /// The document breaks the named rule (digits, depth, names of members), and documents come from clients: 422.
    InvalidDocument(String),
    /// An item cannot have the key of a write, of which a part is empty or too long, or a bound of a query is too long. Parts of keys come from
    /// clients: 400.
    InvalidKey(String),
    /// The cursor is not from an earlier page of this query: 400.
    InvalidCursor,
    /// Over the named size limit: 413.
    TooLarge(String),
    /// The store asks to slow down, for this many milliseconds if known. Nothing was written: 503.
    Throttled(Option<u64>),
    /// The store is failing. Nothing was written: 503.
    Unavailable,
    /// Another transaction kept interfering. Nothing was written: 409.
    Conflict,
    /// A write may or may not have happened: 503.
    OutcomeUnknown,
    /// The host is misconfigured for its store: 500.
    Misconfigured,
    /// Unreadable data, or a bug of the host: 500.
    Internal,
    /// What is stored is not of the type that is read: 500.
    Document(String),
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(rule) | Self::InvalidDocument(rule) | Self::InvalidKey(rule) => {
                write!(formatter, "invalid: {rule}")
            }
            Self::InvalidCursor => formatter.write_str("invalid cursor"),
            Self::TooLarge(limit) => write!(formatter, "too large: {limit}"),
            Self::Throttled(_) => formatter.write_str("throttled"),
            Self::Unavailable => formatter.write_str("unavailable"),
            Self::Conflict => formatter.write_str("conflict"),
            Self::OutcomeUnknown => formatter.write_str("outcome-unknown"),
            Self::Misconfigured => formatter.write_str("misconfigured"),
            Self::Internal => formatter.write_str("internal"),
            Self::Document(detail) => formatter.write_str(detail),
        }
    }
}

impl core::error::Error for StorageError {}

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawKey {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawItem {
    pub(crate) document: String,
    pub(crate) revision: String,
    pub(crate) index: Option<RawKey>,
    pub(crate) expires_at: Option<u64>,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPut {
    pub(crate) key: RawKey,
    pub(crate) document: String,
    pub(crate) precondition: Precondition,
    pub(crate) index: Option<RawKey>,
    pub(crate) expires_at: Option<u64>,
}

/// The part of a partition that a query returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawQuery {
    pub(crate) range: SortRange,
    pub(crate) direction: Direction,
    pub(crate) limit: u32,
    pub(crate) cursor: Option<String>,
}

/// One page of a query's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPage {
    pub(crate) entries: Vec<(RawKey, RawItem)>,
    pub(crate) cursor: Option<String>,
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawOperation {
    Put(RawPut),
    Delete(RawKey, Precondition),
    Check(RawKey, Precondition),
}

/// A write whose precondition did not hold: the existing item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLost(pub(crate) Option<RawItem>);

/// A transaction of which one precondition did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLostTransaction {
    pub(crate) position: u32,
    pub(crate) found: Option<RawItem>,
}

/// The outcome of a put: the new revision.
pub(crate) type RawPutOutcome = Result<String, RawLost>;
/// The outcome of a delete.
pub(crate) type RawDeleteOutcome = Result<(), RawLost>;
/// The outcome of a transaction: the new revision of each put.
pub(crate) type RawTransactOutcome = Result<Vec<Option<String>>, RawLostTransaction>;
