//! POST on the list of items.

use super::{CACHE_CONTROL, write};
use crate::{
    item::{Draft, Item, push_member},
    layout::ITEMS,
};
use alloc::string::String;
use tenon::{
    Context, Created, IdempotencyKey, IntoResponse, Problem, Response,
    idempotency::Once,
    json::Document,
    store::{Item as Stored, Operation},
};

/// Creates an item under a new id.
pub fn create(context: Context, draft: Draft) -> Result<Response, Problem> {
    let key = IdempotencyKey::of_content(&context)?; // no other route takes keys
    let now = context.now().rfc3339();
    let item = Item {
        id: context.uuid(),
        created_at: now.clone(),
        updated_at: now,
        draft,
    };
    match key {
        None => {
            let store = context.store();
            let key = ITEMS.key(&item.id);
            let put = store.put(&key, write(&item)).if_absent().send()?;
            Ok(created(&context, &item.id, put.value, Some(put.revision)))
        }
        Some(key) => create_once(&context, item, &key),
    }
}

/// With a record of it, in one transaction.
fn create_once(context: &Context, item: Item, key: &IdempotencyKey) -> Result<Response, Problem> {
    let store = context.store();
    let write = write(&item);
    let document = write.value().clone();
    let receipt = receipt(&item);
    let put = Operation::put(&ITEMS.key(&item.id), write).if_absent();
    match store
        .transaction()
        .with(put)
        .send_once(Some(key), &receipt)?
    {
        Once::First(revisions) => {
            let revision = revisions.into_iter().next().flatten();
            Ok(created(context, &item.id, document, revision))
        }
        Once::Repeated(receipt) => repeat(context, item, &receipt),
    }
}

/// What is kept of a creation under its idempotency key. The rest of the response follows from the content, which the repeated request brings
/// again: a record with a copy of the item would not fit into the store for the largest items.
fn receipt(item: &Item) -> Document {
    let mut receipt = String::from("{");
    push_member(&mut receipt, "created_at", &item.created_at);
    push_member(&mut receipt, "id", &item.id);
    receipt.push('}');
    Document::new(receipt)
}

/// Repeats the first response, byte for byte: the content is the same, and the receipt has the rest. The entity tag is created by the
/// transaction that writes the record, so the record cannot contain it; it is read from the item, as long as the item is unchanged.
fn repeat(context: &Context, item: Item, receipt: &Document) -> Result<Response, Problem> {
    let member = |name| {
        let unreadable = || Problem::internal("a receipt is not of an item");
        receipt.string_member(name).ok_or_else(unreadable)
    };
    let (id, created_at) = (member("id")?, member("created_at")?);
    let first = Item {
        id,
        updated_at: created_at.clone(),
        created_at,
        draft: item.draft,
    };
    let document = first.to_document();
    let current = context.store().get(&ITEMS.key(&first.id))?;
    let unchanged = current.filter(|current| current.value == document);
    let revision = unchanged.map(|current| current.revision);
    Ok(created(context, &first.id, document, revision))
}

fn created(context: &Context, id: &str, document: Document, revision: Option<String>) -> Response {
    let location = ["items", id];
    match revision {
        Some(revision) => Created::at(location, Stored::new(document, revision))
            .with_header("cache-control", CACHE_CONTROL)
            .into_response(context),
        None => Created::at(location, document)
            .with_header("cache-control", CACHE_CONTROL)
            .into_response(context),
    }
}
