//! PATCH on an item.

use super::{check_id, put, retry::Attempts, written};
use crate::{
    conditional::Conditions,
    content,
    http::{Request, Response},
    item::{self, Draft, Item},
    json::Value,
    layout, merge_patch,
    negotiation::{self, MERGE_PATCH},
    ports::{Consistency, Host, Precondition, PutOutcome},
    problem::Problem,
    storage_problem::{self, Source},
    time,
};

/// Merges a patch into the item. If another request changes the item in between, the patch is merged into its new state, unless `If-Match`
/// forbids it.
pub fn update(request: &Request, host: &dyn Host, id: &str) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    check_id(id)?;
    let conditions = Conditions::of(request)?;
    negotiation::check_content_type(request, MERGE_PATCH, "accept-patch")?;
    let mut patch = content::parse(request)?;
    if let Value::Object(changes) = &patch.value {
        let violations = item::check_names(changes); // removing a member that cannot exist would go unnoticed
        if !violations.is_empty() {
            return Err(Problem::invalid_content(violations));
        }
    }
    let mut current = host
        .get(&layout::item(id), Consistency::Strong)
        .map_err(|error| storage_problem::from_error(request, host, Source::Program, error))?;
    let mut attempts = Attempts::default();
    loop {
        let stored = current.ok_or_else(|| Problem::item_not_found(id))?;
        conditions.check(Some(&stored.revision))?;
        let (item, values) = Item::from_document(&stored.document)
            .ok_or_else(|| storage_problem::unreadable(host, id))?;
        let text_bytes = stored.document.len() + request.body.len();
        attempts.begin(text_bytes, values + patch.values)?;
        let item = merge(request, item, patch.value)?;
        let put = put(&item, Precondition::Revision(stored.revision));
        let outcome = host
            .put(&put)
            .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
        match outcome {
            PutOutcome::Done(revision) => {
                return Ok(written(request, 200, id, Some(&revision), put.document));
            }
            PutOutcome::PreconditionFailed(found) => current = found,
        }
        patch = content::parse(request)?; // the previous one was moved into the item
    }
}

fn merge(request: &Request, item: Item, patch: Value) -> Result<Item, Problem> {
    let mut content = item.draft.into_content();
    merge_patch::apply(&mut content, patch);
    let draft = Draft::check(content).map_err(Problem::invalid_content)?;
    Ok(Item {
        draft,
        updated_at: time::rfc3339(request.received_at_ms),
        ..item
    })
}
