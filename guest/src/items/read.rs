//! GET and HEAD on an item.

use super::CACHE_CONTROL;
use crate::{
    identifier::{Id, not_found},
    layout::ITEMS,
};
use tenon::{IntoResponse, Problem, Store};

/// Answers with the item, or with 304 if the client already has it. Reads strongly, so that a client sees its own writes and the entity tag
/// is valid for the next `If-Match`.
pub fn read(Id(id): Id, store: Store) -> Result<impl IntoResponse, Problem> {
    let item = store.get(&ITEMS.key(&id))?.ok_or_else(|| not_found(&id))?;
    Ok(item.with_header("cache-control", CACHE_CONTROL))
}
