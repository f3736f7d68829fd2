//! Whole contents of a store, for tests, cases and replays.

use super::{Document, Entry, Item, Key, Namespace, Revision, StorageError};
use serde::{Deserialize, Serialize, de, ser};
use serde_json::Value;

/// A store that can be filled and emptied into a list, revisions included.
pub trait Snapshot {
    /// Puts entries as they are, over what is there.
    fn load(&self, entries: Vec<Entry>) -> Result<(), StorageError>;

    /// Everything that has not expired at `now_ms`, in the order of partitions and sort keys.
    fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StorageError>;

    /// [`Self::load`] for entries as a guest names them.
    fn load_namespace(
        &self,
        namespace: &Namespace,
        entries: Vec<Entry>,
    ) -> Result<(), StorageError> {
        self.load(
            entries
                .into_iter()
                .map(|entry| namespace.enclose(entry))
                .collect(),
        )
    }

    /// [`Self::entries`] of one guest, as it names them.
    fn namespace_entries(
        &self,
        namespace: &Namespace,
        now_ms: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        Ok(self
            .entries(now_ms)?
            .into_iter()
            .filter_map(|entry| namespace.disclose(entry))
            .collect())
    }
}

/// The JSON form of an entry: `{partition, sort, document, revision, index?: {partition, sort}, expires_at?}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFields {
    partition: String,
    sort: String,
    document: Value,
    revision: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<KeyFields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFields {
    partition: String,
    sort: String,
}

impl Serialize for Entry {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, item } = self;
        EntryFields {
            partition: key.partition.clone(),
            sort: key.sort.clone(),
            document: item.document.to_value().map_err(ser::Error::custom)?,
            revision: item.revision.as_str().to_owned(),
            index: item.index.as_ref().map(|index| KeyFields {
                partition: index.partition.clone(),
                sort: index.sort.clone(),
            }),
            expires_at: item.expires_at,
        }
        .serialize(serializer)
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
                document: Document::from_value(&fields.document).map_err(de::Error::custom)?,
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

impl Document {
    /// The document as serde_json has it, numbers with all their digits.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.text)
    }

    /// [`Self::parse`] for a value that was read already. Repeated members cannot be noticed any more.
    pub fn from_value(value: &Value) -> Result<Self, StorageError> {
        Self::parse(&value.to_string())
    }
}
