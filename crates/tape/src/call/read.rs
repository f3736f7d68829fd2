//! Reads the parts of storage calls from JSON.

use super::StorageFunction;
use crate::splices::list;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use std::borrow::Cow;
use storage::{
    Consistency, Direction, Document, Entry, Item, Key, Operation, Page, Precondition, PutOptions,
    QueryOptions, Revision, SortRange, StorageError, StorageResponse,
};

/// A recorded result.
#[derive(Clone, Debug, Deserialize)]
pub struct ResultRecord<'a> {
    /// The outcome; its form depends on the function.
    #[serde(borrow, default, deserialize_with = "present")]
    pub ok: Option<&'a RawValue>,
    /// The name of the error.
    #[serde(borrow, default)]
    pub error: Option<Cow<'a, str>>,
    /// For `invalid` and `too-large`: which rule, by how much.
    #[serde(borrow, default)]
    pub message: Option<Cow<'a, str>>,
    /// For `throttled`.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

/// `Some` even if the value is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Why a recorded result cannot be returned to a guest.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It is not a result of the function.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// It contains a document that was too long for the tape.
    #[error("the tape has only the digest of a document that the store returned")]
    Omitted,
}

impl<'a> ResultRecord<'a> {
    /// The response or the error of a call of this function.
    pub fn read(
        &self,
        function: StorageFunction,
    ) -> Result<Result<StorageResponse, StorageError>, ResultError> {
        match (&self.ok, self.storage_error()?) {
            (_, Some(error)) => Ok(Err(error)),
            (Some(json), None) => super::read_response(function, json.get()).map(Ok),
            (None, None) => {
                Err(serde_json::Error::custom("result has neither `ok` nor `error`").into())
            }
        }
    }

    /// The error, if it is one.
    pub fn storage_error(&self) -> Result<Option<StorageError>, serde_json::Error> {
        let Some(name) = &self.error else {
            return Ok(None);
        };
        let message = || self.message.clone().unwrap_or_default().into_owned();
        Ok(Some(match &**name {
            "invalid" => StorageError::Invalid(message()),
            "too-large" => StorageError::TooLarge(message()),
            "throttled" => StorageError::Throttled {
                retry_after_ms: self.retry_after_ms,
            },
            "unavailable" => StorageError::Unavailable,
            "conflict" => StorageError::Conflict,
            "outcome-unknown" => StorageError::OutcomeUnknown,
            "misconfigured" => StorageError::Misconfigured,
            "internal" => StorageError::Internal,
            other => {
                return Err(serde_json::Error::custom(format_args!(
                    "unknown storage error `{other}`"
                )));
            }
        }))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`; its lists are bounded"
)]
pub(super) fn page(json: &str) -> Result<Page, ResultError> {
    let page: PageRecord<'_> = serde_json::from_str(json)?;
    let entries = page.entries.into_iter().map(EntryRecord::entry);
    Ok(Page {
        entries: entries.collect::<Result<_, _>>()?,
        cursor: page.cursor,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`"
)]
pub(super) fn found(json: &str) -> Result<Option<Item>, ResultError> {
    serde_json::from_str::<Option<ItemRecord<'_>>>(json)?
        .map(ItemRecord::item)
        .transpose()
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`; its list is bounded"
)]
pub(super) fn found_many(json: &str) -> Result<Vec<Option<Item>>, ResultError> {
    let items = list::<_, Option<ItemRecord<'_>>>(&mut serde_json::Deserializer::from_str(json))?;
    items
        .into_iter()
        .map(|item| item.map(ItemRecord::item).transpose())
        .collect()
}

#[derive(Deserialize)]
pub(super) struct ItemRecord<'a> {
    #[serde(borrow, default)]
    document: Option<&'a RawValue>,
    revision: Revision,
    #[serde(default)]
    index: Option<Key>,
    #[serde(default)]
    expires_at: Option<u64>,
}

impl ItemRecord<'_> {
    pub(super) fn item(self) -> Result<Item, ResultError> {
        let document = self.document.ok_or(ResultError::Omitted)?;
        Ok(Item {
            document: document_of(document)?,
            revision: self.revision,
            index: self.index,
            expires_at: self.expires_at,
        })
    }
}

#[derive(Deserialize)]
struct EntryRecord<'a> {
    partition: String,
    sort: String,
    #[serde(borrow, default)]
    document: Option<&'a RawValue>,
    revision: Revision,
    #[serde(default)]
    index: Option<Key>,
    #[serde(default)]
    expires_at: Option<u64>,
}

impl EntryRecord<'_> {
    fn entry(self) -> Result<Entry, ResultError> {
        let item = ItemRecord {
            document: self.document,
            revision: self.revision,
            index: self.index,
            expires_at: self.expires_at,
        };
        Ok(Entry {
            key: Key {
                partition: self.partition,
                sort: self.sort,
            },
            item: item.item()?,
        })
    }
}

#[derive(Deserialize)]
struct PageRecord<'a> {
    #[serde(borrow)]
    entries: Vec<EntryRecord<'a>>,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PutOutcomeRecord<'a> {
    Done(Revision),
    #[serde(borrow)]
    PreconditionFailed(&'a RawValue),
}

#[derive(Deserialize)]
pub(super) struct DeleteOutcomeRecord<'a> {
    #[serde(default)]
    pub(super) done: bool,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) precondition_failed: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TransactOutcomeRecord<'a> {
    Done(#[serde(deserialize_with = "list")] Vec<Option<Revision>>),
    #[serde(borrow)]
    PreconditionFailed(FailedRecord<'a>),
}

#[derive(Deserialize)]
pub(super) struct FailedRecord<'a> {
    pub(super) position: u32,
    #[serde(borrow, default)]
    pub(super) item: Option<ItemRecord<'a>>,
}

#[derive(Deserialize)]
pub(super) struct GetRecord {
    pub(super) key: Key,
    pub(super) consistency: Consistency,
}

#[derive(Deserialize)]
pub(super) struct GetManyRecord {
    pub(super) keys: Vec<Key>,
    pub(super) consistency: Consistency,
}

#[derive(Deserialize)]
pub(super) struct KeyedPrecondition {
    pub(super) key: Key,
    pub(super) precondition: Precondition,
}

#[derive(Deserialize)]
pub(super) struct PutRecord<'a> {
    key: Key,
    #[serde(borrow, default)]
    document: Option<&'a RawValue>,
    precondition: Precondition,
    #[serde(default)]
    index: Option<Key>,
    #[serde(default)]
    expires_at: Option<u64>,
}

impl PutRecord<'_> {
    pub(super) fn split(self) -> Result<(Key, Option<Document>, PutOptions), serde_json::Error> {
        let options = PutOptions {
            precondition: self.precondition,
            index: self.index,
            expires_at: self.expires_at,
        };
        Ok((
            self.key,
            self.document.map(document_of).transpose()?,
            options,
        ))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OperationRecord<'a> {
    #[serde(borrow)]
    Put(PutRecord<'a>),
    Delete(KeyedPrecondition),
    Check(KeyedPrecondition),
}

impl TryFrom<OperationRecord<'_>> for Operation<Option<Document>> {
    type Error = serde_json::Error;

    fn try_from(operation: OperationRecord<'_>) -> Result<Self, serde_json::Error> {
        Ok(match operation {
            OperationRecord::Put(put) => {
                let (key, document, options) = put.split()?;
                Self::Put {
                    key,
                    document,
                    options,
                }
            }
            OperationRecord::Delete(KeyedPrecondition { key, precondition }) => {
                Self::Delete { key, precondition }
            }
            OperationRecord::Check(KeyedPrecondition { key, precondition }) => {
                Self::Check { key, precondition }
            }
        })
    }
}

#[derive(Deserialize)]
pub(super) struct TransactRecord<'a> {
    #[serde(borrow)]
    pub(super) operations: Vec<OperationRecord<'a>>,
    #[serde(default)]
    pub(super) token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct QueryRecord {
    partition: String,
    #[serde(default)]
    pub(super) consistency: Option<Consistency>,
    range: SortRange,
    direction: Direction,
    limit: u32,
    #[serde(default)]
    cursor: Option<String>,
}

impl QueryRecord {
    pub(super) fn split(self) -> (String, QueryOptions) {
        let options = QueryOptions {
            range: self.range,
            direction: self.direction,
            limit: self.limit,
            cursor: self.cursor,
        };
        (self.partition, options)
    }
}

fn document_of(json: &RawValue) -> Result<Document, serde_json::Error> {
    Document::parse(json.get()).map_err(serde_json::Error::custom)
}
