//! What is read from the store.

use super::Key;
use crate::{
    Page,
    contract::{RawItem, RawKey, StorageError},
    json::FromJson,
};
use alloc::{format, string::String};
use serde::{Serialize, Serializer};

/// A document with its revision.
///
/// As a response it is the document as JSON, with the revision as `ETag`; GET and HEAD with `If-None-Match` are answered with 304, with an
/// `If-Match` that does not hold with 412.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<T> {
    /// The document.
    pub value: T,
    /// Names this state of the item; after each write another one.
    pub revision: String,
    /// Seconds since the Unix epoch from which the item counts as deleted.
    pub expires_at: Option<u64>,
    pub(crate) index: Option<RawKey>,
}

/// An item of a query, with its key. It is serialised as its document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<T> {
    /// Its key.
    pub key: Key<T>,
    /// The item.
    pub item: Item<T>,
}

impl<T> Item<T> {
    /// A document with its revision, such as one that a [`Transaction`](super::Transaction) has returned, for a response.
    pub fn new(value: T, revision: impl Into<String>) -> Self {
        Self {
            value,
            revision: revision.into(),
            expires_at: None,
            index: None,
        }
    }

    /// The secondary key as partition and sort key, if it has one.
    pub fn index(&self) -> Option<(&str, &str)> {
        let index = self.index.as_ref()?;
        Some((&index.partition, &index.sort))
    }

    /// The item with another document, for a response that is not what is stored.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Item<U> {
        Item {
            value: convert(self.value),
            revision: self.revision,
            expires_at: self.expires_at,
            index: self.index,
        }
    }
}

impl<T: FromJson> Item<T> {
    pub(crate) fn read(key: &RawKey, raw: RawItem) -> Result<Self, StorageError> {
        let value = T::from_document(raw.document).map_err(|error| {
            StorageError::Document(format!(
                "what is stored under {:?}, {:?} does not fit: {error}",
                key.partition, key.sort
            ))
        })?;
        Ok(Self {
            value,
            revision: raw.revision,
            expires_at: raw.expires_at,
            index: raw.index,
        })
    }
}

impl<T: Serialize> Serialize for Entry<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.item.value.serialize(serializer)
    }
}

impl<T> Page<Entry<T>> {
    /// The page of the documents alone.
    pub fn values(self) -> Page<T> {
        self.map(|entry| entry.item.value)
    }
}
