//! PUT on an item.

use super::{put, retry::Attempts, written};
use crate::{
    conditional::Conditions,
    content,
    http::{Request, Response},
    identifier,
    item::Item,
    json, layout, negotiation,
    ports::{Consistency, Host, Precondition, PutOutcome, Stored},
    problem::Problem,
    storage_problem::{self, Source},
    time,
};
use alloc::string::String;

/// Creates or replaces the item. A read only prepares the write: the store checks that its result is still true.
///
/// Without `If-Match` the first attempt creates, and if that fails the store returns the existing item. So a creation takes one call, and a
/// replacement two; a third one replaces whatever exists by then, so that the last write wins.
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
    let mut attempts = Attempts::default();
    let mut is_raced = false;
    loop {
        conditions.check(current.as_ref().map(|stored| stored.revision.as_str()))?;
        let found_bytes = current.as_ref().map_or(0, |stored| stored.document.len());
        attempts.begin(found_bytes.max(request.body.len()), 0)?;
        let (status, precondition) = match current {
            None => {
                item.created_at.clone_from(&now);
                (201, Precondition::Absent)
            }
            Some(stored) => {
                item.created_at = created_at(host, id, &stored)?;
                (
                    200,
                    of_found(stored, is_raced && conditions.hold_for_any_item()),
                )
            }
        };
        is_raced = matches!(precondition, Precondition::Revision(_));
        let put = put(&item, precondition);
        let outcome = host
            .put(&put)
            .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
        match outcome {
            PutOutcome::Done(revision) => {
                return Ok(written(request, status, id, Some(&revision), put.document));
            }
            PutOutcome::PreconditionFailed(found) => current = found,
        }
    }
}

/// The precondition for replacing an existing item. A write that names a state can be repeated after an unknown outcome; a write without
/// conditions must succeed in the end, however often others write in between.
fn of_found(stored: Stored, has_last_word: bool) -> Precondition {
    if has_last_word {
        Precondition::Present
    } else {
        Precondition::Revision(stored.revision)
    }
}

fn created_at(host: &dyn Host, id: &str, stored: &Stored) -> Result<String, Problem> {
    json::string_member(&stored.document, "created_at")
        .ok_or_else(|| storage_problem::unreadable(host, id))
}
