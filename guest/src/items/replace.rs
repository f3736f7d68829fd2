//! PUT on an item.

use super::{CACHE_CONTROL, write};
use crate::{
    identifier::Id,
    item::{Draft, Item},
    layout::ITEMS,
};
use alloc::string::String;
use tenon::{Conditions, IntoResponse, Now, Problem, Store, json::Document, store::Item as Stored};

/// Creates or replaces the item; what stays is when it was created. RFC 9110, 9.3.4 forbids validators in responses to PUT, so that a client
/// does not take what it sent for what is stored; here it gets what is stored.
pub fn replace(
    Id(id): Id,
    conditions: Conditions,
    draft: Draft,
    now: Now,
    store: Store,
) -> Result<impl IntoResponse, Problem> {
    let now = now.rfc3339();
    let mut item = Item {
        id,
        created_at: now.clone(),
        updated_at: now.clone(),
        draft,
    };
    let key = ITEMS.key(&item.id);
    let written = store.replace(&key, &conditions, |found: Option<Stored<Document>>| {
        item.created_at = match found {
            None => now.clone(),
            Some(found) => created_at(&found.value)?,
        };
        Ok(write(&item))
    })?;
    Ok(written.with_header("cache-control", CACHE_CONTROL))
}

fn created_at(document: &Document) -> Result<String, Problem> {
    let unreadable = || Problem::internal("the document is not an item's");
    document.string_member("created_at").ok_or_else(unreadable)
}
