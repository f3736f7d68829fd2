//! Converts between the storage types of the WIT interface and of the port, field by field. Every match is exhaustive, so that a new case
//! must be handled here.

use crate::imports::bindings::tenon::handler::storage as wit;
use storage::{
    Consistency, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Page,
    Precondition, PutOptions, PutOutcome, QueryOptions, Revision, SortRange, StorageError,
    TransactOutcome,
};

pub(super) fn key(key: wit::Key) -> Key {
    Key {
        partition: key.partition,
        sort: key.sort,
    }
}

pub(super) fn consistency(consistency: wit::Consistency) -> Consistency {
    match consistency {
        wit::Consistency::Eventual => Consistency::Eventual,
        wit::Consistency::Strong => Consistency::Strong,
    }
}

pub(super) fn precondition(precondition: wit::Precondition) -> Precondition {
    match precondition {
        wit::Precondition::None => Precondition::None,
        wit::Precondition::Absent => Precondition::Absent,
        wit::Precondition::Present => Precondition::Present,
        wit::Precondition::Revision(revision) => Precondition::Revision(Revision::from(revision)),
    }
}

pub(super) fn options(options: wit::PutOptions) -> PutOptions {
    PutOptions {
        precondition: precondition(options.precondition),
        index: options.index.map(key),
        expires_at: options.expires_at,
    }
}

pub(super) fn query(options: wit::QueryOptions) -> QueryOptions {
    QueryOptions {
        range: match options.range {
            wit::SortRange::All => SortRange::All,
            wit::SortRange::Prefix(prefix) => SortRange::Prefix(prefix),
            wit::SortRange::Between((first, last)) => SortRange::Between(first, last),
            wit::SortRange::AtLeast(first) => SortRange::AtLeast(first),
            wit::SortRange::AtMost(last) => SortRange::AtMost(last),
        },
        direction: match options.direction {
            wit::Direction::Ascending => Direction::Ascending,
            wit::Direction::Descending => Direction::Descending,
        },
        limit: options.limit,
        cursor: options.cursor,
    }
}

pub(super) fn operation(operation: wit::Operation) -> Result<Operation, StorageError> {
    Ok(match operation {
        wit::Operation::Put(put) => Operation::Put {
            key: key(put.key),
            document: Document::parse(&put.document)?,
            options: options(put.options),
        },
        wit::Operation::Delete(delete) => Operation::Delete {
            key: key(delete.key),
            precondition: precondition(delete.precondition),
        },
        wit::Operation::Check(check) => Operation::Check {
            key: key(check.key),
            precondition: precondition(check.precondition),
        },
    })
}

pub(super) fn item(item: Item) -> wit::Item {
    wit::Item {
        document: item.document.as_str().to_owned(),
        revision: item.revision.into(),
        index: item.index.map(wit_key),
        expires_at: item.expires_at,
    }
}

pub(super) fn page(page: Page) -> wit::Page {
    let entry = |entry: Entry| wit::Entry {
        key: wit_key(entry.key),
        item: item(entry.item),
    };
    wit::Page {
        entries: page.entries.into_iter().map(entry).collect(),
        cursor: page.cursor,
    }
}

pub(super) fn put_outcome(outcome: PutOutcome) -> wit::PutOutcome {
    match outcome {
        PutOutcome::Done(revision) => wit::PutOutcome::Done(revision.into()),
        PutOutcome::PreconditionFailed(found) => {
            wit::PutOutcome::PreconditionFailed(found.map(item))
        }
    }
}

pub(super) fn delete_outcome(outcome: DeleteOutcome) -> wit::DeleteOutcome {
    match outcome {
        DeleteOutcome::Done => wit::DeleteOutcome::Done,
        DeleteOutcome::PreconditionFailed(found) => {
            wit::DeleteOutcome::PreconditionFailed(found.map(item))
        }
    }
}

pub(super) fn transact_outcome(outcome: TransactOutcome) -> wit::TransactOutcome {
    match outcome {
        TransactOutcome::Done(revisions) => wit::TransactOutcome::Done(
            revisions
                .into_iter()
                .map(|revision| revision.map(Into::into))
                .collect(),
        ),
        TransactOutcome::PreconditionFailed {
            position,
            item: found,
        } => wit::TransactOutcome::PreconditionFailed(wit::FailedOperation {
            position,
            item: found.map(item),
        }),
    }
}

pub(super) fn error(error: StorageError) -> wit::Error {
    match error {
        StorageError::Invalid(rule) => wit::Error::Invalid(rule),
        StorageError::TooLarge(rule) => wit::Error::TooLarge(rule),
        StorageError::Throttled { retry_after_ms } => wit::Error::Throttled(retry_after_ms),
        StorageError::Unavailable => wit::Error::Unavailable,
        StorageError::Conflict => wit::Error::Conflict,
        StorageError::OutcomeUnknown => wit::Error::OutcomeUnknown,
        StorageError::Misconfigured => wit::Error::Misconfigured,
        StorageError::Internal => wit::Error::Internal,
    }
}

fn wit_key(key: Key) -> wit::Key {
    wit::Key {
        partition: key.partition,
        sort: key.sort,
    }
}
