//! Writes storage calls as JSON. The same call always gives the same bytes, which a strict replay compares.

use json::{Object, write_array, write_number, write_string};
use storage::{
    Consistency, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Precondition,
    PutOptions, PutOutcome, QueryOptions, SortRange, StorageError, StorageRequest, StorageResponse,
    TransactOutcome,
};

/// How documents are written to the tape: unchanged, with fields redacted, or only as a note that it was long.
pub trait Documents {
    /// Writes the JSON for the document.
    fn write(&mut self, out: &mut Vec<u8>, document: &Document);
}

/// Largest size of an escaped character: `\u0001`.
const ESCAPE_BYTES_MAX: usize = 6;
/// Largest size of what surrounds a key, or an operation.
const KEY_BYTES: usize = 256;

/// An upper bound of the written arguments of a call, without documents: an escape takes six bytes. A guest may pass arguments that the
/// store then refuses, such as a key of megabytes.
pub fn written_bytes_max(request: &StorageRequest) -> usize {
    let key = |key: &Key| KEY_BYTES + ESCAPE_BYTES_MAX * (key.partition.len() + key.sort.len());
    let text = |text: &str| ESCAPE_BYTES_MAX * text.len();
    let when = |when: &Precondition| match when {
        Precondition::Revision(revision) => text(revision.as_str()),
        Precondition::None | Precondition::Absent | Precondition::Present => 0,
    };
    let put =
        |options: &PutOptions| when(&options.precondition) + options.index.as_ref().map_or(0, key);
    let query = |options: &QueryOptions| {
        let range = match &options.range {
            SortRange::All => 0,
            SortRange::Prefix(bound) | SortRange::AtLeast(bound) | SortRange::AtMost(bound) => {
                text(bound)
            }
            SortRange::Between(lower, upper) => text(lower) + text(upper),
        };
        range + options.cursor.as_deref().map_or(0, text)
    };
    let operation = |operation: &Operation| match operation {
        Operation::Put {
            key: at, options, ..
        } => key(at) + put(options),
        Operation::Delete {
            key: at,
            precondition,
        }
        | Operation::Check {
            key: at,
            precondition,
        } => key(at) + when(precondition),
    };
    match request {
        StorageRequest::Get { key: at, .. } => key(at),
        StorageRequest::GetMany { keys, .. } => keys.iter().map(key).sum(),
        StorageRequest::Put {
            key: at, options, ..
        } => key(at) + put(options),
        StorageRequest::Delete {
            key: at,
            precondition,
        } => key(at) + when(precondition),
        StorageRequest::Query {
            partition, options, ..
        }
        | StorageRequest::QueryIndex { partition, options } => text(partition) + query(options),
        StorageRequest::Transact { operations, token } => {
            operations.iter().map(operation).sum::<usize>() + token.as_deref().map_or(0, text)
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

fn write_error(object: &mut Object<'_>, error: &StorageError) {
    match error {
        StorageError::Invalid(message) => {
            object.string("error", "invalid");
            object.string("message", message);
        }
        StorageError::TooLarge(message) => {
            object.string("error", "too-large");
            object.string("message", message);
        }
        StorageError::Throttled { retry_after_ms } => {
            object.string("error", "throttled");
            if let Some(retry_after_ms) = retry_after_ms {
                object.number("retry_after_ms", *retry_after_ms);
            }
        }
        StorageError::Unavailable => object.string("error", "unavailable"),
        StorageError::Conflict => object.string("error", "conflict"),
        StorageError::OutcomeUnknown => object.string("error", "outcome-unknown"),
        StorageError::Misconfigured => object.string("error", "misconfigured"),
        StorageError::Internal => object.string("error", "internal"),
    }
}

fn write_found(out: &mut Vec<u8>, found: Option<&Item>, documents: &mut dyn Documents) {
    match found {
        None => out.extend_from_slice(b"null"),
        Some(item) => {
            let mut object = Object::begin(out);
            item_members(&mut object, item, documents);
            object.end();
        }
    }
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry, documents: &mut dyn Documents) {
    let mut object = Object::begin(out);
    object.string("partition", &entry.key.partition);
    object.string("sort", &entry.key.sort);
    item_members(&mut object, &entry.item, documents);
    object.end();
}

fn item_members(object: &mut Object<'_>, item: &Item, documents: &mut dyn Documents) {
    documents.write(object.name("document"), &item.document);
    object.string("revision", item.revision.as_str());
    index_and_expiry(object, item.index.as_ref(), item.expires_at);
}

fn put_members(
    object: &mut Object<'_>,
    at: &Key,
    document: &Document,
    options: &PutOptions,
    documents: &mut dyn Documents,
) {
    key(object.name("key"), at);
    documents.write(object.name("document"), document);
    precondition(object.name("precondition"), &options.precondition);
    index_and_expiry(object, options.index.as_ref(), options.expires_at);
}

fn index_and_expiry(object: &mut Object<'_>, index: Option<&Key>, expires_at: Option<u64>) {
    if let Some(index) = index {
        key(object.name("index"), index);
    }
    if let Some(expires_at) = expires_at {
        object.number("expires_at", expires_at);
    }
}

fn keyed_precondition(object: &mut Object<'_>, at: &Key, when: &Precondition) {
    key(object.name("key"), at);
    precondition(object.name("precondition"), when);
}

fn write_operation(out: &mut Vec<u8>, operation: &Operation, documents: &mut dyn Documents) {
    let mut object = Object::begin(out);
    match operation {
        Operation::Put {
            key,
            document,
            options,
        } => {
            let mut put = Object::begin(object.name("put"));
            put_members(&mut put, key, document, options, documents);
            put.end();
        }
        Operation::Delete { key, precondition } => {
            let mut delete = Object::begin(object.name("delete"));
            keyed_precondition(&mut delete, key, precondition);
            delete.end();
        }
        Operation::Check { key, precondition } => {
            let mut check = Object::begin(object.name("check"));
            keyed_precondition(&mut check, key, precondition);
            check.end();
        }
    }
    object.end();
}

fn query_members(object: &mut Object<'_>, options: &QueryOptions) {
    let range = object.name("range");
    let bound = |range: &mut Vec<u8>, name: &'static str, bound: &str| {
        let mut object = Object::begin(range);
        object.string(name, bound);
        object.end();
    };
    match &options.range {
        SortRange::All => write_string(range, "all"),
        SortRange::Prefix(prefix) => bound(range, "prefix", prefix),
        SortRange::AtLeast(lower) => bound(range, "at_least", lower),
        SortRange::AtMost(upper) => bound(range, "at_most", upper),
        SortRange::Between(lower, upper) => {
            let mut object = Object::begin(range);
            write_array(object.name("between"), [lower, upper], |out, bound| {
                write_string(out, bound);
            });
            object.end();
        }
    }
    object.string(
        "direction",
        match options.direction {
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        },
    );
    write_number(object.name("limit"), u64::from(options.limit));
    if let Some(cursor) = &options.cursor {
        object.string("cursor", cursor);
    }
}

fn key(out: &mut Vec<u8>, key: &Key) {
    let mut object = Object::begin(out);
    object.string("partition", &key.partition);
    object.string("sort", &key.sort);
    object.end();
}

fn precondition(out: &mut Vec<u8>, precondition: &Precondition) {
    match precondition {
        Precondition::None => write_string(out, "none"),
        Precondition::Absent => write_string(out, "absent"),
        Precondition::Present => write_string(out, "present"),
        Precondition::Revision(revision) => {
            let mut object = Object::begin(out);
            object.string("revision", revision.as_str());
            object.end();
        }
    }
}

fn consistency_name(consistency: Consistency) -> &'static str {
    match consistency {
        Consistency::Eventual => "eventual",
        Consistency::Strong => "strong",
    }
}
