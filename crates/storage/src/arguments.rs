//! The rules of `wit/storage.wit` for arguments, each with one error text. Partitions include their namespace.

use super::{
    Document, Item, Key, Operation, Precondition, PutOptions, QueryOptions, SortRange,
    StorageError,
    item_size::{check_index, check_item},
};
use contract::limits::{
    GET_MANY_TEXT_BYTES_MAX, PAGE_ENTRIES_MAX, PARTITION_BYTES_MAX, SORT_BYTES_MAX,
    TOKEN_BYTES_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, TRANSACTION_VALUES_MAX,
};
use std::collections::HashSet;

/// Longest revision that a precondition may contain.
const REVISION_BYTES_MAX: usize = 64;
/// The share of a token's record in a transaction's size.
const TOKEN_RECORD_BYTES: usize = 4096;

fn invalid(text: String) -> StorageError {
    StorageError::Invalid(text)
}

fn check_length(what: &str, length: usize, length_max: usize) -> Result<(), StorageError> {
    match length {
        0 => Err(invalid(format!("{what} is empty"))),
        _ if length > length_max => Err(invalid(format!(
            "{what} has {length} bytes, at most {length_max} are allowed"
        ))),
        _ => Ok(()),
    }
}

/// Checks a partition that follows a namespace of `namespace_bytes` bytes.
pub(super) fn check_partition(partition: &str, namespace_bytes: usize) -> Result<(), StorageError> {
    if partition.len() <= namespace_bytes {
        return Err(invalid("the partition is empty".to_owned()));
    }
    check_length(
        "the partition with its namespace",
        partition.len(),
        PARTITION_BYTES_MAX,
    )
}

pub(super) fn check_key(key: &Key, namespace_bytes: usize) -> Result<(), StorageError> {
    check_partition(&key.partition, namespace_bytes)?;
    check_length("the sort key", key.sort.len(), SORT_BYTES_MAX)
}

pub(super) fn check_precondition(precondition: &Precondition) -> Result<(), StorageError> {
    match precondition {
        Precondition::None | Precondition::Absent | Precondition::Present => Ok(()),
        Precondition::Revision(revision) => check_length(
            "the revision of a precondition",
            revision.as_str().len(),
            REVISION_BYTES_MAX,
        ),
    }
}

/// Checks everything about a put at `key`, which is already checked, except the document.
pub(super) fn check_put_options(
    key: &Key,
    options: &PutOptions,
    namespace_bytes: usize,
) -> Result<(), StorageError> {
    check_precondition(&options.precondition)?;
    match &options.index {
        Some(index) => {
            check_key(index, namespace_bytes)
                .map_err(|error| invalid(format!("the secondary key is not valid: {error}")))?;
            check_index(index, key)
        }
        None => Ok(()),
    }
}

/// Checks a count: 1 to `count_max`.
pub(super) fn check_count(what: &str, count: usize, count_max: usize) -> Result<(), StorageError> {
    if count == 0 || count > count_max {
        return Err(invalid(format!(
            "{what} must be 1 to {count_max}, not {count}"
        )));
    }
    Ok(())
}

/// Checks that no key occurs twice.
pub(super) fn check_different<'a>(
    what: &str,
    keys: impl IntoIterator<Item = &'a Key>,
) -> Result<(), StorageError> {
    let mut seen = HashSet::new();
    match keys.into_iter().position(|key| !seen.insert(key)) {
        Some(position) => Err(invalid(format!(
            "the {what} at position {position} repeats an earlier one"
        ))),
        None => Ok(()),
    }
}

pub(super) fn check_query(options: &QueryOptions) -> Result<(), StorageError> {
    check_count(
        "the limit",
        options.limit as usize,
        PAGE_ENTRIES_MAX as usize,
    )?;
    let check_bound = |what: &str, bound: &str| check_length(what, bound.len(), SORT_BYTES_MAX);
    match &options.range {
        SortRange::All => Ok(()),
        SortRange::Prefix(prefix) => check_bound("the prefix", prefix),
        SortRange::AtLeast(lower) => check_bound("the lower bound", lower),
        SortRange::AtMost(upper) => check_bound("the upper bound", upper),
        SortRange::Between(lower, upper) => {
            check_bound("the lower bound", lower)?;
            check_bound("the upper bound", upper)?;
            if lower > upper {
                return Err(invalid(
                    "the lower bound is above the upper bound".to_owned(),
                ));
            }
            Ok(())
        }
    }
}

pub(super) fn check_token(token: &str) -> Result<(), StorageError> {
    check_length("the token", token.len(), TOKEN_BYTES_MAX)
}

/// Checks the number of operations. A token counts as one: stores that keep it in an item write that item, too.
pub(super) fn check_operation_count(count: usize, has_token: bool) -> Result<(), StorageError> {
    match has_token {
        true => check_count(
            "operations with a token",
            count,
            TRANSACTION_OPERATIONS_MAX - 1,
        ),
        false => check_count("operations", count, TRANSACTION_OPERATIONS_MAX),
    }
}

/// Checks the operations of a transaction, which include their namespaces.
pub(super) fn check_operations(
    operations: &[Operation],
    has_token: bool,
    namespace_bytes: usize,
) -> Result<(), StorageError> {
    let mut bytes = if has_token { TOKEN_RECORD_BYTES } else { 0 };
    for (position, operation) in operations.iter().enumerate() {
        bytes += check_operation(operation, namespace_bytes)
            .map_err(|error| at_position(position, error))?;
    }
    check_different("operation's key", operations.iter().map(Operation::key))?;
    if bytes > TRANSACTION_BYTES_MAX {
        return Err(StorageError::TooLarge(format!(
            "the transaction has {bytes} bytes, at most {TRANSACTION_BYTES_MAX} are allowed"
        )));
    }
    check_values(operations)
}

/// Checks how many values the documents of a transaction have together. A value takes at least two bytes of text, so most transactions need
/// not be counted.
fn check_values(operations: &[Operation]) -> Result<(), StorageError> {
    let documents = || {
        operations.iter().filter_map(|operation| match operation {
            Operation::Put { document, .. } => Some(document),
            Operation::Delete { .. } | Operation::Check { .. } => None,
        })
    };
    let text_bytes: usize = documents().map(|document| document.as_str().len()).sum();
    if text_bytes <= TRANSACTION_VALUES_MAX {
        return Ok(());
    }
    let values: usize = documents().map(Document::values).sum();
    if values > TRANSACTION_VALUES_MAX {
        return Err(StorageError::TooLarge(format!(
            "the documents of the transaction have {values} values, at most {TRANSACTION_VALUES_MAX} are allowed"
        )));
    }
    Ok(())
}

/// The text of the documents that `get-many` has found so far, counted before the next one is read.
#[derive(Debug, Default)]
pub struct FoundText {
    bytes: usize,
}

impl FoundText {
    /// Counts one more document, if it still fits.
    pub fn add(&mut self, item: Option<&Item>) -> Result<(), StorageError> {
        self.bytes += item.map_or(0, |item| item.document.as_str().len());
        if self.bytes > GET_MANY_TEXT_BYTES_MAX {
            return Err(StorageError::TooLarge(format!(
                "the documents found have more than {GET_MANY_TEXT_BYTES_MAX} bytes of text together: ask for fewer keys at a time"
            )));
        }
        Ok(())
    }
}

/// Adds to an error which operation broke the rule.
fn at_position(position: usize, error: StorageError) -> StorageError {
    let at = |text: String| format!("operation {position}: {text}");
    match error {
        StorageError::Invalid(text) => StorageError::Invalid(at(text)),
        StorageError::TooLarge(text) => StorageError::TooLarge(at(text)),
        other @ (StorageError::Throttled { .. }
        | StorageError::Unavailable
        | StorageError::Conflict
        | StorageError::OutcomeUnknown
        | StorageError::Misconfigured
        | StorageError::Internal) => other,
    }
}

/// Returns the operation's size: of the item for a put, of the key for others.
fn check_operation(operation: &Operation, namespace_bytes: usize) -> Result<usize, StorageError> {
    check_key(operation.key(), namespace_bytes)?;
    match operation {
        Operation::Put {
            key,
            document,
            options,
        } => {
            check_put_options(key, options, namespace_bytes)?;
            check_item(key, document, options)
        }
        Operation::Delete { key, precondition } => {
            check_precondition(precondition)?;
            Ok(key.partition.len() + key.sort.len())
        }
        Operation::Check {
            precondition: Precondition::None,
            ..
        } => Err(invalid(
            "a check needs a precondition other than `none`".to_owned(),
        )),
        Operation::Check { key, precondition } => {
            check_precondition(precondition)?;
            Ok(key.partition.len() + key.sort.len())
        }
    }
}
