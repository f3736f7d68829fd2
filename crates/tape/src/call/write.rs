//! Writes the parts of storage calls as JSON.

use json::{Object, write_array, write_number, write_string};
use storage::{
    Consistency, Direction, Document, Entry, Item, Key, Operation, Precondition, PutOptions,
    QueryOptions, SortRange, StorageError,
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

/// Largest written size of a key.
pub(super) fn key_bytes_max(key: &Key) -> usize {
    KEY_BYTES + ESCAPE_BYTES_MAX * (key.partition.len() + key.sort.len())
}

/// Largest written size of a text: an escape takes six bytes.
pub(super) fn text_bytes_max(text: &str) -> usize {
    ESCAPE_BYTES_MAX * text.len()
}

pub(super) fn precondition_bytes_max(precondition: &Precondition) -> usize {
    match precondition {
        Precondition::Revision(revision) => text_bytes_max(revision.as_str()),
        Precondition::None | Precondition::Absent | Precondition::Present => 0,
    }
}

pub(super) fn put_bytes_max(key: &Key, options: &PutOptions) -> usize {
    key_bytes_max(key)
        + precondition_bytes_max(&options.precondition)
        + options.index.as_ref().map_or(0, key_bytes_max)
}

pub(super) fn query_bytes_max(partition: &str, options: &QueryOptions) -> usize {
    let range = match &options.range {
        SortRange::All => 0,
        SortRange::Prefix(bound) | SortRange::AtLeast(bound) | SortRange::AtMost(bound) => {
            text_bytes_max(bound)
        }
        SortRange::Between(lower, upper) => text_bytes_max(lower) + text_bytes_max(upper),
    };
    text_bytes_max(partition) + range + options.cursor.as_deref().map_or(0, text_bytes_max)
}

pub(super) fn operation_bytes_max(operation: &Operation) -> usize {
    match operation {
        Operation::Put { key, options, .. } => put_bytes_max(key, options),
        Operation::Delete { key, precondition } | Operation::Check { key, precondition } => {
            key_bytes_max(key) + precondition_bytes_max(precondition)
        }
    }
}

pub(super) fn write_error(object: &mut Object<'_>, error: &StorageError) {
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

pub(super) fn write_found(out: &mut Vec<u8>, found: Option<&Item>, documents: &mut dyn Documents) {
    match found {
        None => out.extend_from_slice(b"null"),
        Some(item) => {
            let mut object = Object::begin(out);
            item_members(&mut object, item, documents);
            object.end();
        }
    }
}

pub(super) fn write_entry(out: &mut Vec<u8>, entry: &Entry, documents: &mut dyn Documents) {
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

pub(super) fn put_members(
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

pub(super) fn keyed_precondition(object: &mut Object<'_>, at: &Key, when: &Precondition) {
    key(object.name("key"), at);
    precondition(object.name("precondition"), when);
}

pub(super) fn write_operation(
    out: &mut Vec<u8>,
    operation: &Operation,
    documents: &mut dyn Documents,
) {
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

pub(super) fn query_members(object: &mut Object<'_>, options: &QueryOptions) {
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

pub(super) fn key(out: &mut Vec<u8>, key: &Key) {
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

pub(super) fn consistency_name(consistency: Consistency) -> &'static str {
    match consistency {
        Consistency::Eventual => "eventual",
        Consistency::Strong => "strong",
    }
}
