//! The size of an item, as DynamoDB counts it in our layout, on every backend (AWS: DynamoDB item sizes and formats).
//!
//! The layout has the attributes `pk`, `sk` and `rev` (strings), `doc` (map), `expires_at` (number), and for the secondary key `ipk` and
//! `isk` (strings). Items with the same secondary sort key must be ordered by their primary keys, so `isk` combines all three: secondary
//! sort key, partition, sort key, with a separator of two bytes after each of the first two.

use super::{Document, Key, PutOptions, StorageError};
use contract::limits::{ITEM_BYTES_MAX, SORT_BYTES_MAX};

/// Length of a revision.
const REVISION_BYTES: usize = 24;
/// Size of a DynamoDB number of `digits` digits.
const fn number_bytes(digits: usize) -> usize {
    digits.div_ceil(2) + 1
}

/// Size of an item with its keys (the partition includes the namespace) and all attributes.
pub fn item_bytes(key: &Key, document: &Document, options: &PutOptions) -> usize {
    stored_bytes(key, document, options.index.as_ref(), options.expires_at)
}

/// The size of a stored item.
pub(super) fn stored_bytes(
    key: &Key,
    document: &Document,
    index: Option<&Key>,
    expires_at: Option<u64>,
) -> usize {
    let primary = "pk".len() + key.partition.len() + "sk".len() + key.sort.len();
    let content = "doc".len() + document.bytes() + "rev".len() + REVISION_BYTES;
    let expiry = expires_at.map_or(0, |seconds| {
        // DynamoDB trims trailing zeros; counting them makes the size independent of the second.
        "expires_at".len() + number_bytes(seconds.checked_ilog10().unwrap_or(0) as usize + 1)
    });
    let index = index.map_or(0, |index| {
        "ipk".len() + index.partition.len() + "isk".len() + index_sort_bytes(index, key)
    });
    primary + content + expiry + index
}

/// Length of the combined `isk`: NUL is doubled so that the separators sort below everything else.
fn index_sort_bytes(index: &Key, key: &Key) -> usize {
    let escaped = |text: &str| text.len() + text.bytes().filter(|byte| *byte == 0).count();
    escaped(&index.sort) + 2 + escaped(&key.partition) + 2 + escaped(&key.sort)
}

/// Checks the limit of an item's size, and returns the size.
pub(super) fn check_item(
    key: &Key,
    document: &Document,
    options: &PutOptions,
) -> Result<usize, StorageError> {
    let bytes = item_bytes(key, document, options);
    if bytes > ITEM_BYTES_MAX {
        return Err(StorageError::TooLarge(format!(
            "the item has {bytes} bytes, at most {ITEM_BYTES_MAX} are allowed"
        )));
    }
    Ok(bytes)
}

/// Checks that the combined `isk` is a possible sort key.
pub(super) fn check_index(index: &Key, key: &Key) -> Result<(), StorageError> {
    let bytes = index_sort_bytes(index, key);
    if bytes > SORT_BYTES_MAX {
        return Err(StorageError::Invalid(format!(
            "the secondary sort key, the partition with its namespace and the sort key have {bytes} bytes together with four for \
             the marks between them, at most {SORT_BYTES_MAX} are allowed"
        )));
    }
    Ok(())
}
