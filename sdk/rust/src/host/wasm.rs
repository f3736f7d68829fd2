//! The only file that knows the generated bindings.

use crate::contract::{
    Consistency, Direction, Level, Precondition, RawDeleteOutcome, RawItem, RawKey, RawLost,
    RawLostTransaction, RawOperation, RawPage, RawPut, RawPutOutcome, RawQuery, RawTransactOutcome,
    SortRange, StorageError,
};
use alloc::{string::String, vec::Vec};
use bindings::{
    tenon::handler::{log, storage},
    wasi::random::random,
};

#[allow(
    clippy::allow_attributes,
    missing_docs,
    unsafe_code,
    unused_qualifications,
    reason = "generated"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["wit", "random"],
        inline: "
            package tenon:sdk;

            world api {
                include tenon:handler/service@0.1.0;
                import wasi:random/random@0.2.6;
            }
        ",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "tenon::component::bindings",
    });
}

/// The imports of the component. Not `Copy`, because the host of native tests is not.
#[derive(Clone)]
pub(crate) struct Host;

impl Host {
    pub(crate) fn get(
        &self,
        key: &RawKey,
        consistency: Consistency,
    ) -> Result<Option<RawItem>, StorageError> {
        let item = storage::get(&key.clone().into(), consistency.into())?;
        Ok(item.map(RawItem::from))
    }

    pub(crate) fn get_many(
        &self,
        keys: Vec<RawKey>,
        consistency: Consistency,
    ) -> Result<Vec<Option<RawItem>>, StorageError> {
        let keys: Vec<_> = keys.into_iter().map(storage::Key::from).collect();
        let items = storage::get_many(&keys, consistency.into())?;
        Ok(items
            .into_iter()
            .map(|item| item.map(RawItem::from))
            .collect())
    }

    pub(crate) fn put(&self, put: &RawPut) -> Result<RawPutOutcome, StorageError> {
        let options = storage::PutOptions {
            precondition: put.precondition.clone().into(),
            index: put.index.clone().map(storage::Key::from),
            expires_at: put.expires_at,
        };
        let outcome = storage::put(&put.key.clone().into(), &put.document, &options)?;
        Ok(match outcome {
            storage::PutOutcome::Done(revision) => Ok(revision),
            storage::PutOutcome::PreconditionFailed(found) => {
                Err(RawLost(found.map(RawItem::from)))
            }
        })
    }

    pub(crate) fn delete(
        &self,
        key: &RawKey,
        precondition: Precondition,
    ) -> Result<RawDeleteOutcome, StorageError> {
        Ok(
            match storage::delete(&key.clone().into(), &precondition.into())? {
                storage::DeleteOutcome::Done => Ok(()),
                storage::DeleteOutcome::PreconditionFailed(found) => {
                    Err(RawLost(found.map(RawItem::from)))
                }
            },
        )
    }

    pub(crate) fn query(
        &self,
        partition: &str,
        consistency: Consistency,
        query: RawQuery,
    ) -> Result<RawPage, StorageError> {
        Ok(storage::query(partition, consistency.into(), &query.into())?.into())
    }

    pub(crate) fn query_index(
        &self,
        partition: &str,
        query: RawQuery,
    ) -> Result<RawPage, StorageError> {
        Ok(storage::query_index(partition, &query.into())?.into())
    }

    pub(crate) fn transact(
        &self,
        operations: Vec<RawOperation>,
        token: Option<&str>,
    ) -> Result<RawTransactOutcome, StorageError> {
        let operations: Vec<_> = operations
            .into_iter()
            .map(storage::Operation::from)
            .collect();
        Ok(match storage::transact(&operations, token)? {
            storage::TransactOutcome::Done(revisions) => Ok(revisions),
            storage::TransactOutcome::PreconditionFailed(failed) => Err(RawLostTransaction {
                position: failed.position,
                found: failed.item.map(RawItem::from),
            }),
        })
    }

    pub(crate) fn random_u64(&self) -> u64 {
        random::get_random_u64()
    }

    pub(crate) fn log(&self, level: Level, message: &str, attributes: &[(String, String)]) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        let attributes: Vec<_> = attributes
            .iter()
            .map(|(key, value)| log::Attribute {
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        log::write(level, message, &attributes);
    }
}

impl From<RawKey> for storage::Key {
    fn from(key: RawKey) -> Self {
        Self {
            partition: key.partition,
            sort: key.sort,
        }
    }
}

impl From<storage::Key> for RawKey {
    fn from(key: storage::Key) -> Self {
        Self {
            partition: key.partition,
            sort: key.sort,
        }
    }
}

impl From<storage::Item> for RawItem {
    fn from(item: storage::Item) -> Self {
        Self {
            document: item.document,
            revision: item.revision,
            index: item.index.map(RawKey::from),
            expires_at: item.expires_at,
        }
    }
}

impl From<storage::Page> for RawPage {
    fn from(page: storage::Page) -> Self {
        let entries = page.entries.into_iter();
        Self {
            entries: entries
                .map(|entry| (entry.key.into(), entry.item.into()))
                .collect(),
            cursor: page.cursor,
        }
    }
}

impl From<RawPut> for storage::PutOperation {
    fn from(put: RawPut) -> Self {
        Self {
            key: put.key.into(),
            document: put.document,
            options: storage::PutOptions {
                precondition: put.precondition.into(),
                index: put.index.map(storage::Key::from),
                expires_at: put.expires_at,
            },
        }
    }
}

impl From<RawOperation> for storage::Operation {
    fn from(operation: RawOperation) -> Self {
        let keyed = |key: RawKey, precondition: Precondition| storage::KeyedPrecondition {
            key: key.into(),
            precondition: precondition.into(),
        };
        match operation {
            RawOperation::Put(put) => Self::Put(put.into()),
            RawOperation::Delete(key, precondition) => Self::Delete(keyed(key, precondition)),
            RawOperation::Check(key, precondition) => Self::Check(keyed(key, precondition)),
        }
    }
}

impl From<RawQuery> for storage::QueryOptions {
    fn from(query: RawQuery) -> Self {
        Self {
            range: match query.range {
                SortRange::All => storage::SortRange::All,
                SortRange::Prefix(prefix) => storage::SortRange::Prefix(prefix),
                SortRange::Between(first, last) => storage::SortRange::Between((first, last)),
                SortRange::AtLeast(first) => storage::SortRange::AtLeast(first),
                SortRange::AtMost(last) => storage::SortRange::AtMost(last),
            },
            direction: match query.direction {
                Direction::Ascending => storage::Direction::Ascending,
                Direction::Descending => storage::Direction::Descending,
            },
            limit: query.limit,
            cursor: query.cursor,
        }
    }
}

impl From<Precondition> for storage::Precondition {
    fn from(precondition: Precondition) -> Self {
        match precondition {
            Precondition::None => Self::None,
            Precondition::Absent => Self::Absent,
            Precondition::Present => Self::Present,
            Precondition::Revision(revision) => Self::Revision(revision),
        }
    }
}

impl From<Consistency> for storage::Consistency {
    fn from(consistency: Consistency) -> Self {
        match consistency {
            Consistency::Eventual => Self::Eventual,
            Consistency::Strong => Self::Strong,
        }
    }
}

impl From<storage::Error> for StorageError {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Invalid(rule) => Self::Invalid(rule),
            storage::Error::TooLarge(limit) => Self::TooLarge(limit),
            storage::Error::Throttled(retry_after_ms) => Self::Throttled(retry_after_ms),
            storage::Error::Unavailable => Self::Unavailable,
            storage::Error::Conflict => Self::Conflict,
            storage::Error::OutcomeUnknown => Self::OutcomeUnknown,
            storage::Error::Misconfigured => Self::Misconfigured,
            storage::Error::Internal => Self::Internal,
        }
    }
}
