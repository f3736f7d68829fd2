//! What a test asks.

use serde::Deserialize;
use storage::{
    Consistency, Direction, Document, Key, Operation, Precondition, PutOptions, QueryOptions,
    SortRange, StorageError, StorageRequest,
};

/// A call, by its name.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Question {
    /// A request begins: its time and its seed, 64 hexadecimal digits. Returns its id.
    Begin {
        now_ms: u64,
        seed: String,
    },
    /// A random number, which the request's seed decides: 16 hexadecimal digits.
    Random,
    /// See `wit/storage.wit`, as are the others.
    Get {
        key: Key,
        consistency: Consistency,
    },
    GetMany {
        keys: Vec<Key>,
        consistency: Consistency,
    },
    Put(Put),
    Delete(Keyed),
    Query {
        partition: String,
        consistency: Consistency,
        options: Query,
    },
    QueryIndex {
        partition: String,
        options: Query,
    },
    Transact {
        operations: Vec<OneOf>,
        token: Option<String>,
    },
}

#[derive(Deserialize)]
pub struct Put {
    key: Key,
    document: String,
    options: Options,
}

#[derive(Deserialize)]
pub struct Keyed {
    key: Key,
    precondition: Condition,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    precondition: Condition,
    index: Option<Key>,
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
pub struct Query {
    range: Range,
    direction: Direction,
    limit: u32,
    cursor: Option<String>,
}

/// An operation of a transaction.
#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub enum OneOf {
    Put(Put),
    Delete(Keyed),
    Check(Keyed),
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Condition {
    None,
    Absent,
    Present,
    Revision(String),
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Range {
    All,
    Prefix(String),
    Between(String, String),
    AtLeast(String),
    AtMost(String),
}

impl Question {
    /// The request to the store; `None` if the call is about something else.
    pub fn into_request(self) -> Result<Option<StorageRequest>, StorageError> {
        Ok(Some(match self {
            Self::Begin { .. } | Self::Random => return Ok(None),
            Self::Get { key, consistency } => StorageRequest::Get { key, consistency },
            Self::GetMany { keys, consistency } => StorageRequest::GetMany { keys, consistency },
            Self::Put(put) => StorageRequest::Put {
                document: Document::parse(&put.document)?,
                key: put.key,
                options: put.options.into(),
            },
            Self::Delete(Keyed { key, precondition }) => StorageRequest::Delete {
                key,
                precondition: precondition.into(),
            },
            Self::Query {
                partition,
                consistency,
                options,
            } => StorageRequest::Query {
                partition,
                consistency,
                options: options.into(),
            },
            Self::QueryIndex { partition, options } => StorageRequest::QueryIndex {
                partition,
                options: options.into(),
            },
            Self::Transact { operations, token } => StorageRequest::Transact {
                operations: operations
                    .into_iter()
                    .map(OneOf::into_operation)
                    .collect::<Result<_, _>>()?,
                token,
            },
        }))
    }
}

impl OneOf {
    fn into_operation(self) -> Result<Operation, StorageError> {
        Ok(match self {
            Self::Put(put) => Operation::Put {
                document: Document::parse(&put.document)?,
                key: put.key,
                options: put.options.into(),
            },
            Self::Delete(Keyed { key, precondition }) => Operation::Delete {
                key,
                precondition: precondition.into(),
            },
            Self::Check(Keyed { key, precondition }) => Operation::Check {
                key,
                precondition: precondition.into(),
            },
        })
    }
}

impl From<Options> for PutOptions {
    fn from(options: Options) -> Self {
        Self {
            precondition: options.precondition.into(),
            index: options.index,
            expires_at: options.expires_at,
        }
    }
}

impl From<Query> for QueryOptions {
    fn from(query: Query) -> Self {
        Self {
            range: query.range.into(),
            direction: query.direction,
            limit: query.limit,
            cursor: query.cursor,
        }
    }
}

impl From<Condition> for Precondition {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::None => Self::None,
            Condition::Absent => Self::Absent,
            Condition::Present => Self::Present,
            Condition::Revision(revision) => Self::Revision(revision.into()),
        }
    }
}

impl From<Range> for SortRange {
    fn from(range: Range) -> Self {
        match range {
            Range::All => Self::All,
            Range::Prefix(prefix) => Self::Prefix(prefix),
            Range::Between(first, last) => Self::Between(first, last),
            Range::AtLeast(first) => Self::AtLeast(first),
            Range::AtMost(last) => Self::AtMost(last),
        }
    }
}
