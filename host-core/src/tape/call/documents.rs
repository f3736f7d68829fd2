//! The documents of a storage call, without the rest of it.

use super::write::{Answered, Asked};
use crate::storage::{DeleteOutcome, Document, Operation, PutOutcome, TransactOutcome};

impl Asked<'_> {
    /// Calls `each` with what the guest wants to write.
    pub(crate) fn documents(&self, each: &mut dyn FnMut(&Document)) {
        match self {
            Self::Put(_, document, _) => each(document),
            Self::Transact(operations, _) => {
                for operation in *operations {
                    match operation {
                        Operation::Put { document, .. } => each(document),
                        Operation::Delete { .. } | Operation::Check { .. } => {}
                    }
                }
            }
            Self::Get(..)
            | Self::GetMany(..)
            | Self::Delete(..)
            | Self::Query(..)
            | Self::QueryIndex(..) => {}
        }
    }
}

impl Answered<'_> {
    /// Calls `each` with what the guest is given.
    pub(crate) fn documents(&self, each: &mut dyn FnMut(&Document)) {
        match *self {
            Self::Get(found)
            | Self::Put(PutOutcome::PreconditionFailed(found))
            | Self::Delete(DeleteOutcome::PreconditionFailed(found))
            | Self::Transact(TransactOutcome::PreconditionFailed { item: found, .. }) => {
                found.iter().for_each(|item| each(&item.document));
            }
            Self::GetMany(found) => {
                let items = found.iter().flatten();
                items.for_each(|item| each(&item.document));
            }
            Self::Page(page) => {
                let items = page.entries.iter().map(|entry| &entry.item);
                items.for_each(|item| each(&item.document));
            }
            Self::Put(PutOutcome::Done(_))
            | Self::Delete(DeleteOutcome::Done)
            | Self::Transact(TransactOutcome::Done(_)) => {}
        }
    }
}
