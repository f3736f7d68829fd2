//! Entries and documents as JSON.

use crate::{Document, Entry, Item, Key, Revision, StorageError};
use json::{self, JsonError, Value};
use serde::{Deserialize, Serialize, de, ser};
use serde_json::{Map, value::RawValue};

/// The JSON form of an entry: `{partition, sort, document, revision, index?: {partition, sort}, expires_at?}`.
///
/// The document stays text for its own reader.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFields {
    partition: String,
    sort: String,
    document: Box<RawValue>,
    revision: String,
    #[serde(default)]
    index: Option<KeyFields>,
    #[serde(default)]
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFields {
    partition: String,
    sort: String,
}

impl Serialize for Entry {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As a tree, because raw text would be parsed again by another reader if it became part of a tree.
        let value = self.to_value().map_err(ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = EntryFields::deserialize(deserializer)?;
        Ok(Self {
            key: Key {
                partition: fields.partition,
                sort: fields.sort,
            },
            item: Item {
                document: Document::parse(fields.document.get()).map_err(de::Error::custom)?,
                revision: Revision::from(fields.revision),
                index: fields.index.map(|index| Key {
                    partition: index.partition,
                    sort: index.sort,
                }),
                expires_at: fields.expires_at,
            },
        })
    }
}

impl Entry {
    /// The JSON form as a tree.
    pub fn to_value(&self) -> Result<Value, JsonError> {
        let Self { key, item } = self;
        let mut members = key_members(key);
        members.insert("document".to_owned(), item.document.to_value()?);
        members.insert("revision".to_owned(), item.revision.as_str().into());
        if let Some(index) = &item.index {
            members.insert("index".to_owned(), key_members(index).into());
        }
        if let Some(expires_at) = item.expires_at {
            members.insert("expires_at".to_owned(), expires_at.into());
        }
        Ok(members.into())
    }
}

fn key_members(key: &Key) -> Map<String, Value> {
    [
        ("partition".to_owned(), key.partition.as_str().into()),
        ("sort".to_owned(), key.sort.as_str().into()),
    ]
    .into_iter()
    .collect()
}

impl Document {
    /// The document as a tree; numbers keep all their digits.
    pub fn to_value(&self) -> Result<Value, JsonError> {
        json::value(self.text.as_bytes())
    }

    /// [`Self::parse`] for a value that was already read, in which repeated members cannot be noticed any more.
    pub fn from_value(value: &Value) -> Result<Self, StorageError> {
        Self::parse(&value.to_string())
    }
}
