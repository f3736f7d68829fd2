//! POST on the list of items.

use super::{put, written};
use crate::{
    content,
    http::{Request, Response},
    idempotency::{IdempotencyKey, Record},
    identifier,
    item::{self, Item},
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
        Some(key) => create_idempotently(request, host, &item, &key),
    }
}

fn create_once(request: &Request, host: &dyn Host, item: &Item) -> Result<Response, Problem> {
    let document = item.to_document();
    let outcome = host
        .put(&put(item, &document, Precondition::Absent))
        .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
    match outcome {
        PutOutcome::Done(revision) => {
            Ok(written(request, 201, &item.id, Some(&revision), document))
        }
        // The new id met another, which a retry cannot.
        PutOutcome::PreconditionFailed(_) => Err(storage_problem::conflict()),
    }
}

fn create_idempotently(
    request: &Request,
    host: &dyn Host,
    item: &Item,
    key: &IdempotencyKey,
) -> Result<Response, Problem> {
    let document = item.to_document();
    let record = Put {
        key: key.key().clone(),
        document: key.record(&item.id, &document),
        precondition: Precondition::Absent,
        index: None,
        expires_at: Some(key.expires_at()),
    };
    let outcome = host
        .transact(&[record, put(item, &document, Precondition::Absent)])
        .map_err(|error| storage_problem::from_error(request, host, Source::Content, error))?;
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
        } => replay(request, host, key, &stored),
        TransactOutcome::PreconditionFailed { .. } => Err(storage_problem::conflict()),
    }
}

/// Gives the recorded answer again. Its entity tag was made by the transaction that wrote the record, so that the record cannot hold
/// it: it is the item's own, as long as the item is what was answered.
fn replay(
    request: &Request,
    host: &dyn Host,
    key: &IdempotencyKey,
    stored: &Stored,
) -> Result<Response, Problem> {
    let Some(record) = Record::from_document(&stored.document) else {
        return Err(storage_problem::unreadable(host, &key.key().partition));
    };
    key.check(&record)?;
    let current = host
        .get(&layout::item(&record.id), Consistency::Strong)
        .map_err(|error| storage_problem::from_error(request, host, Source::Program, error))?
        .filter(|current| is_same_document(&current.document, &record.body));
    let revision = current.as_ref().map(|current| current.revision.as_str());
    Ok(written(request, 201, &record.id, revision, record.body)
        .with("idempotency-replayed", "true"))
}

fn is_same_document(one: &str, other: &str) -> bool {
    match (
        serde_json::from_slice(one.as_bytes()),
        serde_json::from_slice(other.as_bytes()),
    ) {
        (Ok(one), Ok(other)) => item::is_same(&one, &other),
        (_, Err(_)) | (Err(_), _) => false,
    }
}
