//! The keys of everything in the store.
//!
//! | what               | partition                    | sort | secondary partition   | secondary sort |
//! |--------------------|------------------------------|------|-----------------------|----------------|
//! | item               | `items`                      | id   | `category/{category}` | id             |
//! | idempotency record | `idempotency/{hash}`         | `-`  |                       |                |
//!
//! All items share one partition, because the API promises one list in the order of ids. DynamoDB accepts about 1,000 writes a second
//! under one partition key, and new ids are always the highest, so that it cannot split the load: that is this API's limit. A
//! service that needs more writes to `items/{0..n}`, chosen by a hash of the id, and merges n queries into each page of the list;
//! only this file and the list change. A partition per item would not help: the list would then need a secondary key, which has the
//! same limit, and lags.
//!
//! An idempotency record, which the SDK writes, is only read by its key, so each has a partition of its own and none is hot.

use crate::item::Draft;
use alloc::format;
use tenon::{
    json::Document,
    store::{Key, Partition},
};

/// All items. Their documents are the representations that clients get, so a read passes on text.
pub const ITEMS: Partition<Document> = Partition::new("items");

/// An item's secondary key: items without a category have none.
pub fn item_index(id: &str, draft: &Draft) -> Option<Key<Document>> {
    draft
        .category()
        .map(|category| in_category(category).key(id))
}

/// The secondary partition of the items of a category.
pub fn in_category(category: &str) -> Partition<Document> {
    Partition::named(format!("category/{category}"))
}
