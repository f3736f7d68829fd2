//! The only file that knows the generated bindings: converts their types to and from [`crate::http`] and [`crate::ports`].

use self::bindings::{
    exports::tenon::handler::handler::{Guest, Request as WitRequest, Response as WitResponse},
    tenon::handler::{
        http::Field,
        log::{self, Attribute},
        storage,
    },
    wasi::random::random,
};
use crate::{
    http::Request,
    ports::{
        Consistency, DeleteOutcome, Direction, Host, Key, Level, Page, PageRequest, Precondition,
        Put, PutOutcome, StorageError, Stored, TransactOutcome,
    },
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{arch::wasm32, panic::PanicInfo};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../wit", "wit"],
        inline: "
            package tenon:guest;

            world items {
                include tenon:handler/service@0.1.0;
                import wasi:random/random@0.2.6;
            }
        ",
        generate_all,
    });
    use super::Component;
    export!(Component);
}

struct Component;

impl Guest for Component {
    fn handle(request: WitRequest) -> WitResponse {
        let response = crate::handle(&request.into(), &Imports);
        WitResponse {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| Field {
                    name: name.to_owned(),
                    value: value.into_owned(),
                })
                .collect(),
            body: response.body,
        }
    }
}

impl From<WitRequest> for Request {
    fn from(request: WitRequest) -> Self {
        Self {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers.into(),
            body: request.body,
            base_path: request.context.base_path,
            request_id: request.context.request_id,
            received_at_ms: request.context.received_at_ms,
            subject: request
                .context
                .identity
                .and_then(|identity| identity.subject),
        }
    }
}

/// The host, called through the imports.
struct Imports;

impl Host for Imports {
    fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Stored>, StorageError> {
        let item = storage::get(&key.into(), consistency.into())?;
        Ok(item.map(Stored::from))
    }

    fn get_many(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Stored>>, StorageError> {
        let keys: Vec<storage::Key> = keys.iter().map(storage::Key::from).collect();
        let items = storage::get_many(&keys, consistency.into())?;
        Ok(items
            .into_iter()
            .map(|item| item.map(Stored::from))
            .collect())
    }

    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError> {
        let outcome = storage::put(&(&put.key).into(), &put.document, &put.into())?;
        Ok(match outcome {
            storage::PutOutcome::Done(revision) => PutOutcome::Done(revision),
            storage::PutOutcome::PreconditionFailed(item) => {
                PutOutcome::PreconditionFailed(item.map(Stored::from))
            }
        })
    }

    fn delete(
        &self,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        Ok(match storage::delete(&key.into(), &precondition.into())? {
            storage::DeleteOutcome::Done => DeleteOutcome::Done,
            storage::DeleteOutcome::PreconditionFailed(item) => {
                DeleteOutcome::PreconditionFailed(item.map(Stored::from))
            }
        })
    }

    fn query(
        &self,
        partition: &str,
        consistency: Consistency,
        page: &PageRequest,
    ) -> Result<Page, StorageError> {
        Ok(storage::query(partition, consistency.into(), &page.into())?.into())
    }

    fn query_index(&self, partition: &str, page: &PageRequest) -> Result<Page, StorageError> {
        Ok(storage::query_index(partition, &page.into())?.into())
    }

    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError> {
        let operations: Vec<storage::Operation> = puts
            .iter()
            .map(|put| {
                storage::Operation::Put(storage::PutOperation {
                    key: (&put.key).into(),
                    document: put.document.clone(),
                    options: put.into(),
                })
            })
            .collect();
        Ok(match storage::transact(&operations, None)? {
            storage::TransactOutcome::Done(revisions) => TransactOutcome::Done(revisions),
            storage::TransactOutcome::PreconditionFailed(failed) => {
                TransactOutcome::PreconditionFailed {
                    position: failed.position,
                    item: failed.item.map(Stored::from),
                }
            }
        })
    }

    fn random_u64(&self) -> u64 {
        random::get_random_u64()
    }

    fn log(&self, level: Level, message: &str, attributes: &[(&str, &str)]) {
        let attributes: Vec<Attribute> = attributes
            .iter()
            .map(|(key, value)| Attribute {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect();
        let level = match level {
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, message, &attributes);
    }
}

impl From<&Key> for storage::Key {
    fn from(key: &Key) -> Self {
        Self {
            partition: key.partition.clone(),
            sort: key.sort.clone(),
        }
    }
}

impl From<storage::Item> for Stored {
    fn from(item: storage::Item) -> Self {
        Self {
            document: item.document,
            revision: item.revision,
            index: item.index.map(|key| Key {
                partition: key.partition,
                sort: key.sort,
            }),
            expires_at: item.expires_at,
        }
    }
}

impl From<storage::Page> for Page {
    fn from(page: storage::Page) -> Self {
        Self {
            items: page
                .entries
                .into_iter()
                .map(|entry| entry.item.into())
                .collect(),
            cursor: page.cursor,
        }
    }
}

impl From<&Precondition> for storage::Precondition {
    fn from(precondition: &Precondition) -> Self {
        match precondition {
            Precondition::None => Self::None,
            Precondition::Absent => Self::Absent,
            Precondition::Present => Self::Present,
            Precondition::Revision(revision) => Self::Revision(revision.clone()),
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

impl From<&Put> for storage::PutOptions {
    fn from(put: &Put) -> Self {
        Self {
            precondition: (&put.precondition).into(),
            index: put.index.as_ref().map(storage::Key::from),
            expires_at: put.expires_at,
        }
    }
}

impl From<&PageRequest> for storage::QueryOptions {
    fn from(page: &PageRequest) -> Self {
        Self {
            range: storage::SortRange::All,
            direction: match page.direction {
                Direction::Ascending => storage::Direction::Ascending,
                Direction::Descending => storage::Direction::Descending,
            },
            limit: page.limit,
            cursor: page.cursor.clone(),
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

/// Prints location and message, then traps: the host answers 500.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let location = info.location().map_or_else(String::new, |place| {
        format!("{}:{}", place.file(), place.line())
    });
    Imports.log(
        Level::Error,
        &info.message().to_string(),
        &[("panicked-at", &location)],
    );
    wasm32::unreachable()
}
