//! The operations on items, one file each, and their common functions.

mod create;
mod list;
mod read;
mod remove;
mod replace;
mod retry;
mod update;

pub use create::create;
pub use list::list;
pub use read::read;
pub use remove::remove;
pub use replace::replace;
pub use update::update;

use crate::{
    conditional::entity_tag,
    http::{Request, Response},
    identifier,
    item::Item,
    layout,
    ports::{Precondition, Put},
    problem::Problem,
};
use alloc::{format, string::String};

/// Only the client may cache responses, and must revalidate them before each use, which is the purpose of entity tags.
const CACHE_CONTROL: &str = "private, no-cache";

/// Refuses an invalid id without calling the store.
fn check_id(id: &str) -> Result<(), Problem> {
    if identifier::is_valid(id) {
        Ok(())
    } else {
        Err(Problem::item_not_found(id))
    }
}

/// Writes the item if `precondition` holds.
fn put(item: &Item, precondition: Precondition) -> Put {
    Put {
        key: layout::item(&item.id),
        document: item.to_document(),
        precondition,
        index: layout::item_index(&item.id, &item.draft),
        expires_at: None,
    }
}

/// The response to a write: the new representation, as `Content-Location` indicates, with its entity tag. RFC 9110, 9.3.4 forbids
/// validators in responses to PUT, so that a client does not take what it sent for what is stored; here it gets what is stored.
fn written(
    request: &Request,
    status: u16,
    id: &str,
    revision: Option<&str>,
    document: String,
) -> Response {
    let location = reference(request, id);
    let mut response = Response::json(status, document).with("cache-control", CACHE_CONTROL);
    if status == 201 {
        response = response.with("location", location.clone());
    }
    response = response.with("content-location", location);
    match revision {
        Some(revision) => response.with("etag", entity_tag(revision)),
        None => response,
    }
}

/// The path of an item in the client's URL. Ids need no encoding.
fn reference(request: &Request, id: &str) -> String {
    format!("{}/items/{id}", request.base_path)
}
