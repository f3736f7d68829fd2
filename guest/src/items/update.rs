//! PATCH on an item.

use super::{CACHE_CONTROL, write};
use crate::{
    identifier::{Id, not_found},
    item::{self, Draft, Item},
    layout::ITEMS,
};
use tenon::{
    Conditions, Context, FromRequest as _, IntoResponse, MergePatch, Problem, json::Value,
    store::Item as Stored,
};

/// Merges a patch into the item. If another request changes the item in between, the patch is merged into its new state, unless `If-Match`
/// forbids it.
pub fn update(
    context: Context,
    Id(id): Id,
    conditions: Conditions,
    patch: MergePatch,
) -> Result<impl IntoResponse, Problem> {
    if let Value::Object(changes) = patch.as_value() {
        let violations = item::check_names(changes); // removing a member that cannot exist would go unnoticed
        if !violations.is_empty() {
            return Err(Problem::invalid_content(violations));
        }
    }
    let mut patch = Some(patch);
    let written = context
        .store()
        .modify(&ITEMS.key(&id), |found: Option<Stored<_>>| {
            let found = found.ok_or_else(|| not_found(&id))?;
            conditions.check(Some(&found.revision))?;
            let item = Item::from_document(found.value).map_err(Problem::internal)?;
            let patch = match patch.take() {
                Some(patch) => patch,
                None => MergePatch::from_request(&context)?, // the first one was moved into the item
            };
            Ok(write(&merge(&context, item, patch)?))
        })?;
    Ok(written.with_header("cache-control", CACHE_CONTROL))
}

fn merge(context: &Context, item: Item, patch: MergePatch) -> Result<Item, Problem> {
    let mut content = item.draft.into_content();
    patch.merge_into(&mut content);
    let draft = Draft::check(content).map_err(Problem::invalid_content)?;
    Ok(Item {
        draft,
        updated_at: context.now().rfc3339(),
        ..item
    })
}
