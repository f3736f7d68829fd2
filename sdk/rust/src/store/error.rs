//! Why a call has no result, and what the client reads then.

use super::Item;
use crate::{
    Problem,
    conditional::entity_tag,
    contract::{Level, RawItem, RawKey, StorageError},
    json::FromJson,
};
use alloc::{boxed::Box, format, string::ToString, vec::Vec};
use core::{fmt, marker::PhantomData};

/// Seconds after which an interrupted request should be retried.
const RETRY_SECONDS: u64 = 1;

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        const MESSAGE: &str = "storage call failed";
        let interrupted = |level, code: &'static str, detail: &'static str, seconds: u64| {
            Self::new(503, code, detail)
                .with_header("retry-after", seconds.to_string())
                .caused_by(level, MESSAGE, code)
        };
        match &error {
            StorageError::InvalidDocument(rule) => {
                Self::invalid_content(Vec::new()).with_error("", rule.clone())
            }
            StorageError::InvalidKey(rule) => Self::new(400, "invalid-key", rule.clone()),
            StorageError::InvalidCursor => {
                let detail = "`cursor` is not from an earlier page of this list";
                Self::new(400, "invalid-cursor", detail)
            }
            StorageError::TooLarge(limit) => {
                let detail = format!("a limit of the store is exceeded: {limit}");
                Self::new(413, "content-too-large", detail)
            }
            StorageError::Throttled(retry_after_ms) => interrupted(
                Level::Warn,
                "throttled",
                "the store asks to slow down; nothing was written",
                retry_after_ms.map_or(RETRY_SECONDS, |ms| ms.div_ceil(1000).max(1)),
            ),
            StorageError::Unavailable => interrupted(
                Level::Error,
                "unavailable",
                "the store cannot be reached; nothing was written",
                RETRY_SECONDS,
            ),
            StorageError::OutcomeUnknown => interrupted(
                Level::Error,
                "outcome-unknown",
                "the write ran out of time and may or may not have happened",
                RETRY_SECONDS,
            ),
            StorageError::Conflict => interference().caused_by(Level::Warn, MESSAGE, error),
            StorageError::Invalid(_)
            | StorageError::Misconfigured
            | StorageError::Internal
            | StorageError::Document(_) => Self::internal_because(MESSAGE, error),
        }
    }
}

/// Other requests kept changing what this request wanted to change.
pub(super) fn interference() -> Problem {
    let detail = "other requests kept interfering; nothing was written";
    Problem::new(409, "conflict", detail).with_header("retry-after", RETRY_SECONDS.to_string())
}

/// What is said about a write whose precondition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It should create: 409.
    Absent,
    /// Something should be there: 404.
    Present,
    /// Something should be unchanged: 409.
    Revision,
    /// A condition of the client: 412.
    Client,
}

/// Why a write did not happen. As a [`Problem`] it says what the precondition was: 404 if something should have been there, 409 if nothing
/// should have been or it has changed, 412 if the client set the condition.
#[non_exhaustive]
pub enum WriteError<T> {
    /// The precondition did not hold.
    Lost(Box<Found<T>>),
    /// The call has no result.
    Storage(StorageError),
}

/// What is there instead of what a precondition asked for.
pub struct Found<T> {
    key: RawKey,
    raw: Option<RawItem>,
    reason: Lost,
    marker: PhantomData<fn() -> T>,
}

impl<T> Found<T> {
    pub(super) fn new(key: RawKey, raw: Option<RawItem>, reason: Lost) -> Self {
        Self {
            key,
            raw,
            reason,
            marker: PhantomData,
        }
    }

    /// The revision of the existing item.
    pub fn revision(&self) -> Option<&str> {
        self.raw.as_ref().map(|raw| raw.revision.as_str())
    }
}

impl<T: FromJson> Found<T> {
    /// The existing item.
    pub fn item(&self) -> Result<Option<Item<T>>, StorageError> {
        let raw = self.raw.clone();
        raw.map(|raw| Item::read(&self.key, raw)).transpose()
    }
}

impl<T> From<StorageError> for WriteError<T> {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl<T> From<WriteError<T>> for Problem {
    fn from(error: WriteError<T>) -> Self {
        let found = match error {
            WriteError::Storage(error) => return error.into(),
            WriteError::Lost(found) => found,
        };
        let sort = &found.key.sort;
        match (found.reason, found.revision()) {
            (Lost::Present | Lost::Revision, None) => {
                Self::not_found(format!("there is no `{sort}`"))
            }
            (Lost::Absent, _) => Self::conflict(format!("there is a `{sort}` already")),
            (Lost::Present | Lost::Revision, Some(_)) => interference(),
            (Lost::Client, None) => Self::new(
                412,
                "precondition-failed",
                format!("a condition does not hold: there is no `{sort}`"),
            ),
            (Lost::Client, Some(revision)) => Self::new(
                412,
                "precondition-failed",
                format!("a condition does not hold: the entity tag is `\"{revision}\"`"),
            )
            .with_header("etag", entity_tag(revision)),
        }
    }
}

impl<T> fmt::Display for WriteError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(found) => match found.revision() {
                Some(revision) => write!(formatter, "there is an item with revision {revision}"),
                None => formatter.write_str("there is no item"),
            },
            Self::Storage(error) => error.fmt(formatter),
        }
    }
}

/// For any type of document.
impl<T> fmt::Debug for WriteError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(found) => formatter.debug_tuple("Lost").field(found).finish(),
            Self::Storage(error) => formatter.debug_tuple("Storage").field(error).finish(),
        }
    }
}

impl<T> fmt::Debug for Found<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Found")
            .field("key", &self.key)
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

impl<T> core::error::Error for WriteError<T> {}
