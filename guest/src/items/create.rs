//! POST on the list of items.

use super::{put, written};
use crate::{
    content,
    http::{Request, Response},
    idempotency::{IdempotencyKey, Record},
    identifier,
    item::Item,
    layout, negotiation,
    ports::{Consistency, Host, Precondition, Put, PutOutcome, Stored, TransactOutcome},
    problem::Problem,
    storage_problem::{self, Source},
    time,
};

/// Creates an item under a new id.
pub fn create(request: &Request, host: &dyn Host) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    let draft = content::parse_item(request, "accept-post")?;
    let idempotency_key = IdempotencyKey::of(request)?;
    let now = time::rfc3339(request.received_at_ms);
    let item = Item {
        id: identifier::uuid_v7(
            request.received_at_ms,
            [host.random_u64(), host.random_u64()],
        ),
        created_at: now.clone(),
        updated_at: now,
        draft,
    };
    match idempotency_key {
        None => create_once(request, host, &item),
        Some(key) => create_idempotently(request, host, item, &key),
    }
}

fn create_once(request: &Request, host: &dyn Host, item: &Item) -> Result<Response, Problem> {
    let put = put(item, Precondition::Absent);
    let outcome = host
        .put(&put)
        .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
    match outcome {
        PutOutcome::Done(revision) => Ok(written(
            request,
            201,
            &item.id,
            Some(&revision),
            put.document,
        )),
        // The new id collides with an existing one; a retry has another id.
        PutOutcome::PreconditionFailed(_) => Err(storage_problem::conflict()),
    }
}

fn create_idempotently(
    request: &Request,
    host: &dyn Host,
    item: Item,
    key: &IdempotencyKey,
) -> Result<Response, Problem> {
    let record = Put {
        key: key.key().clone(),
        document: key.record(&item.id, &item.created_at),
        precondition: Precondition::Absent,
        index: None,
        expires_at: Some(key.expires_at()),
    };
    let puts = [record, put(&item, Precondition::Absent)];
    let outcome = host
        .transact(&puts)
        .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
    let [_, Put { document, .. }] = puts;
    match outcome {
        TransactOutcome::Done(revisions) => {
            let revision = revisions.into_iter().nth(1).flatten();
            Ok(written(
                request,
                201,
                &item.id,
                revision.as_deref(),
                document,
            ))
        }
        TransactOutcome::PreconditionFailed {
            position: 0,
            item: Some(stored),
        } => replay(request, host, item, key, &stored),
        TransactOutcome::PreconditionFailed { .. } => Err(storage_problem::conflict()),
    }
}

/// Repeats the first response, byte for byte: the content is the same, and the record has the rest. The entity tag is created by the
/// transaction that writes the record, so the record cannot contain it; it is read from the item, as long as the item is unchanged.
fn replay(
    request: &Request,
    host: &dyn Host,
    item: Item,
    key: &IdempotencyKey,
    stored: &Stored,
) -> Result<Response, Problem> {
    let Some(record) = Record::from_document(&stored.document) else {
        return Err(storage_problem::unreadable(host, &key.key().partition));
    };
    key.check(&record)?;
    let first = Item {
        id: record.id,
        updated_at: record.created_at.clone(),
        created_at: record.created_at,
        draft: item.draft,
    };
    let document = first.to_document();
    let current = host
        .get(&layout::item(&first.id), Consistency::Strong)
        .map_err(|error| storage_problem::from_error(request, host, Source::Program, error))?
        .filter(|current| current.document == document);
    let revision = current.as_ref().map(|current| current.revision.as_str());
    Ok(written(request, 201, &first.id, revision, document).with("idempotency-replayed", "true"))
}
