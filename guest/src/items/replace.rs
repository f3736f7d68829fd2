//! PUT on an item.

use super::{WRITE_ATTEMPTS_MAX, put, written};
use crate::{
    conditional::Conditions,
    content,
    http::{Request, Response},
    identifier,
    item::Item,
    layout, negotiation,
    ports::{Consistency, Host, Precondition, PutOutcome, Stored},
    problem::Problem,
    storage_problem::{self, Source},
    time,
};
use alloc::string::String;

/// Creates or replaces the item. What is read only prepares the write: the store checks that it is still true.
///
/// Without `If-Match` the first try creates, and where that fails the store tells what is there. So a creation is one call, and a
/// replacement two.
pub fn replace(request: &Request, host: &dyn Host, id: &str) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    if !identifier::is_valid(id) {
        return Err(Problem::new(
            400,
            "invalid-id",
            "an id has 1 to 64 characters of `A-Z a-z 0-9 _ -`",
        ));
    }
    let conditions = Conditions::of(request)?;
    let draft = content::parse_item(request, "accept")?;
    let now = time::rfc3339(request.received_at_ms);
    let mut item = Item {
        id: id.into(),
        created_at: now.clone(),
        updated_at: now.clone(),
        draft,
    };
    let mut current = if conditions.need_presence() {
        host.get(&layout::item(id), Consistency::Strong)
            .map_err(|error| storage_problem::from_error(request, host, Source::Program, error))?
    } else {
        None
    };
    for _ in 0..WRITE_ATTEMPTS_MAX {
        conditions.check(current.as_ref().map(|stored| stored.revision.as_str()))?;
        item.created_at = match &current {
            None => now.clone(),
            Some(stored) => created_at(host, id, stored)?,
        };
        let status = if current.is_none() { 201 } else { 200 };
        let precondition = match current {
            None => Precondition::Absent,
            Some(stored) => Precondition::Revision(stored.revision),
        };
        let document = item.to_document();
        let outcome = host
            .put(&put(&item, &document, precondition))
            .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
        match outcome {
            PutOutcome::Done(revision) => {
                return Ok(written(request, status, id, Some(&revision), document));
            }
            PutOutcome::PreconditionFailed(found) => current = found,
        }
    }
    Err(storage_problem::conflict())
}

fn created_at(host: &dyn Host, id: &str, stored: &Stored) -> Result<String, Problem> {
    Item::from_document(&stored.document)
        .map(|item| item.created_at)
        .ok_or_else(|| storage_problem::unreadable(host, id))
}
