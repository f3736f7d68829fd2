//! One storage call on a tape: the function's name, its arguments and its result, as JSON.
//!
//! The form of each function is here, for writing and for reading. The same call always gives the same bytes, which a strict replay compares.
//! What several functions share, such as keys, items and preconditions, is in [`mod@write`] and [`read`].

pub mod read;
pub mod write;

pub use storage::StorageFunction;

use json::{Object, write_array, write_string};
use read::{
    DeleteOutcomeRecord, GetManyRecord, GetRecord, ItemRecord, KeyedPrecondition, PutOutcomeRecord,
    PutRecord, QueryRecord, ResultError, TransactOutcomeRecord, TransactRecord, found, found_many,
    page,
};
use serde::de::Error as _;
use serde_json::value::RawValue;
use storage::{
    DeleteOutcome, Document, PutOutcome, StorageError, StorageRequest, StorageResponse,
    TransactOutcome,
};
use write::{
    Documents, consistency_name, key, key_bytes_max, keyed_precondition, operation_bytes_max,
    precondition_bytes_max, put_bytes_max, put_members, query_bytes_max, query_members,
    text_bytes_max, write_entry, write_error, write_found, write_operation,
};

/// An upper bound of the written arguments of a call, without documents. A guest may pass arguments that the store then refuses, such as a
/// key of megabytes.
pub fn written_bytes_max(request: &StorageRequest) -> usize {
    match request {
        StorageRequest::Get { key, .. } => key_bytes_max(key),
        StorageRequest::GetMany { keys, .. } => keys.iter().map(key_bytes_max).sum(),
        StorageRequest::Put { key, options, .. } => put_bytes_max(key, options),
        StorageRequest::Delete { key, precondition } => {
            key_bytes_max(key) + precondition_bytes_max(precondition)
        }
        StorageRequest::Query {
            partition, options, ..
        }
        | StorageRequest::QueryIndex { partition, options } => query_bytes_max(partition, options),
        StorageRequest::Transact { operations, token } => {
            operations.iter().map(operation_bytes_max).sum::<usize>()
                + token.as_deref().map_or(0, text_bytes_max)
        }
    }
}

/// Writes the object of a call's arguments.
pub fn write_arguments(out: &mut Vec<u8>, request: &StorageRequest, documents: &mut dyn Documents) {
    let mut object = Object::begin(out);
    match request {
        StorageRequest::Get {
            key: at,
            consistency,
        } => {
            key(object.name("key"), at);
            object.string("consistency", consistency_name(*consistency));
        }
        StorageRequest::GetMany { keys, consistency } => {
            write_array(object.name("keys"), keys, key);
            object.string("consistency", consistency_name(*consistency));
        }
        StorageRequest::Put {
            key: at,
            document,
            options,
        } => put_members(&mut object, at, document, options, documents),
        StorageRequest::Delete {
            key: at,
            precondition,
        } => keyed_precondition(&mut object, at, precondition),
        StorageRequest::Query {
            partition,
            consistency,
            options,
        } => {
            object.string("partition", partition);
            object.string("consistency", consistency_name(*consistency));
            query_members(&mut object, options);
        }
        StorageRequest::QueryIndex { partition, options } => {
            object.string("partition", partition);
            query_members(&mut object, options);
        }
        StorageRequest::Transact { operations, token } => {
            write_array(object.name("operations"), operations, |out, operation| {
                write_operation(out, operation, documents);
            });
            if let Some(token) = token {
                object.string("token", token);
            }
        }
    }
    object.end();
}

/// Writes the object of a result: `{"ok": ...}`, or `{"error": NAME}` with the error's other members.
pub fn write_result(
    out: &mut Vec<u8>,
    result: Result<&StorageResponse, &StorageError>,
    documents: &mut dyn Documents,
) {
    let mut object = Object::begin(out);
    match result {
        Ok(response) => write_response(object.name("ok"), response, documents),
        Err(error) => write_error(&mut object, error),
    }
    object.end();
}

fn write_response(out: &mut Vec<u8>, response: &StorageResponse, documents: &mut dyn Documents) {
    match response {
        StorageResponse::Get(found) => write_found(out, found.as_ref(), documents),
        StorageResponse::GetMany(found) => write_array(out, found, |out, found| {
            write_found(out, found.as_ref(), documents);
        }),
        StorageResponse::Put(PutOutcome::Done(revision)) => {
            let mut object = Object::begin(out);
            object.string("done", revision.as_str());
            object.end();
        }
        StorageResponse::Delete(DeleteOutcome::Done) => out.extend_from_slice(br#"{"done":true}"#),
        StorageResponse::Put(PutOutcome::PreconditionFailed(found))
        | StorageResponse::Delete(DeleteOutcome::PreconditionFailed(found)) => {
            let mut object = Object::begin(out);
            write_found(
                object.name("precondition_failed"),
                found.as_ref(),
                documents,
            );
            object.end();
        }
        StorageResponse::Query(page) | StorageResponse::QueryIndex(page) => {
            let mut object = Object::begin(out);
            write_array(object.name("entries"), &page.entries, |out, entry| {
                write_entry(out, entry, documents);
            });
            if let Some(cursor) = &page.cursor {
                object.string("cursor", cursor);
            }
            object.end();
        }
        StorageResponse::Transact(TransactOutcome::Done(revisions)) => {
            let mut object = Object::begin(out);
            write_array(
                object.name("done"),
                revisions,
                |out, revision| match revision {
                    Some(revision) => write_string(out, revision.as_str()),
                    None => out.extend_from_slice(b"null"),
                },
            );
            object.end();
        }
        StorageResponse::Transact(TransactOutcome::PreconditionFailed { position, item }) => {
            let mut object = Object::begin(out);
            let mut failed = Object::begin(object.name("precondition_failed"));
            failed.number("position", u64::from(*position));
            write_found(failed.name("item"), item.as_ref(), documents);
            failed.end();
            object.end();
        }
    }
}

/// A recorded call. Documents are `None` if the tape does not contain them.
pub type RecordedArguments = StorageRequest<Option<Document>>;

/// Reads the arguments of a function.
#[expect(
    clippy::disallowed_methods,
    reason = "read into types of named members that hold no `Value`; their lists are bounded"
)]
pub fn read_arguments(
    function: StorageFunction,
    json: &RawValue,
) -> Result<RecordedArguments, serde_json::Error> {
    let json = json.get();
    Ok(match function {
        StorageFunction::Get => {
            let GetRecord { key, consistency } = serde_json::from_str(json)?;
            StorageRequest::Get { key, consistency }
        }
        StorageFunction::GetMany => {
            let GetManyRecord { keys, consistency } = serde_json::from_str(json)?;
            StorageRequest::GetMany { keys, consistency }
        }
        StorageFunction::Put => {
            let (key, document, options) = serde_json::from_str::<PutRecord<'_>>(json)?.split()?;
            StorageRequest::Put {
                key,
                document,
                options,
            }
        }
        StorageFunction::Delete => {
            let KeyedPrecondition { key, precondition } = serde_json::from_str(json)?;
            StorageRequest::Delete { key, precondition }
        }
        StorageFunction::Query => {
            let query: QueryRecord = serde_json::from_str(json)?;
            let consistency = query
                .consistency
                .ok_or_else(|| serde_json::Error::missing_field("consistency"))?;
            let (partition, options) = query.split();
            StorageRequest::Query {
                partition,
                consistency,
                options,
            }
        }
        StorageFunction::QueryIndex => {
            let (partition, options) = serde_json::from_str::<QueryRecord>(json)?.split();
            StorageRequest::QueryIndex { partition, options }
        }
        StorageFunction::Transact => {
            let record: TransactRecord<'_> = serde_json::from_str(json)?;
            let operations = record.operations.into_iter().map(TryInto::try_into);
            StorageRequest::Transact {
                operations: operations.collect::<Result<_, _>>()?,
                token: record.token,
            }
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into types of named members that hold no `Value`; their lists are bounded"
)]
fn read_response(function: StorageFunction, json: &str) -> Result<StorageResponse, ResultError> {
    Ok(match function {
        StorageFunction::Get => StorageResponse::Get(found(json)?),
        StorageFunction::GetMany => StorageResponse::GetMany(found_many(json)?),
        StorageFunction::Put => StorageResponse::Put(match serde_json::from_str(json)? {
            PutOutcomeRecord::Done(revision) => PutOutcome::Done(revision),
            PutOutcomeRecord::PreconditionFailed(json) => {
                PutOutcome::PreconditionFailed(found(json.get())?)
            }
        }),
        StorageFunction::Delete => {
            let record: DeleteOutcomeRecord<'_> = serde_json::from_str(json)?;
            StorageResponse::Delete(match (record.precondition_failed, record.done) {
                (Some(json), _) => DeleteOutcome::PreconditionFailed(found(json.get())?),
                (None, true) => DeleteOutcome::Done,
                (None, false) => return Err(serde_json::Error::missing_field("done").into()),
            })
        }
        StorageFunction::Query => StorageResponse::Query(page(json)?),
        StorageFunction::QueryIndex => StorageResponse::QueryIndex(page(json)?),
        StorageFunction::Transact => StorageResponse::Transact(match serde_json::from_str(json)? {
            TransactOutcomeRecord::Done(revisions) => TransactOutcome::Done(revisions),
            TransactOutcomeRecord::PreconditionFailed(failed) => {
                TransactOutcome::PreconditionFailed {
                    position: failed.position,
                    item: failed.item.map(ItemRecord::item).transpose()?,
                }
            }
        }),
    })
}

#[cfg(test)]
mod tests;
